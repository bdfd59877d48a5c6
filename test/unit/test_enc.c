/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/enc.h"
#include "test/lib/unit.h"

/* RFC 4648, section 10. */
static const struct {
    const char *plain, *coded, *url;
} vectors[] = {
    {"", "", ""},
    {"f", "Zg==", "Zg"},
    {"fo", "Zm8=", "Zm8"},
    {"foo", "Zm9v", "Zm9v"},
    {"foob", "Zm9vYg==", "Zm9vYg"},
    {"fooba", "Zm9vYmE=", "Zm9vYmE"},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
    {"\xFB\xFF\xFE", "+//+", "-__-"},
};

static void test_base64_is_that_of_the_rfc(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        buf_reset(&b);
        enc_base64(&b, vectors[i].plain, strlen(vectors[i].plain));
        assert_string_equal(buf_z(&b), vectors[i].coded);
        buf_reset(&b);
        enc_base64url(&b, vectors[i].plain, strlen(vectors[i].plain));
        assert_string_equal(buf_z(&b), vectors[i].url);
    }
    buf_fini(&b);
}

static void test_base64_is_read_in_either_alphabet(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        buf_reset(&b);
        assert_true(dec_base64(&b, str_of(vectors[i].coded)));
        assert_string_equal(buf_z(&b), vectors[i].plain);
        buf_reset(&b);
        assert_true(dec_base64(&b, str_of(vectors[i].url)));
        assert_string_equal(buf_z(&b), vectors[i].plain);
    }
    buf_fini(&b);
}

static void test_broken_base64_is_refused(void **state)
{
    static const char *const bad[] = {"Z",     "Zg=",  "Zg===", "Z===", "Zh==",
                                      "Zm9v=", "Zm 9", "Zm9v!", "====", "Zm9"};
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(dec_base64(&b, str_of(bad[i])));
    buf_fini(&b);
}

static void test_hex_is_lower_case(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    enc_hex(&b, "\x00\x7F\xAB\xff", 4);
    assert_string_equal(buf_z(&b), "007fabff");
    buf_fini(&b);
}

static void test_percent_encoding_keeps_what_it_is_told(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    enc_percent(&b, STR("a/b c~\xC3\xA4"), "");
    assert_string_equal(buf_z(&b), "a%2Fb%20c~%C3%A4");
    buf_reset(&b);
    enc_percent(&b, STR("a/b c"), "/");
    assert_string_equal(buf_z(&b), "a/b%20c");
    buf_fini(&b);
}

static void test_percent_decoding_gives_the_bytes_back(void **state)
{
    struct buf b;
    struct buf back;
    char all[256];

    (void)state;
    buf_init(&b, 1000);
    buf_init(&back, 1000);
    for (size_t i = 0; i < sizeof(all); i++)
        all[i] = (char)(unsigned char)i;
    enc_percent(&b, str_n(all, sizeof(all)), "");
    assert_true(dec_percent(&back, buf_str(&b)));
    assert_true(str_eq(buf_str(&back), str_n(all, sizeof(all))));
    assert_true(dec_percent(&back, STR("%c3%A4+")));
    assert_false(dec_percent(&back, STR("100%")));
    assert_false(dec_percent(&back, STR("%4")));
    assert_false(dec_percent(&back, STR("%zz")));
    buf_fini(&b);
    buf_fini(&back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base64_is_that_of_the_rfc),
        cmocka_unit_test(test_base64_is_read_in_either_alphabet),
        cmocka_unit_test(test_broken_base64_is_refused),
        cmocka_unit_test(test_hex_is_lower_case),
        cmocka_unit_test(test_percent_encoding_keeps_what_it_is_told),
        cmocka_unit_test(test_percent_decoding_gives_the_bytes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
