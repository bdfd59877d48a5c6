/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/log.h"
#include "agent/deliver/outbox.h"
#include "test/lib/sim.h"
#include "test/lib/unit.h"

#include <stdio.h>

#define URL "http://cloud.test/"

/*
 * A cloud for tests: takes at most `most` points a request, writes one name a
 * line, and means by its status what the verdicts are.
 */
struct cloud_conf {
    size_t most;
    const char *poison; /* a name that is always refused */
};

static bool cloud_render(const void *conf, const struct batch *batch,
                         struct arena *arena, struct http_request *req,
                         size_t *taken, struct err *err)
{
    const struct cloud_conf *c = conf;
    struct str body = STR_NONE;

    (void)err;
    *taken = batch->count < c->most ? batch->count : c->most;
    for (size_t i = 0; i < *taken; i++)
        body = arena_printf(arena, "%.*s%.*s=%g@%lld\n", STR_ARG(body),
                            STR_ARG(batch->points[i]->name),
                            batch->points[i]->newest,
                            (long long)batch->points[i]->t_ms);
    req->method = STR("POST");
    req->url = STR(URL);
    req->body = body;
    req->timeout_ms = 5000;
    return true;
}

/* What is called "old" is behind a newer one, "slow" may be taken later. */
static void sort_out(const struct batch *sent, struct arena *arena,
                     struct verdict *v)
{
    size_t *old = arena_array(arena, sent->count, sizeof(*old));
    size_t *slow = arena_array(arena, sent->count, sizeof(*slow));

    v->kind = VERDICT_PARTIAL;
    v->rest_delivered = true;
    v->superseded = old;
    v->again = slow;
    for (size_t i = 0; i < sent->count; i++) {
        if (str_eqz(sent->points[i]->name, "old"))
            old[v->superseded_count++] = i;
        if (str_eqz(sent->points[i]->name, "slow"))
            slow[v->again_count++] = i;
    }
}

static void cloud_judge(const void *conf, const struct http_response *res,
                        const struct batch *sent, int64_t now_ms,
                        struct arena *arena, struct verdict *v)
{
    const struct cloud_conf *c = conf;
    size_t *bad = arena_array(arena, sent->count, sizeof(*bad));

    (void)now_ms;
    (void)err_set(&v->err, ERR_INPUT, "status %d", res->status);
    v->bad = bad;
    for (size_t i = 0; c->poison && i < sent->count; i++)
        if (str_eqz(sent->points[i]->name, c->poison))
            bad[v->bad_count++] = i;
    switch (res->status) {
    case 200:
        v->kind = VERDICT_ACCEPTED;
        break;
    case 207:
        v->kind = v->bad_count ? VERDICT_PARTIAL : VERDICT_ACCEPTED;
        v->rest_delivered = true;
        break;
    case 209:
        sort_out(sent, arena, v);
        break;
    case 400:
        v->kind = v->bad_count ? VERDICT_REJECTED : VERDICT_ACCEPTED;
        break;
    case 403:
        v->kind = VERDICT_REJECTED;
        v->denied = true;
        break;
    case 412:
        v->kind = VERDICT_CLOCK;
        break;
    case 413:
        v->kind = sent->count > 2 ? VERDICT_SPLIT : VERDICT_ACCEPTED;
        break;
    case 422:
        v->kind = v->bad_count ? VERDICT_PARTIAL : VERDICT_ACCEPTED;
        break;
    case 429:
        v->kind = VERDICT_RETRY;
        v->throttled = true;
        v->after_ms = 7000;
        break;
    default:
        v->kind = VERDICT_RETRY;
    }
}

static bool cloud_admit(const void *conf, const struct point *point,
                        struct err *err)
{
    (void)conf;
    if (point->newest < 1e6)
        return true;
    return err_set(err, ERR_INPUT, "the value is over 1e6");
}

static const struct sink_type cloud = {
    .name = "cloud",
    .oldest_ms = 2 * WHEN_HOUR,
    .ahead_ms = WHEN_HOUR,
    .admit = cloud_admit,
    .render = cloud_render,
    .judge = cloud_judge,
};

