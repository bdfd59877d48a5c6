/* SPDX-License-Identifier: Apache-2.0 */
/* Rules on one set of labels: every action, and what is refused. */
#include "agent/base/mem.h"
#include "agent/config/source.h"
#include "agent/relabel/relabel.h"
#include "test/lib/unit.h"

#include <stdlib.h>

/* "SOURCES|SEPARATOR|REGEX|MODULUS|TARGET|REPLACEMENT|ACTION"; "-" is the
 * default, as a configuration without the key has it. */
static void read_rule(struct conf *c, const char *text,
                      struct relabel_conf *out)
{
    static const char *const keys[] = {
        "source_labels", "separator",   "regex", "modulus",
        "target_label",  "replacement", "action"};
    struct str rest = str_of(text), part;
    struct conf_node *root;
    struct buf yaml;

    buf_init(&yaml, BUF_NO_LIMIT);
    buf_addc(&yaml, '{');
    for (size_t i = 0; str_next(&rest, '|', &part); i++)
        if (!str_eq(part, STR("-")))
            buf_addf(&yaml, i ? "%s: '%.*s', " : "%s: [%.*s], ", keys[i],
                     STR_ARG(part));
    buf_addc(&yaml, '}');
    root = conf_parse(c, "rule", buf_str(&yaml));
    conf_read(c, relabel_keys, root, out);
    buf_fini(&yaml);
    assert_true(conf_good(c));
}

/* What the rule makes of {a="x1-y", b="Big", c="x1-y"}. */
static void makes(const char *rule, const char *want)
{
    struct conf *c = conf_new();
    struct relabel_conf conf;
    struct relabel *r;
    struct labels_builder b = {0};
    struct buf out;
    struct err err;

    read_rule(c, rule, &conf);
    assert_true(relabel_check(&conf, &err));
    r = relabel_new(&conf, 1);
    labels_set(&b, STR("a"), STR("x1-y"));
    labels_set(&b, STR("b"), STR("Big"));
    labels_set(&b, STR("c"), STR("x1-y"));
    buf_init(&out, BUF_NO_LIMIT);
    if (relabel_apply(r, &b, conf_arena(c)))
        labels_print(labels_build(&b, conf_arena(c)), &out);
    assert_string_equal(buf_z(&out), want);
    buf_fini(&out);
    labels_builder_fini(&b);
    relabel_free(r);
    conf_free(c);
}

static void refused(const char *rule, const char *want)
{
    struct conf *c = conf_new();
    struct relabel_conf conf;
    struct err err;

    read_rule(c, rule, &conf);
    assert_false(relabel_check(&conf, &err));
    assert_string_equal(err.text, want);
    conf_free(c);
}

#define SAME "{a=\"x1-y\", b=\"Big\", c=\"x1-y\"}"

static void test_replace_writes_what_the_groups_matched(void **state)
{
    (void)state;
    makes("a|-|x(.*)-(?P<t>.)|-|d|${1}_${t}|-",
          "{a=\"x1-y\", b=\"Big\", c=\"x1-y\", d=\"1_y\"}");
    makes("a,b|+|(.+)\\+(.+)|-|$2|$1|-",
          "{Big=\"x1-y\", a=\"x1-y\", b=\"Big\", c=\"x1-y\"}");
}

static void test_replace_without_a_match_changes_nothing(void **state)
{
    (void)state;
    makes("a|-|x|-|a|gone|-", SAME);
}

static void test_replace_by_nothing_removes_the_label(void **state)
{
    (void)state;
    makes("a|-|-|-|c||-", "{a=\"x1-y\", b=\"Big\"}");
}

static void test_a_target_that_is_no_name_is_passed_over(void **state)
{
    (void)state;
    makes("a|-|(.*)|-|$1|v|-", SAME);
}

static void test_keep_and_drop_look_at_the_whole_value(void **state)
{
    (void)state;
    makes("a|-|x1|-|-|-|keep", "");
    makes("a|-|x1.*|-|-|-|keep", SAME);
    makes("a|-|x1.*|-|-|-|drop", "");
    makes("a|-|x1|-|-|-|drop", SAME);
}

static void test_two_labels_are_compared(void **state)
{
    (void)state;
    makes("a|-|-|-|c|-|keepequal", SAME);
    makes("a|-|-|-|b|-|keepequal", "");
    makes("a|-|-|-|c|-|dropequal", "");
    makes("a|-|-|-|b|-|dropequal", SAME);
}

static void test_labels_are_chosen_and_copied_by_name(void **state)
{
    (void)state;
    makes("-|-|[ab]|-|-|-|labeldrop", "{c=\"x1-y\"}");
    makes("-|-|[ab]|-|-|-|labelkeep", "{a=\"x1-y\", b=\"Big\"}");
    makes("-|-|([ab])|-|-|m_$1|labelmap",
          "{a=\"x1-y\", b=\"Big\", c=\"x1-y\", m_a=\"x1-y\", m_b=\"Big\"}");
    makes("-|-|.*|-|-|-|labeldrop", "");
}

static void test_letters_change_their_case(void **state)
{
    (void)state;
    makes("b|-|-|-|b|-|lowercase", "{a=\"x1-y\", b=\"big\", c=\"x1-y\"}");
    makes("b|-|-|-|b|-|uppercase", "{a=\"x1-y\", b=\"BIG\", c=\"x1-y\"}");
}

static void test_what_makes_no_sense_is_refused_with_its_key(void **state)
{
    (void)state;
    refused("a|-|-|-|t|-|hashmod",
            "action: hashmod needs a modulus: write one above 0");
    refused("a|-|-|-|-|-|-", "action: replace needs a target_label: name one");
    refused("a|-|-|-|1a|-|-",
            "target_label: \"1a\" is no label's name: replace takes "
            "letters, digits and _");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replace_writes_what_the_groups_matched),
        cmocka_unit_test(test_replace_without_a_match_changes_nothing),
        cmocka_unit_test(test_replace_by_nothing_removes_the_label),
        cmocka_unit_test(test_a_target_that_is_no_name_is_passed_over),
        cmocka_unit_test(test_keep_and_drop_look_at_the_whole_value),
        cmocka_unit_test(test_two_labels_are_compared),
        cmocka_unit_test(test_labels_are_chosen_and_copied_by_name),
        cmocka_unit_test(test_letters_change_their_case),
        cmocka_unit_test(test_what_makes_no_sense_is_refused_with_its_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
