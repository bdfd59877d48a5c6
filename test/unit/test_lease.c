/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/log.h"
#include "agent/base/mem.h"
#include "auth/lease.h"
#include "test/lib/sim.h"
#include "test/lib/unit.h"

#include <stdio.h>

#define URL     "http://169.254.170.2/keys"
#define WAITERS 4

static int64_t life_ms; /* of the keys that the provider reads */

static enum provide ask_start(void *state, const struct auth_env *env,
                              struct now now, struct provide_out *out)
{
    (void)state;
    (void)env;
    (void)now;
    out->ask.method = STR("GET");
    out->ask.url = arena_printf(out->arena, "%s", URL);
    return PROVIDE_ASK;
}

static enum provide ask_answer(void *state, const struct auth_env *env,
                               struct now now, const struct http_response *res,
                               const struct err *net, struct provide_out *out)
{
    (void)state;
    (void)env;
    if (net) {
        out->err = *net;
        return PROVIDE_RETRY;
    }
    if (res->status == 404)
        return PROVIDE_ABSENT;
    if (res->status != 200) {
        (void)err_set(&out->err, ERR_DENIED, "answered %d", res->status);
        return res->status == 403 ? PROVIDE_FAILED : PROVIDE_RETRY;
    }
    out->creds =
        (struct credentials){.key_id = xstrndup(res->body.ptr, res->body.len),
                             .secret = xstrdup("secret"),
                             .expires_ms = life_ms ? now.wall_ms + life_ms : 0,
                             .source = "test endpoint"};
    return PROVIDE_DONE;
}

static enum provide fixed_start(void *state, const struct auth_env *env,
                                struct now now, struct provide_out *out)
{
    (void)state;
    (void)env;
    (void)now;
    out->creds = (struct credentials){.key_id = xstrdup("FIXED"),
                                      .secret = xstrdup("secret"),
                                      .source = "fixed"};
    return PROVIDE_DONE;
}

static enum provide half_start(void *state, const struct auth_env *env,
                               struct now now, struct provide_out *out)
{
    (void)state;
    (void)env;
    (void)now;
    (void)err_set(&out->err, ERR_CONFIG, "only half of it is set");
    return PROVIDE_FAILED;
}

static enum provide absent_start(void *state, const struct auth_env *env,
                                 struct now now, struct provide_out *out)
{
    (void)state;
    (void)env;
    (void)now;
    (void)out;
    return PROVIDE_ABSENT;
}

static const struct provider_type asking = {.name = "asking",
                                            .state_size = 16,
                                            .start = ask_start,
                                            .answer = ask_answer};
static const struct provider_type fixed = {.name = "fixed",
                                           .start = fixed_start};
static const struct provider_type half = {.name = "half", .start = half_start};
static const struct provider_type absent = {.name = "absent",
                                            .start = absent_start};

struct world;

struct listener {
    struct world *world;
    struct lease_waiter waiter;
    size_t told;
    char key[32]; /* "" when there were none */
    struct err err;
    bool again, ends_lease;
};

struct world {
    struct loop *loop;
    struct http *http;
    struct lease *lease;
    struct listener who[WAITERS];
    size_t gaps, ticks, served;
    char body[32];
    int status;
};

static void quiet(void *arg, struct str line)
{
    (void)arg;
    (void)line;
}

/* Each answer is a new key: KEY1, KEY2 ... */
static void answer(void *arg, const struct http_request *req,
                   struct sim_reply *reply)
{
    struct world *w = arg;

    (void)req;
    reply->status = w->status;
    if (w->status == 0)
        reply->error = ERR_NETWORK;
    if (w->status == 200) {
        w->served++;
        (void)snprintf(w->body, sizeof(w->body), "KEY%zu", w->served);
        reply->body = str_of(w->body);
    }
}

static int setup(void **state)
{
    static struct world w;

    w = (struct world){.loop = loop_new(), .status = 200};
    w.http = http_new(w.loop, &(struct http_options){0});
    sim_on_url(w.loop, STR(URL), answer, &w);
    for (size_t i = 0; i < WAITERS; i++)
        w.who[i].world = &w;
    life_ms = WHEN_HOUR;
    log_divert(quiet, NULL);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < WAITERS; i++)
        lease_leave(&w->who[i].waiter);
    lease_free(w->lease);
    http_free(w->http);
    loop_free(w->loop);
    log_divert(NULL, NULL);
    return 0;
}

