/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Points to lines, as files of test/data/sinks/emf: x.points gives x.lines.
 */
#include "agent/base/jsonr.h"
#include "agent/base/mem.h"
#include "agent/config/source.h"
#include "sinks/emf.h"
#include "test/lib/files.h"
#include "test/lib/points.h"
#include "test/lib/unit.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#define FOLDER "sinks/emf"

struct world {
    const struct sink_type *type;
    struct conf *conf;
    struct emf_conf values;
    struct arena arena;
};

static void begin(struct world *w, const char *settings)
{
    *w = (struct world){.type = sink_find(STR("emf")), .conf = conf_new()};
    arena_init(&w->arena, 4096);
    conf_read(w->conf, w->type->keys,
              conf_parse(w->conf, "settings", str_of(settings)), &w->values);
    assert_true(conf_good(w->conf));
}

static void finish(struct world *w)
{
    conf_free(w->conf);
    arena_fini(&w->arena);
}

static size_t admit(struct world *w, struct json_object *list,
                    const struct point **points, struct buf *out)
{
    size_t n = 0;
    struct err err;

    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct point *p =
            points_read(&w->arena, json_object_array_get_idx(list, i));

        if (w->type->admit(&w->values, p, &err))
            points[n++] = p;
        else
            buf_addf(out, "refused: %s\n", err.text);
    }
    return n;
}

static void render(struct world *w, const struct point *const *points,
                   size_t count, struct str *lines)
{
    struct http_request req = {0};
    struct err err;
    size_t taken;

    *lines = STR_NONE;
    if (count == 0)
        return;
    assert_true(w->type->render(&w->values, &(struct batch){points, count},
                                &w->arena, &req, &taken, &err));
    assert_int_equal(taken, count);
    assert_int_equal(req.url.len, 0);
    *lines = req.body;
}

static void test_points(void **state)
{
    const struct point *points[64];
    char path[256];
    struct json_object *root;
    struct world w;
    struct buf out;
    struct str lines;
    struct err err;
    size_t len;
    char *text;

    (void)snprintf(path, sizeof(path), FOLDER "/%s.points", (char *)*state);
    text = files_read(path, &len);
    if (!jsonr_parse(str_n(text, len), &root, &err))
        fail_msg("%s: %s", path, err.text);
    begin(&w, json_object_to_json_string(jsonr_get(root, "settings")));
    buf_init(&out, BUF_NO_LIMIT);
    render(&w, points, admit(&w, jsonr_get(root, "points"), points, &out),
           &lines);
    buf_adds(&out, lines);
    (void)snprintf(path, sizeof(path), FOLDER "/%s.lines", (char *)*state);
    assert_true(files_hold(path, buf_str(&out)));
    buf_fini(&out);
    json_object_put(root);
    free(text);
    finish(&w);
}

/*
 * The limits, with more points than a file would show well.
 */
#define MANY 250

static void many_points(struct world *w, const char *unit, unsigned values,
                        const struct point *out[MANY])
{
    struct point_value *v = arena_array(&w->arena, 1, sizeof(*v));

    *v = (struct point_value){0.1, values};
    for (size_t i = 0; i < MANY; i++) {
        char name[16];
        struct point *p;

        (void)snprintf(name, sizeof(name), "m%zu", i);
        p = points_new(&w->arena, name);
        p->unit = str_of(unit);
        p->values = v;
        p->value_count = 1;
        out[i] = p;
    }
}

struct counted {
    size_t lines, metrics, longest, most;
};

static size_t count_metrics(struct str line)
{
    size_t n = 0;

    for (size_t i = 0; i < line.len; i++)
        n += str_starts(str_from(line, i), STR("\"Name\":"));
    return n;
}

static struct counted count(struct str lines)
{
    struct counted c = {0};
    struct str line;

    while (str_next(&lines, '\n', &line) && line.len > 0) {
        size_t n = count_metrics(line);

        c.lines++;
        c.metrics += n;
        c.most = n > c.most ? n : c.most;
        c.longest = line.len + 1 > c.longest ? line.len + 1 : c.longest;
    }
    return c;
}

static void test_an_event_holds_a_hundred_metrics(void **state)
{
    const struct point *points[MANY];
    struct counted c;
    struct world w;
    struct str lines;

    (void)state;
    begin(&w, "{}");
    many_points(&w, "", 1, points);
    render(&w, points, MANY, &lines);
    c = count(lines);
    assert_int_equal(c.lines, 3);
    assert_int_equal(c.metrics, MANY);
    assert_int_equal(c.most, 100);
    finish(&w);
}

