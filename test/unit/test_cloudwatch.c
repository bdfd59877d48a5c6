/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Points to requests and answers to verdicts, as files of
 * test/data/sinks/cloudwatch: x.points gives x.request, y.answer y.verdict.
 */
#include "agent/base/jsonr.h"
#include "agent/base/mem.h"
#include "agent/config/source.h"
#include "sinks/cloudwatch.h"
#include "test/lib/cloud.h"
#include "test/lib/files.h"
#include "test/lib/points.h"
#include "test/lib/unit.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

#define SINK "cloudwatch"

static void open_cloud(struct cloud *c, const char *settings)
{
    cloud_open(c, SINK, settings);
}

static void test_points(void **state)
{
    cloud_renders(SINK, *state);
}

/*
 * Answers to a request of four points: A is datum 1, B with 151 values datums
 * 2 and 3, C is 4, D is 5.
 */
static void sent_points(struct arena *a, const struct point **points,
                        size_t count)
{
    static const char *const names[] = {"A", "B", "C", "D"};

    for (size_t i = 0; i < count; i++) {
        struct point *p = points_new(a, names[i]);
        struct point_value *v = arena_array(a, 151, sizeof(*v));

        for (size_t k = 0; k < 151; k++)
            v[k] = (struct point_value){(double)k, 1};
        p->values = v;
        p->value_count = i == 1 ? 151 : 1;
        points[i] = p;
    }
}

static void test_answer(void **state)
{
    cloud_judges(SINK, *state, "{region: eu-west-1}", sent_points, 4);
}

/*
 * Cuts.
 */
static size_t render_some(struct cloud *c, const struct point *const *points,
                          size_t count, struct http_request *req)
{
    size_t taken = 0;
    struct err err;

    *req = (struct http_request){0};
    if (!c->type->render(c->values, &(struct batch){points, count}, &c->arena,
                         req, &taken, &err)) {
        assert_int_equal(err.kind, ERR_LIMIT);
        return 0;
    }
    return taken;
}

static const struct point **many(struct arena *a, size_t count,
                                 size_t value_count, bool short_ones)
{
    const struct point **points = arena_array(a, count, sizeof(*points));
    struct point_value *v = arena_array(a, value_count, sizeof(*v));
    size_t name_len = short_ones ? 5 : CLOUDWATCH_NAME;
    char *name = arena_zalloc(a, name_len + 1);

    memset(name, 'n', name_len);
    for (size_t i = 0; i < value_count; i++)
        v[i] = (struct point_value){
            short_ones ? (double)i : 1 / ((double)i + 3), 1};
    for (size_t i = 0; i < count; i++) {
        struct point *p = points_new(a, name);

        p->values = v;
        p->value_count = value_count;
        points[i] = p;
    }
    return points;
}

static void test_a_request_holds_a_thousand_datums(void **state)
{
    struct http_request req;
    struct cloud c;

    (void)state;
    open_cloud(&c, "{region: eu-west-1}");
    assert_int_equal(render_some(&c, many(&c.arena, 1001, 1, true), 1001, &req),
                     1000);
    /* 400 points of three datums each: 333 of them are 999 datums. */
    assert_int_equal(render_some(&c, many(&c.arena, 400, 301, true), 400, &req),
                     333);
    cloud_close(&c);
}

static void test_a_body_stays_below_a_megabyte(void **state)
{
    struct http_request req;
    struct json_object *root;
    struct cloud c;
    struct err err;
    size_t taken;

    (void)state;
    open_cloud(&c, "{region: eu-west-1}");
    taken = render_some(&c, many(&c.arena, 1000, 150, false), 1000, &req);
    assert_in_range(req.body.len, CLOUDWATCH_BODY - 5000, CLOUDWATCH_BODY);
    assert_true(jsonr_parse(req.body, &root, &err));
    assert_int_equal(json_object_array_length(jsonr_get(root, "MetricData")),
                     taken);
    json_object_put(root);
    cloud_close(&c);
}

static void test_a_point_that_fits_no_request_is_told(void **state)
{
    struct http_request req;
    struct cloud c;

    (void)state;
    open_cloud(&c, "{region: eu-west-1}");
    assert_int_equal(render_some(&c, many(&c.arena, 2, 150001, true), 2, &req),
                     0);
    cloud_close(&c);
}

static void test_a_long_body_is_zipped_and_the_zipped_bytes_are_signed(
    void **state)
{
    const struct credentials creds = {.key_id = (char[]){"AKIDEXAMPLE"},
                                      .secret = (char[]){"secret"}};
    struct http_request req;
    struct cloud c;
    struct err err;
    size_t plain;

    (void)state;
    open_cloud(&c, "{region: eu-west-1, min_compression_size: 500}");
    (void)render_some(&c, many(&c.arena, 2, 1, true), 2, &req);
    assert_true(
        c.type->sign(c.values, &creds, POINTS_NOW, &c.arena, &req, &err));
    assert_int_equal(req.body.ptr[0], '{');
    (void)render_some(&c, many(&c.arena, 9, 1, true), 9, &req);
    plain = req.body.len;
    assert_true(
        c.type->sign(c.values, &creds, POINTS_NOW, &c.arena, &req, &err));
    assert_true(req.body.len < plain);
    assert_int_equal((unsigned char)req.body.ptr[0], 0x1f);
    assert_true(str_eq(req.headers[3].name, STR("Content-Encoding")));
    assert_non_null(memmem(req.headers[req.header_count - 1].value.ptr, 200,
                           "content-encoding;", 17));
    cloud_close(&c);
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(test_a_request_holds_a_thousand_datums),
        cmocka_unit_test(test_a_body_stays_below_a_megabyte),
        cmocka_unit_test(test_a_point_that_fits_no_request_is_told),
        cmocka_unit_test(
            test_a_long_body_is_zipped_and_the_zipped_bytes_are_signed),
    };

    return cloud_run(SINK, others, sizeof(others) / sizeof(*others),
                     test_points, test_answer);
}
