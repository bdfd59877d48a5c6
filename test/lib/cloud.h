/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloud.h - a sink under test, with settings in YAML and no environment.
 */
#ifndef TEST_LIB_CLOUD_H
#define TEST_LIB_CLOUD_H

#include "sinks/sinks.h"

struct cloud {
    const struct sink_type *type;
    struct conf *conf;
    void *values; /* the sink's settings, prepared */
    struct arena arena;
};

/* Fails the test where the settings are not good. */
void cloud_open(struct cloud *c, const char *sink, const char *settings);
void cloud_close(struct cloud *c);
/* test/data/sinks/<sink>/<name>.points gives <name>.request. */
void cloud_renders(const char *sink, const char *name);

#endif