static void test_a_line_goes_into_a_pipe_whole(void **state)
{
    const struct point *points[MANY];
    struct counted c;
    struct world w;
    struct str lines;

    (void)state;
    begin(&w, "{}");
    many_points(&w, "Kilobytes/Second", 7, points);
    render(&w, points, MANY, &lines);
    c = count(lines);
    assert_int_equal(c.metrics, MANY);
    assert_true(c.longest <= EMF_LINE);
    assert_true(c.longest > EMF_LINE - 200); /* and is used up */
    finish(&w);
}

/* Dimensions alone may be longer than a line should be. */
static void test_the_longest_point_stays_below_what_an_event_may_have(
    void **state)
{
    struct label dimensions[30];
    char names[30][250], value[1024], name[255];
    struct world w;
    struct str lines;
    struct err err;
    struct point *p;

    (void)state;
    begin(&w, "{}");
    memset(value, '"', sizeof(value));
    memset(name, '"', sizeof(name));
    for (size_t i = 0; i < 30; i++) {
        memset(names[i], '"', sizeof(names[i]));
        names[i][0] = (char)('A' + i);
        dimensions[i].name = str_n(names[i], sizeof(names[i]));
        dimensions[i].value = str_n(value, sizeof(value));
    }
    p = points_new(&w.arena, "");
    p->name = str_n(name, sizeof(name));
    p->dimensions = dimensions;
    p->dimension_count = 30;
    p->values = &(struct point_value){-1.2345678901234567e-100, 101};
    p->value_count = 1;
    assert_true(w.type->admit(&w.values, p, &err));
    render(&w, (const struct point *const[]){p}, 1, &lines);
    assert_int_equal(count(lines).lines, 2);
    assert_true(count(lines).longest < (size_t)128 * 1024);
    finish(&w);
}

static void test_a_metric_is_checked_before_it_is_ever_published(void **state)
{
    struct str dimensions[] = {STR("Environment"), STR("_aws")};
    struct sink_metric m = {.name = STR("Environment"),
                            .unit = STR("Count"),
                            .dimensions = dimensions,
                            .dimension_count = 1,
                            .resolution = 60};
    struct world w;
    struct err err;

    (void)state;
    begin(&w, "{}");
    assert_false(w.type->check(&w.values, &m, &err));
    assert_string_equal(err.text,
                        "metric \"Environment\": has a dimension of the same "
                        "name, which emf cannot tell from it; rename one of "
                        "them");
    m.name = STR("JobsPerWorker");
    assert_true(w.type->check(&w.values, &m, &err));
    m.dimension_count = 2;
    assert_false(w.type->check(&w.values, &m, &err));
    assert_non_null(strstr(err.text, "dimension \"_aws\""));
    m.dimension_count = 1;
    m.name = STR("_aws");
    assert_false(w.type->check(&w.values, &m, &err));
    m.name = STR("JobsPerWorker");
    m.resolution = 10;
    assert_false(w.type->check(&w.values, &m, &err));
    finish(&w);
}

static void test_namespaces_that_aws_refuses_are_refused_at_start(void **state)
{
    char reserved[] = "AWS/ECS";
    struct world w;
    struct err err;

    (void)state;
    begin(&w, "{}");
    assert_true(w.type->prepare(&w.values, NULL, &w.arena, &err));
    w.values.namespace = reserved;
    assert_false(w.type->prepare(&w.values, NULL, &w.arena, &err));
    assert_string_equal(err.text,
                        "namespace: \"AWS/ECS\": names that begin with AWS/ "
                        "belong to AWS's own services; choose another");
    finish(&w);
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(test_an_event_holds_a_hundred_metrics),
        cmocka_unit_test(test_a_line_goes_into_a_pipe_whole),
        cmocka_unit_test(
            test_the_longest_point_stays_below_what_an_event_may_have),
        cmocka_unit_test(test_a_metric_is_checked_before_it_is_ever_published),
        cmocka_unit_test(test_namespaces_that_aws_refuses_are_refused_at_start),
    };
    char **names;
    size_t name_count = files_list(FOLDER, ".points", &names);
    size_t n = sizeof(others) / sizeof(*others);
    struct CMUnitTest *tests = xcalloc(n + name_count, sizeof(*tests));
    int failed;

    memcpy(tests, others, sizeof(others));
    for (size_t i = 0; i < name_count; i++)
        tests[n++] = (struct CMUnitTest){.name = names[i],
                                         .test_func = test_points,
                                         .initial_state = names[i]};
    failed = _cmocka_run_group_tests("emf", tests, n, NULL, NULL);
    free(tests);
    files_list_free(names, name_count);
    return failed;
}
