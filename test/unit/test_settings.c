/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole configurations as files (test/data/settings): their faults, and where
 * there are no errors what would be done and what was set by whom.
 */
#include "agent/config/show.h"
#include "agent/settings/settings.h"
#include "test/lib/golden.h"

/* Of the options in force those that somebody has set. */
static void show_written(const struct settings *s, struct buf *out)
{
    struct buf all;
    struct str rest, line;

    buf_init(&all, BUF_NO_LIMIT);
    settings_show(s, &all);
    buf_addz(out, "---\n");
    for (rest = buf_str(&all); str_next(&rest, '\n', &line);)
        for (size_t i = 0; i + 3 <= line.len; i++)
            if (memcmp(line.ptr + i, " # ", 3) == 0) {
                line = str_trim(line);
                buf_addf(out, "%.*s\n", STR_ARG(line));
                break;
            }
    buf_fini(&all);
}

static void show(const struct golden_case *g, struct buf *out)
{
    struct settings_source from = {.text = g->has_file ? g->text.ptr : NULL,
                                   .text_name = "scalebridge.yml"};
    struct settings *s;

    if (g->has_file && !from.text)
        from.text = "";
    s = settings_read(&g->world, &from);
    settings_faults(s, out);
    if (settings_good(s)) {
        if (strncmp(g->name, "env_", 4) == 0)
            settings_summary(s, out);
        show_written(s, out);
    }
    settings_free(s);
}

int main(void)
{
    return golden_run("test/data/settings", show);
}
