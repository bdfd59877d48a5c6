/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/entra.h"
#include "auth/entra_token.h"
#include "auth/jwt.h"
#include "test/lib/unit.h"

#include <json-c/json.h>

/*
 * Options.
 */
static void assert_refused(const struct entra_options *o, const char *part)
{
    struct err err;

    assert_false(entra_options_check(o, &err));
    assert_non_null(strstr(err.text, part));
}

static void test_options_that_contradict_each_other_are_refused(void **state)
{
    const struct entra_options good = {.credential = STR("imds"),
                                       .object_id = STR("o")};
    const struct entra_options two = {.client_id = STR("c"),
                                      .resource_id = STR("r")};
    const struct entra_options odd = {.credential = STR("cli")};
    struct err err;

    (void)state;
    assert_true(entra_options_check(&good, &err));
    assert_refused(&two, "leave one of them");
    assert_refused(&odd, "\"cli\" is none of auto");
}

static void test_a_token_tells_who_we_are(void **state)
{
    /* {"aud":"u","appid":"a","oid":"o","tid":"t"} */
    struct str who,
        token = STR(
            "e30.eyJhdWQiOiJ1IiwiYXBwaWQiOiJhIiwib2lkIjoibyIsInRpZCI6InQifQ.s");
    struct arena arena;
    struct err err;

    (void)state;
    arena_init(&arena, 256);
    assert_true(entra_who(token, &arena, &who, &err));
    assert_true(str_eqz(who, "application a, object o, tenant t, audience u"));
    assert_false(entra_who(STR("opaque"), &arena, &who, &err));
    assert_string_equal(err.text, "the token: is no JSON Web Token");
    arena_fini(&arena);
}

static void test_an_end_is_read_in_each_form_and_no_other(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds; /* 0: none */
    } all[] = {{"1767225600", 1767225600},
               {"1767225600.5", 1767225600},
               {"2026-01-01T00:00:00Z", 1767225600},
               {"2026-01-01T02:00:00+02:00", 1767225600},
               {"01/01/2026 00:00:00", 1767225600},
               {"1/1/2026 12:00:00 PM +00:00", 1767268800},
               {"1/1/2026 12:00:00 AM +00:00", 1767225600},
               {"2026-01-01 00:00:00", 1767225600},
               {"13/01/2026 00:00:00", 0},
               {"1/1/2026 13:00:00 PM", 0},
               {"1/1/2026 1:00:00 XM", 0},
               {"2026-01-01 00:00:00 +02:00", 0},
               {"0", 0},
               {"-5", 0},
               {"99999999999999", 0},
               {"NaN", 0},
               {"soon", 0},
               {"", 0}};

    (void)state;
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        int64_t ms = 0;
        bool ok = entra_expires_on(str_of(all[i].text), &ms);

        if (ok != (all[i].seconds != 0) ||
            (ok && ms / WHEN_SECOND != all[i].seconds))
            fail_msg("\"%s\": %d %lld", all[i].text, ok, (long long)ms);
    }
}

/*
 * Tokens of our own; the signatures are verified in test_entra.py.
 */
static const char *const not_keys[] = {
    "", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    "-----BEGIN ", "0"};

static void test_what_is_no_key_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(not_keys) / sizeof(*not_keys); i++) {
        struct crypto_key *key = NULL;
        struct err err;

        assert_false(
            crypto_key_read(str_of(not_keys[i]), STR("hush"), &key, &err));
        assert_null(key);
        assert_int_equal(err.kind, ERR_CONFIG);
        assert_null(strstr(err.text, "hush"));
    }
}

static void test_claims_are_read_from_whole_tokens_alone(void **state)
{
    static const char *const bad[] = {
        "", ".", "..", "e30.e30", "e30.e30.s.x", "e30.{}.s", "e30.bm8.s"};
    struct json_object *claims;
    struct err err;

    (void)state;
    assert_true(jwt_claims(STR("e30.e30.s"), &claims, &err));
    json_object_put(claims);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(jwt_claims(str_of(bad[i]), &claims, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_that_contradict_each_other_are_refused),
        cmocka_unit_test(test_a_token_tells_who_we_are),
        cmocka_unit_test(test_an_end_is_read_in_each_form_and_no_other),
        cmocka_unit_test(test_what_is_no_key_is_told),
        cmocka_unit_test(test_claims_are_read_from_whole_tokens_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