static void use(struct world *w, const struct provider_type *const *providers)
{
    const struct lease_options options = {.providers = providers,
                                          .env = &auth_env_process,
                                          .mend = "set THIS or THAT"};

    w->lease = lease_new(w->loop, w->http, &options);
}

static void hear(void *arg, const struct credentials *creds,
                 const struct err *err)
{
    struct listener *l = arg;

    l->told++;
    assert_true((creds == NULL) != (err == NULL));
    (void)snprintf(l->key, sizeof(l->key), "%s", creds ? creds->key_id : "");
    l->err = err ? *err : (struct err){0};
    if (l->ends_lease) {
        lease_free(l->world->lease);
        l->world->lease = NULL;
        if (creds) /* lent for the whole call, come what may */
            assert_string_equal(creds->secret, "secret");
    }
    if (l->again) {
        l->again = false;
        lease_wait(l->world->lease, &l->waiter, hear, l);
    }
}

static void wait_for(struct world *w, size_t i)
{
    lease_wait(w->lease, &w->who[i].waiter, hear, &w->who[i]);
}

static const struct provider_type *const only_asking[] = {&asking, NULL};

static void test_all_who_wait_share_one_fetch(void **state)
{
    struct world *w = *state;

    use(w, only_asking);
    for (size_t i = 0; i < WAITERS; i++)
        wait_for(w, i);
    sim_run_for(w->loop, WHEN_SECOND);
    assert_int_equal(sim_request_count(w->loop), 1);
    for (size_t i = 0; i < WAITERS; i++) {
        assert_int_equal(w->who[i].told, 1);
        assert_string_equal(w->who[i].key, "KEY1");
    }
}

static void test_nobody_is_told_from_inside_the_wait(void **state)
{
    static const struct provider_type *const list[] = {&fixed, NULL};
    struct world *w = *state;

    use(w, list);
    wait_for(w, 0);
    assert_int_equal(w->who[0].told, 0);
    sim_run_for(w->loop, 0);
    assert_int_equal(w->who[0].told, 1);
    wait_for(w, 0);
    assert_int_equal(w->who[0].told, 1);
    sim_run_for(w->loop, 0);
    assert_int_equal(w->who[0].told, 2);
    assert_string_equal(w->who[0].key, "FIXED");
}

/* Somebody asks every minute; whoever gets nothing at once is a gap. */
static void tick_for(struct world *w, int64_t ms)
{
    int64_t end = loop_now(w->loop).mono_ms + ms;

    while (loop_now(w->loop).mono_ms < end) {
        size_t before = w->who[0].told;

        w->ticks++;
        wait_for(w, 0);
        sim_run_for(w->loop, w->ticks == 1 ? WHEN_SECOND : 0);
        if (w->who[0].told != before + 1 || !w->who[0].key[0])
            w->gaps++;
        lease_leave(&w->who[0].waiter);
        sim_run_for(w->loop, WHEN_MINUTE);
    }
}

static void test_a_day_of_renewals_leaves_no_gap(void **state)
{
    struct world *w = *state;

    use(w, only_asking);
    tick_for(w, WHEN_DAY);
    assert_int_equal(w->gaps, 0);
    /* An hour's keys are renewed 10 to 20 minutes ahead. */
    assert_in_range(w->served, 24 * 60 / 50, 24 * 60 / 40 + 1);
    assert_int_equal(w->served, sim_request_count(w->loop));
}

static void test_keys_without_an_end_are_fetched_once(void **state)
{
    struct world *w = *state;

    life_ms = 0;
    use(w, only_asking);
    tick_for(w, WHEN_DAY);
    assert_int_equal(w->gaps, 0);
    assert_int_equal(w->served, 1);
    assert_int_equal(sim_timers(w->loop), 0);
}

static void test_a_failing_renewal_keeps_the_valid_value(void **state)
{
    struct world *w = *state;

    use(w, only_asking);
    tick_for(w, 30 * WHEN_MINUTE);
    w->status = 500;
    tick_for(w, 29 * WHEN_MINUTE);
    assert_int_equal(w->gaps, 0);
    assert_string_equal(w->who[0].key, "KEY1");
    assert_true(sim_request_count(w->loop) > 5); /* it kept trying */
    w->status = 200;
    tick_for(w, 5 * WHEN_MINUTE);
    assert_int_equal(w->gaps, 0);
    assert_string_equal(w->who[0].key, "KEY2");
}