/* A sink that asks nobody: what it renders is written here. */
static bool local_render(const void *conf, const struct batch *batch,
                         struct arena *arena, struct http_request *req,
                         size_t *taken, struct err *err)
{
    bool ok = cloud_render(conf, batch, arena, req, taken, err);

    req->url = STR_NONE;
    return ok;
}

static const struct sink_type local = {
    .name = "local",
    .render = local_render,
    .judge = cloud_judge,
};

/* Takes one point of a series every five seconds, the newest. */
static const struct sink_type gauges = {
    .name = "gauges",
    .newest_wins = true,
    .least_gap_ms = 5000,
    .render = cloud_render,
    .judge = cloud_judge,
};

/*
 * The fixture: one outbox, what ended how, and the cloud's answers.
 */
struct world {
    struct loop *loop;
    struct http *http;
    struct outbox *box;
    struct cloud_conf conf;
    int status;         /* of the next answers */
    int failures;       /* so many answers are 503, or writes fail, first */
    struct buf written; /* by a local sink */
    const char *date;   /* header Date, or NULL */
    char ends[4096];    /* "name:reason " in order */
    bool flushed;
    char log[8192];
};

static void answer(void *arg, const struct http_request *req,
                   struct sim_reply *reply)
{
    struct world *w = arg;

    (void)req;
    reply->status = w->failures > 0 ? 503 : w->status;
    if (w->failures > 0)
        w->failures--;
    if (w->date)
        sim_reply_header(reply, STR("Date"), str_of(w->date));
}

static void ended(void *arg, const struct point *p, enum outbox_end end,
                  const struct err *why)
{
    struct world *w = arg;
    size_t n = strlen(w->ends);

    (void)why;
    if (str_eqz(p->name, "later"))
        return; /* counted by the stats */
    (void)snprintf(w->ends + n, sizeof(w->ends) - n, "%.*s:%s ",
                   STR_ARG(p->name), outbox_end_name(end));
}

static void keep_log(void *arg, struct str line)
{
    struct world *w = arg;
    size_t n = strlen(w->log);

    (void)snprintf(w->log + n, sizeof(w->log) - n, "%.*s\n", STR_ARG(line));
}

static void on_flushed(void *arg)
{
    struct world *w = arg;

    w->flushed = true;
}

static bool write_locally(void *arg, struct str bytes, struct err *err)
{
    struct world *w = arg;

    if (w->failures-- > 0)
        return err_set(err, ERR_INPUT, "no space left");
    buf_adds(&w->written, bytes);
    return true;
}

static void begin_with(struct world *w, const struct sink_type *type)
{
    struct outbox_options o = {.type = type,
                               .conf = &w->conf,
                               .deliver = {.max_age_ms = 15 * WHEN_MINUTE,
                                           .max_bytes = 1 << 20,
                                           .retry_min_ms = 1000,
                                           .retry_max_ms = 30000},
                               .ended = ended,
                               .write = write_locally,
                               .arg = w};

    *w = (struct world){.conf = {.most = 100}, .status = 200};
    buf_init(&w->written, 4096);
    log_divert(keep_log, w);
    w->loop = loop_new();
    w->http = http_new(w->loop, &(struct http_options){.max_connections = 4});
    sim_on_url(w->loop, STR(URL), answer, w);
    o.loop = w->loop;
    o.http = w->http;
    w->box = outbox_new(&o);
}

static void begin(struct world *w)
{
    begin_with(w, &cloud);
}

static void finish(struct world *w)
{
    outbox_free(w->box);
    http_free(w->http);
    loop_free(w->loop);
    log_divert(NULL, NULL);
    buf_fini(&w->written);
}

static void add(struct world *w, const char *name, double v, int64_t age_ms)
{
    struct point_value value = {v, 1};
    int64_t t = loop_now(w->loop).wall_ms - age_ms;
    struct point p = {.name = str_of(name),
                      .unit = STR("Count"),
                      .values = &value,
                      .value_count = 1,
                      .newest = v,
                      .start_ms = t,
                      .t_ms = t,
                      .resolution = 60};
    const struct point *points[] = {&p};

    outbox_add(w->box, &(struct batch){points, 1});
}

