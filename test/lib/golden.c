/* SPDX-License-Identifier: Apache-2.0 */
#include "test/lib/golden.h"

#include "agent/base/mem.h"
#include "test/lib/unit.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX ((size_t)1 << 20)

static struct {
    char *prefix; /* $srcdir/DIR/ */
    golden_fn *fn;
} golden;

static bool slurp(const char *name, const char *end, struct buf *out)
{
    struct conf_world w = conf_world_process();
    struct buf path;
    struct err err;
    bool ok;

    buf_init(&path, BUF_NO_LIMIT);
    buf_init(out, FILE_MAX);
    buf_addf(&path, "%s%s%s", golden.prefix, name, end);
    ok = w.read_file(w.arg, buf_z(&path), out, &err);
    buf_fini(&path);
    return ok;
}

static bool secret_file(void *arg, const char *path, struct buf *out,
                        struct err *err)
{
    (void)arg;
    if (strcmp(path, "/run/secrets/token") == 0)
        buf_addz(out, "s3cr3t\n");
    else if (strcmp(path, "/run/secrets/bad") == 0)
        buf_add(out, "a\0b", 3);
    else
        return err_set(err, ERR_CONFIG, "%s: cannot be opened: %s", path,
                       "No such file or directory");
    return true;
}

/* Pointers into `text`, whose line feeds become ends of strings. */
static const char **variables(struct buf *text)
{
    size_t count = 0, cap = 0;
    const char **v = NULL;
    char *save = NULL;

    for (char *line = text->data ? strtok_r(text->data, "\n", &save) : NULL;
         line; line = strtok_r(NULL, "\n", &save)) {
        xgrow(&v, &cap, count, sizeof(*v));
        v[count++] = line;
    }
    xgrow(&v, &cap, count, sizeof(*v));
    v[count] = NULL;
    return v;
}

static void update(const char *name, const struct buf *got)
{
    struct buf path;
    FILE *f;

    buf_init(&path, BUF_NO_LIMIT);
    buf_addf(&path, "%s%s.out", golden.prefix, name);
    f = fopen(buf_z(&path), "w");
    assert_non_null(f);
    (void)fwrite(buf_z(got), 1, got->len, f);
    (void)fclose(f);
    buf_fini(&path);
}

static void run_case(void **state)
{
    struct buf yaml, env, want, got;
    struct golden_case c = {.name = *state};
    const char **v;

    c.has_file = slurp(c.name, ".yml", &yaml);
    c.text = buf_str(&yaml);
    (void)slurp(c.name, ".env", &env);
    v = variables(&env);
    c.world = (struct conf_world){.variables = v, .read_file = secret_file};
    buf_init(&got, FILE_MAX);
    golden.fn(&c, &got);
    if (getenv("GOLDEN_UPDATE"))
        update(c.name, &got);
    (void)slurp(c.name, ".out", &want);
    free(v);
    buf_fini(&yaml);
    buf_fini(&env);
    assert_string_equal(buf_z(&got), buf_z(&want));
    buf_fini(&want);
    buf_fini(&got);
}

struct names {
    struct CMUnitTest *tests;
    size_t count, cap;
};

/* Once, though it may have both a .yml and a .env. */
static void add_name(struct names *n, char *name)
{
    for (size_t i = 0; i < n->count; i++)
        if (strcmp(n->tests[i].name, name) == 0) {
            free(name);
            return;
        }
    xgrow(&n->tests, &n->cap, n->count, sizeof(*n->tests));
    n->tests[n->count++] = (struct CMUnitTest){
        .name = name, .test_func = run_case, .initial_state = name};
}

/* "a/b/name.yml" -> "name" */
static void add_names(struct names *n, const char *end)
{
    struct buf pattern;
    glob_t found;

    buf_init(&pattern, BUF_NO_LIMIT);
    buf_addf(&pattern, "%s*%s", golden.prefix, end);
    if (glob(buf_z(&pattern), 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            const char *base = found.gl_pathv[i] + strlen(golden.prefix);

            add_name(n, xstrndup(base, strlen(base) - strlen(end)));
        }
        globfree(&found);
    }
    buf_fini(&pattern);
}

int golden_run(const char *dir, golden_fn *fn)
{
    const char *srcdir = getenv("srcdir");
    struct names n = {.count = 0};
    struct buf prefix;
    int failed = 1; /* no case at all */

    buf_init(&prefix, BUF_NO_LIMIT);
    buf_addf(&prefix, "%s/%s/", srcdir ? srcdir : ".", dir);
    golden.prefix = buf_take(&prefix);
    golden.fn = fn;
    add_names(&n, ".yml");
    add_names(&n, ".env");
    if (n.count)
        failed = _cmocka_run_group_tests(dir, n.tests, n.count, NULL, NULL);
    for (size_t i = 0; i < n.count; i++)
        free(n.tests[i].initial_state);
    free(n.tests);
    free(golden.prefix);
    return failed;
}