static void test_an_expired_value_is_offered_while_no_new_one_comes(
    void **state)
{
    struct world *w = *state;

    use(w, only_asking);
    tick_for(w, WHEN_MINUTE);
    w->status = 0;
    sim_run_for(w->loop, 3 * WHEN_HOUR);
    wait_for(w, 1);
    sim_run_for(w->loop, 5 * WHEN_MINUTE);
    assert_int_equal(w->who[1].told, 1);
    assert_string_equal(w->who[1].key, "KEY1");
}

static void test_a_refused_value_is_never_offered_again(void **state)
{
    struct world *w = *state;

    use(w, only_asking);
    tick_for(w, WHEN_MINUTE);
    lease_refused(w->lease);
    assert_null(lease_current(w->lease));
    w->status = 503;
    wait_for(w, 1);
    sim_run_for(w->loop, 5 * WHEN_MINUTE);
    assert_int_equal(w->who[1].told, 1);
    assert_string_equal(w->who[1].key, "");
    w->status = 200;
    wait_for(w, 1);
    sim_run_for(w->loop, WHEN_SECOND);
    assert_string_equal(w->who[1].key, "KEY2");
}

static void test_refusal_between_answer_and_telling_fetches_anew(void **state)
{
    struct world *w = *state;

    use(w, only_asking);
    tick_for(w, WHEN_MINUTE);
    wait_for(w, 1);
    lease_refused(w->lease);
    sim_run_for(w->loop, WHEN_SECOND);
    assert_int_equal(w->who[1].told, 1);
    assert_string_equal(w->who[1].key, "KEY2");
}

static void test_those_who_wait_are_told_after_three_tries(void **state)
{
    struct world *w = *state;

    w->status = 500;
    use(w, only_asking);
    wait_for(w, 0);
    wait_for(w, 1);
    sim_run_for(w->loop, WHEN_HOUR);
    assert_int_equal(sim_request_count(w->loop), 3);
    assert_int_equal(w->who[0].told, 1);
    assert_int_equal(w->who[1].told, 1);
    assert_string_equal(w->who[0].err.text, "asking: answered 500");
    assert_int_equal(sim_timers(w->loop), 0);
}

static void test_what_fails_for_good_is_told_at_once(void **state)
{
    struct world *w = *state;

    w->status = 403;
    use(w, only_asking);
    wait_for(w, 0);
    sim_run_for(w->loop, WHEN_SECOND);
    assert_int_equal(w->who[0].told, 1);
    assert_string_equal(w->who[0].err.text, "asking: answered 403");
}

static void test_the_first_configured_provider_wins_even_when_it_fails(
    void **state)
{
    static const struct provider_type *const list[] = {&absent, &half, &fixed,
                                                       NULL};
    struct world *w = *state;

    use(w, list);
    wait_for(w, 0);
    sim_run_for(w->loop, WHEN_SECOND);
    assert_string_equal(w->who[0].key, "");
    assert_string_equal(w->who[0].err.text, "half: only half of it is set");
}

static void test_a_provider_may_find_itself_absent_by_an_answer(void **state)
{
    static const struct provider_type *const list[] = {&asking, &fixed, NULL};
    struct world *w = *state;

    w->status = 404;
    use(w, list);
    wait_for(w, 0);
    sim_run_for(w->loop, WHEN_SECOND);
    assert_string_equal(w->who[0].key, "FIXED");
}

static void test_without_any_provider_the_mend_is_told(void **state)
{
    static const struct provider_type *const list[] = {&absent, NULL};
    struct world *w = *state;

    use(w, list);
    wait_for(w, 0);
    sim_run_for(w->loop, WHEN_SECOND);
    assert_int_equal(w->who[0].err.kind, ERR_CONFIG);
    assert_string_equal(w->who[0].err.text, "set THIS or THAT");
}

static void test_one_who_left_is_not_told(void **state)
{
    struct world *w = *state;

    use(w, only_asking);
    wait_for(w, 0);
    wait_for(w, 1);
    lease_leave(&w->who[0].waiter);
    sim_run_for(w->loop, WHEN_SECOND);
    assert_int_equal(w->who[0].told, 0);
    assert_int_equal(w->who[1].told, 1);
}