static void test_what_is_added_is_sent_once(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    add(&w, "a", 7, 0);
    sim_run_for(w.loop, WHEN_HOUR);
    assert_int_equal(sim_request_count(w.loop), 1);
    assert_string_equal(w.ends, "a:accepted ");
    assert_true(outbox_empty(w.box));
    assert_int_equal(outbox_stats(w.box)->ended[OUTBOX_ACCEPTED], 1);
    finish(&w);
}

static void test_what_cannot_be_written_is_told_and_written_later(void **state)
{
    struct world w;

    (void)state;
    begin_with(&w, &local);
    w.failures = 3;
    add(&w, "a", 7, 0);
    sim_run_for(w.loop, 50);
    assert_non_null(strstr(w.log, "no space left"));
    assert_false(outbox_stats(w.box)->healthy);
    assert_string_equal(w.ends, "");
    sim_run_for(w.loop, WHEN_MINUTE);
    assert_string_equal(w.ends, "a:accepted ");
    assert_non_null(strstr(w.log, "sink_recovered"));
    assert_int_equal(str_find(buf_str(&w.written), '='), 1);
    assert_int_equal(outbox_stats(w.box)->failures, 3);
    finish(&w);
}

static void test_a_failed_request_is_repeated_until_it_is_in(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    w.failures = 5;
    add(&w, "a", 7, 0);
    sim_run_for(w.loop, 10 * WHEN_MINUTE);
    assert_int_equal(sim_request_count(w.loop), 6);
    assert_string_equal(w.ends, "a:accepted ");
    assert_non_null(strstr(w.log, "sink_failed"));
    assert_non_null(strstr(w.log, "sink_recovered"));
    finish(&w);
}

static void test_each_of_a_request_meets_its_own_fate(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    w.status = 209;
    w.conf.poison = "bad";
    /* One request: what comes while the first is under way. */
    add(&w, "good", 7, 4000);
    add(&w, "old", 7, 3000);
    add(&w, "slow", 7, 2000);
    add(&w, "bad", 7, 1000);
    sim_run_for(w.loop, 500);
    assert_non_null(strstr(w.ends, "good:accepted "));
    assert_non_null(strstr(w.ends, "old:superseded "));
    assert_non_null(strstr(w.ends, "bad:rejected "));
    assert_null(strstr(w.ends, "slow:"));
    assert_false(outbox_empty(w.box));
    w.status = 200;
    sim_run_for(w.loop, WHEN_MINUTE);
    assert_non_null(strstr(w.ends, "slow:accepted "));
    assert_true(outbox_empty(w.box));
    finish(&w);
}

static void test_a_dead_cloud_is_told_once_not_at_every_try(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    w.failures = 8;
    add(&w, "a", 7, 0);
    sim_run_for(w.loop, 10 * WHEN_MINUTE);
    assert_non_null(strstr(w.log, "sink_failed"));
    assert_null(strstr(strstr(w.log, "sink_failed") + 1, "sink_failed"));
    finish(&w);
}

static void test_waits_grow_and_stay_below_the_longest(void **state)
{
    struct world w;
    int64_t last = 0;

    (void)state;
    begin(&w);
    w.failures = 1000;
    add(&w, "a", 7, 0);
    sim_run_for(w.loop, 14 * WHEN_MINUTE);
    assert_in_range(sim_request_count(w.loop), 20, 200);
    for (size_t i = 0; i < sim_request_count(w.loop); i++) {
        int64_t at = sim_request(w.loop, i)->at.mono_ms;

        assert_true(i == 0 || at - last <= 30000 + 10);
        last = at;
    }
    finish(&w);
}

