/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/sinks.h"

const struct sink_type *const sink_types[] = {
    &cloudwatch_sink,
    &stdout_sink,
    &none_sink,
    NULL,
};

const struct sink_type *sink_find(struct str name)
{
    for (const struct sink_type *const *t = sink_types; *t; t++)
        if (str_eqz(name, (*t)->name))
            return *t;
    return NULL;
}