static void test_one_may_wait_again_when_told(void **state)
{
    struct world *w = *state;

    use(w, only_asking);
    w->who[0].again = true;
    wait_for(w, 0);
    sim_run_for(w->loop, WHEN_SECOND);
    assert_int_equal(w->who[0].told, 2);
}

static void test_the_lease_may_end_while_it_tells(void **state)
{
    struct world *w = *state;

    use(w, only_asking);
    w->who[0].ends_lease = true;
    wait_for(w, 0);
    wait_for(w, 1);
    sim_run_for(w->loop, WHEN_SECOND);
    assert_int_equal(w->who[0].told, 1);
    assert_int_equal(w->who[1].told, 1);
    assert_null(w->lease);
}

static void test_the_lease_may_end_in_the_middle_of_a_fetch(void **state)
{
    struct world *w = *state;

    use(w, only_asking);
    wait_for(w, 0);
    lease_free(w->lease);
    w->lease = NULL;
    sim_run_for(w->loop, WHEN_MINUTE);
    assert_int_equal(w->who[0].told, 0);
}

static void test_keys_that_come_expired_are_used_and_asked_for_later(
    void **state)
{
    struct world *w = *state;

    life_ms = -WHEN_MINUTE;
    use(w, only_asking);
    tick_for(w, WHEN_HOUR);
    assert_int_equal(w->gaps, 0);
    assert_in_range(w->served, 2, 5); /* every 17 to 25 minutes */
}

static void test_short_lived_keys_are_renewed_at_half_of_their_life(
    void **state)
{
    struct world *w = *state;

    life_ms = 4 * WHEN_MINUTE;
    use(w, only_asking);
    tick_for(w, 20 * WHEN_MINUTE);
    assert_int_equal(w->gaps, 0);
    assert_in_range(w->served, 9, 12);
}

static void test_a_stepping_wall_clock_ends_no_value_early(void **state)
{
    struct world *w = *state;

    use(w, only_asking);
    tick_for(w, WHEN_MINUTE);
    sim_step_wall(w->loop, WHEN_DAY);
    tick_for(w, 10 * WHEN_MINUTE);
    assert_int_equal(w->gaps, 0);
    assert_int_equal(w->served, 1);
}

static void test_a_fault_at_any_call_costs_no_one_the_answer(void **state)
{
    struct world *w = *state;

    use(w, only_asking);
    tick_for(w, WHEN_MINUTE);
    for (size_t nth = 1; nth < 4; nth++) {
        sim_fail_nth(w->loop, nth);
        tick_for(w, 5 * WHEN_HOUR);
        assert_true(sim_failed(w->loop));
        assert_int_equal(w->gaps, 0);
    }
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_all_who_wait_share_one_fetch),
        T(test_nobody_is_told_from_inside_the_wait),
        T(test_a_day_of_renewals_leaves_no_gap),
        T(test_keys_without_an_end_are_fetched_once),
        T(test_a_failing_renewal_keeps_the_valid_value),
        T(test_an_expired_value_is_offered_while_no_new_one_comes),
        T(test_a_refused_value_is_never_offered_again),
        T(test_refusal_between_answer_and_telling_fetches_anew),
        T(test_those_who_wait_are_told_after_three_tries),
        T(test_what_fails_for_good_is_told_at_once),
        T(test_the_first_configured_provider_wins_even_when_it_fails),
        T(test_a_provider_may_find_itself_absent_by_an_answer),
        T(test_without_any_provider_the_mend_is_told),
        T(test_one_who_left_is_not_told),
        T(test_one_may_wait_again_when_told),
        T(test_the_lease_may_end_while_it_tells),
        T(test_the_lease_may_end_in_the_middle_of_a_fetch),
        T(test_keys_that_come_expired_are_used_and_asked_for_later),
        T(test_short_lived_keys_are_renewed_at_half_of_their_life),
        T(test_a_stepping_wall_clock_ends_no_value_early),
        T(test_a_fault_at_any_call_costs_no_one_the_answer),
    };

    return cmocka_run_group_tests_name("lease", tests, NULL, NULL);
}