static void test_a_point_that_gets_too_old_is_dropped_and_named(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    w.failures = 100000;
    add(&w, "a", 7, 0);
    sim_run_for(w.loop, 16 * WHEN_MINUTE);
    assert_string_equal(w.ends, "a:too_old ");
    assert_non_null(strstr(w.log, "point_dropped"));
    assert_non_null(strstr(w.log, "metric=a"));
    assert_non_null(strstr(w.log, "status 503"));
    assert_true(outbox_empty(w.box));
    finish(&w);
}

static void test_what_is_ahead_of_the_window_is_dropped(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    add(&w, "future", 7, -2 * WHEN_HOUR);
    sim_run_for(w.loop, WHEN_MINUTE);
    assert_string_equal(w.ends, "future:too_new ");
    assert_int_equal(sim_request_count(w.loop), 0);
    finish(&w);
}

static void test_after_an_outage_the_newest_goes_first(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    w.conf.most = 1;
    w.failures = 1;
    add(&w, "first", 1, 0);
    sim_run_for(w.loop, 50);
    sim_step_wall(w.loop, 1000);
    add(&w, "second", 2, 0);
    sim_step_wall(w.loop, 1000);
    add(&w, "third", 3, 0);
    sim_run_for(w.loop, WHEN_MINUTE);
    assert_string_equal(w.ends, "third:accepted second:accepted "
                                "first:accepted ");
    finish(&w);
}

static void test_a_full_queue_loses_its_oldest_and_says_so(void **state)
{
    struct world w;
    char name[16];

    (void)state;
    begin(&w);
    w.failures = 100000;
    for (int i = 0; i < 20000; i++) {
        (void)snprintf(name, sizeof(name), "m%d", i % 3);
        add(&w, name, i, 0);
    }
    assert_true(outbox_stats(w.box)->ended[OUTBOX_CROWDED] > 0);
    assert_true(outbox_stats(w.box)->queued_bytes <= 1 << 20);
    assert_int_equal(outbox_stats(w.box)->queued +
                         outbox_stats(w.box)->ended[OUTBOX_CROWDED],
                     20000);
    assert_non_null(strstr(w.log, "queue_full"));
    finish(&w);
}

static void test_a_crowded_queue_never_drops_what_is_on_its_way(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    add(&w, "on_its_way", 1, 1000);
    sim_run_for(w.loop, 0);
    assert_int_equal(sim_running(w.loop), 1);
    for (int i = 0; i < 20000; i++)
        add(&w, "later", i, 0);
    sim_run_for(w.loop, 1);
    assert_non_null(strstr(w.ends, "on_its_way:accepted"));
    sim_run_for(w.loop, WHEN_HOUR);
    finish(&w);
}

static void test_what_cannot_be_sent_is_refused_and_the_rest_goes(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    add(&w, "huge", 1e9, 0);
    add(&w, "good", 1, 0);
    sim_run_for(w.loop, WHEN_MINUTE);
    assert_string_equal(w.ends, "huge:unsendable good:accepted ");
    finish(&w);
}

static void poison_case(int status, const char *want, size_t requests)
{
    struct world w;

    begin(&w);
    w.status = status;
    w.conf.poison = "bad";
    add(&w, "a", 1, 0);
    add(&w, "bad", 2, 0);
    add(&w, "c", 3, 0);
    sim_run_for(w.loop, WHEN_MINUTE);
    assert_string_equal(w.ends, want);
    assert_int_equal(sim_request_count(w.loop), requests);
    assert_int_equal(outbox_stats(w.box)->ended[OUTBOX_REJECTED], 1);
    assert_int_equal(outbox_stats(w.box)->ended[OUTBOX_ACCEPTED], 2);
    finish(&w);
}

static void test_a_named_point_is_dropped_and_the_rest_counts_as_in(
    void **state)
{
    (void)state;
    poison_case(207, "bad:rejected c:accepted a:accepted ", 1);
}

static void test_a_named_point_is_dropped_and_the_rest_is_resent(void **state)
{
    (void)state;
    poison_case(422, "bad:rejected c:accepted a:accepted ", 2);
}

