/* SPDX-License-Identifier: Apache-2.0 */
/* Rule files: found beside the file that names them, and read. */
#include "agent/settings/inside.h"

struct finding {
    struct settings *settings;
    const struct conf_world *world;
    const void *field; /* where it was written */
    size_t count;
};

/* A path is seen from the folder of the file in which it stands, as in
 * Prometheus; one of a variable from where the program was started. */
static const char *place(struct settings *s, char *const *item)
{
    const struct conf_mark *mark = conf_written(s->conf, item);
    struct str path = str_of(*item), from;
    const char *slash;

    if (path.len == 0 || path.ptr[0] == '/' || !mark || mark->line == 0)
        return *item;
    slash = strrchr(mark->source, '/');
    if (!slash)
        return *item;
    from = str_n(mark->source, (size_t)(slash - mark->source) + 1);
    return arena_printf(conf_arena(s->conf), "%.*s%.*s", STR_ARG(from),
                        STR_ARG(path))
        .ptr;
}

static void read_one(void *arg, const char *path)
{
    struct finding *f = arg;
    struct settings *s = f->settings;
    struct buf text;
    struct err err;

    f->count++;
    buf_init(&text, CONF_FILE_MAX);
    if (f->world->read_file(f->world->arg, path, &text, &err))
        (void)groups_read(s->groups, path, buf_str(&text), s->conf);
    else
        conf_blame(s->conf, f->field, "%s", err.text);
    buf_fini(&text);
}

static bool is_pattern(const char *s)
{
    return strpbrk(s, "*?[") != NULL;
}

static void read_item(struct settings *s, const struct conf_world *w,
                      char *const *item)
{
    const char *path = place(s, item), *slash = strrchr(path, '/');
    const void *field = conf_written(s->conf, item)
                            ? (const void *)item
                            : (const void *)&s->values.rule_files;
    struct finding f = {s, w, field, 0};

    if (!is_pattern(*item)) {
        read_one(&f, path);
        return;
    }
    if (slash && memchr(path, '*', (size_t)(slash - path))) {
        conf_blame(s->conf, field,
                   "has a * in the name of a folder; it may stand in the name "
                   "of the file alone");
        return;
    }
    if (w->match)
        w->match(w->arg, path, read_one, &f);
    if (f.count)
        return;
    conf_blame(s->conf, field, "no file matches %s", path);
    conf_fault_warns(s->conf);
}

void settings_read_rule_files(struct settings *s, const struct conf_world *w)
{
    const struct conf_list *files = &s->values.rule_files;

    s->groups = groups_new();
    for (size_t i = 0; i < files->count; i++)
        read_item(s, w, &files->items[i]);
}