static void test_an_unnamed_poison_point_is_found_by_cutting(void **state)
{
    (void)state;
    poison_case(400, "c:accepted bad:rejected a:accepted ", 5);
}

static void test_a_body_that_is_too_large_is_cut(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    w.status = 413;
    for (int i = 0; i < 8; i++)
        add(&w, "m", i, 0);
    sim_run_for(w.loop, WHEN_MINUTE);
    assert_int_equal(outbox_stats(w.box)->ended[OUTBOX_ACCEPTED], 8);
    finish(&w);
}

static void test_throttling_waits_as_long_as_the_cloud_says(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    w.status = 429;
    add(&w, "a", 1, 0);
    sim_run_for(w.loop, 6000);
    assert_int_equal(sim_request_count(w.loop), 1);
    w.status = 200;
    sim_run_for(w.loop, 2 * WHEN_MINUTE);
    assert_string_equal(w.ends, "a:accepted ");
    assert_true(sim_request(w.loop, 1)->at.mono_ms -
                    sim_request(w.loop, 0)->at.mono_ms >=
                7000);
    assert_int_equal(outbox_stats(w.box)->throttled, 1);
    finish(&w);
}

static void test_a_missing_permission_keeps_the_points_until_granted(
    void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    w.status = 403;
    add(&w, "a", 1, 0);
    sim_run_for(w.loop, 5 * WHEN_MINUTE);
    assert_string_equal(w.ends, "");
    assert_in_range(sim_request_count(w.loop), 2, 12);
    w.status = 200;
    sim_run_for(w.loop, WHEN_MINUTE);
    assert_string_equal(w.ends, "a:accepted ");
    finish(&w);
}

static void test_a_wrong_clock_is_corrected_from_date(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    w.status = 412;
    w.date = "Thu, 01 Jan 2026 00:10:00 GMT";
    add(&w, "a", 1, 0);
    sim_run_for(w.loop, 1);
    w.status = 200;
    sim_run_for(w.loop, WHEN_MINUTE);
    assert_string_equal(w.ends, "a:accepted ");
    assert_in_range(outbox_stats(w.box)->skew_ms, 599000, 600000);
    finish(&w);
}

static void test_a_flush_ends_when_all_is_in(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    add(&w, "a", 1, 0);
    outbox_flush(w.box, loop_now(w.loop).mono_ms + 8000, on_flushed, &w);
    sim_run_for(w.loop, 10);
    assert_true(w.flushed);
    assert_string_equal(w.ends, "a:accepted ");
    finish(&w);
}

static void test_a_flush_against_a_dead_cloud_ends_at_its_deadline(void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    w.failures = 100000;
    add(&w, "a", 1, 0);
    outbox_flush(w.box, loop_now(w.loop).mono_ms + 8000, on_flushed, &w);
    sim_run_for(w.loop, 7999);
    assert_false(w.flushed);
    assert_in_range(sim_request_count(w.loop), 2, 80);
    sim_run_for(w.loop, 1);
    assert_true(w.flushed);
    finish(&w);
}

static void test_an_empty_flush_ends_at_once_but_not_inside_the_call(
    void **state)
{
    struct world w;

    (void)state;
    begin(&w);
    outbox_flush(w.box, loop_now(w.loop).mono_ms + 8000, on_flushed, &w);
    assert_false(w.flushed);
    sim_run_for(w.loop, 0);
    assert_true(w.flushed);
    finish(&w);
}

static void test_where_the_newest_wins_older_points_that_wait_are_left_out(
    void **state)
{
    struct world w;

    (void)state;
    begin_with(&w, &gauges);
    w.failures = 1;
    add(&w, "a", 1, 0);
    sim_run_for(w.loop, 10);
    add(&w, "a", 2, 0);
    add(&w, "b", 9, 0);
    sim_run_for(w.loop, WHEN_MINUTE);
    assert_string_equal(w.ends, "a:superseded b:accepted a:accepted ");
    assert_int_equal(sim_request_count(w.loop), 2);
    assert_non_null(memmem(sim_request_last(w.loop)->req->body.ptr,
                           sim_request_last(w.loop)->req->body.len, "a=2", 3));
    assert_null(strstr(w.log, "point_dropped"));
    finish(&w);
}

static void test_two_points_of_a_series_keep_their_distance_even_at_the_end(
    void **state)
{
    struct world w;

    (void)state;
    begin_with(&w, &gauges);
    add(&w, "a", 1, 0);
    sim_run_for(w.loop, 2000);
    add(&w, "a", 2, 0);
    add(&w, "b", 3, 0);
    outbox_flush(w.box, loop_now(w.loop).mono_ms + 8000, on_flushed, &w);
    sim_run_for(w.loop, 10);
    assert_true(w.flushed);
    assert_string_equal(w.ends, "a:accepted a:superseded b:accepted ");
    sim_run_for(w.loop, 3000);
    add(&w, "a", 4, 0);
    sim_run_for(w.loop, 10);
    assert_int_equal(outbox_stats(w.box)->ended[OUTBOX_ACCEPTED], 3);
    finish(&w);
}

/* Every call of a delivery is made to fail in turn; nothing is lost. */
static void test_whichever_call_fails_every_point_is_accounted_for(void **state)
{
    bool reached = true;

    (void)state;
    for (size_t n = 1; reached && n < 50; n++) {
        struct world w;

        begin(&w);
        w.conf.most = 2;
        sim_fail_nth(w.loop, n);
        for (int i = 0; i < 7; i++)
            add(&w, "m", i, i * 1000);
        sim_run_for(w.loop, 5 * WHEN_MINUTE);
        reached = sim_failed(w.loop);
        assert_int_equal(outbox_stats(w.box)->ended[OUTBOX_ACCEPTED], 7);
        assert_true(outbox_empty(w.box));
        finish(&w);
    }
    assert_false(reached);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_added_is_sent_once),
        cmocka_unit_test(test_what_cannot_be_written_is_told_and_written_later),
        cmocka_unit_test(test_a_failed_request_is_repeated_until_it_is_in),
        cmocka_unit_test(test_each_of_a_request_meets_its_own_fate),
        cmocka_unit_test(test_a_dead_cloud_is_told_once_not_at_every_try),
        cmocka_unit_test(test_waits_grow_and_stay_below_the_longest),
        cmocka_unit_test(test_a_point_that_gets_too_old_is_dropped_and_named),
        cmocka_unit_test(test_what_is_ahead_of_the_window_is_dropped),
        cmocka_unit_test(test_after_an_outage_the_newest_goes_first),
        cmocka_unit_test(test_a_full_queue_loses_its_oldest_and_says_so),
        cmocka_unit_test(test_a_crowded_queue_never_drops_what_is_on_its_way),
        cmocka_unit_test(test_what_cannot_be_sent_is_refused_and_the_rest_goes),
        cmocka_unit_test(
            test_a_named_point_is_dropped_and_the_rest_counts_as_in),
        cmocka_unit_test(test_a_named_point_is_dropped_and_the_rest_is_resent),
        cmocka_unit_test(test_an_unnamed_poison_point_is_found_by_cutting),
        cmocka_unit_test(test_a_body_that_is_too_large_is_cut),
        cmocka_unit_test(test_throttling_waits_as_long_as_the_cloud_says),
        cmocka_unit_test(
            test_a_missing_permission_keeps_the_points_until_granted),
        cmocka_unit_test(test_a_wrong_clock_is_corrected_from_date),
        cmocka_unit_test(test_a_flush_ends_when_all_is_in),
        cmocka_unit_test(
            test_a_flush_against_a_dead_cloud_ends_at_its_deadline),
        cmocka_unit_test(
            test_an_empty_flush_ends_at_once_but_not_inside_the_call),
        cmocka_unit_test(
            test_where_the_newest_wins_older_points_that_wait_are_left_out),
        cmocka_unit_test(
            test_two_points_of_a_series_keep_their_distance_even_at_the_end),
        cmocka_unit_test(
            test_whichever_call_fails_every_point_is_accounted_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
