/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of all parts together, and which source comes before which.
 */
#include "agent/config/show.h"
#include "agent/settings/settings.h"
#include "test/lib/unit.h"

#include <stdlib.h>

struct names {
    char *seen[512];
    size_t count;
};

static void note_name(struct names *n, const char *name)
{
    for (size_t i = 0; i < n->count; i++)
        assert_string_not_equal(n->seen[i], name);
    assert_true(n->count < sizeof(n->seen) / sizeof(n->seen[0]));
    n->seen[n->count++] = strdup(name);
}

static void note_path(void *arg, const struct conf_option *o)
{
    note_name(arg, o->path);
}

static void note_variable(void *arg, const struct conf_option *o)
{
    if (o->env[0])
        note_name(arg, o->env);
}

static void forget(struct names *n)
{
    while (n->count)
        free(n->seen[--n->count]);
}

static void test_no_two_options_have_the_same_path_or_variable(void **state)
{
    struct names n = {.count = 0};
    struct arena a;

    (void)state;
    arena_init(&a, 4096);
    conf_options(settings_keys(&a), note_path, &n);
    forget(&n);
    conf_options(settings_keys(&a), note_variable, &n);
    forget(&n);
    arena_fini(&a);
}

static void check_help(void *arg, const struct conf_option *o)
{
    struct str help = str_of(o->row->help);

    (void)arg;
    if (!help.len)
        fail_msg("%s has no help", o->path);
    if (!str_ends(help, STR(".")))
        fail_msg("%s: the help ends without a full stop: %s", o->path,
                 o->row->help);
    if (o->row->flags & CONF_MUST)
        assert_string_equal(o->def, "");
}

static void test_every_option_says_what_it_is_for(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, 4096);
    conf_options(settings_keys(&a), check_help, NULL);
    arena_fini(&a);
}

/* An optional section, listed ones too, is read from nothing but defaults. */
static void read_defaults(const struct conf_key *keys, size_t size)
{
    struct conf *c = conf_new();
    char *out = calloc(1, size ? size : 1);

    conf_read(c, keys, NULL, out);
    for (size_t i = 0; i < conf_fault_count(c); i++)
        if (!strstr(conf_fault_at(c, i)->text, "must be written"))
            fail_msg("%s: %s", conf_fault_at(c, i)->path,
                     conf_fault_at(c, i)->text);
    conf_free(c);
    free(out);
    for (const struct conf_key *row = keys; row && row->key; row++)
        if (row->keys)
            read_defaults(row->keys, row->size);
}

static void test_every_default_passes_its_own_checks(void **state)
{
    struct arena a;

    (void)state;
    arena_init(&a, 4096);
    read_defaults(settings_keys(&a), sizeof(struct settings_values));
    arena_fini(&a);
}

/* What is shown reads back as the same configuration. */
static void test_what_is_shown_is_a_configuration_too(void **state)
{
    const char *variables[] = {
        "AWS_REGION=eu-west-1", "SCALEBRIDGE_API_URL=http://a:5000,b:5000",
        "SCALEBRIDGE_SINKS=cloudwatch,stdout",
        "SCALEBRIDGE_PUBLISH_DIMENSIONS=A=$1,B=\"x\"", NULL};
    const char *none[] = {"AWS_REGION=eu-west-1", NULL};
    struct conf_world w = {.variables = variables};
    struct settings_source from = {.text_name = "again"};
    struct settings *s = settings_read(&w, &from);
    struct buf first, second;

    (void)state;
    buf_init(&first, BUF_NO_LIMIT);
    settings_faults(s, &first);
    assert_string_equal(buf_z(&first), "");
    settings_summary(s, &first);
    buf_reset(&first);
    settings_show(s, &first);
    settings_free(s);
    from.text = buf_z(&first);
    w.variables = none;
    s = settings_read(&w, &from);
    buf_init(&second, BUF_NO_LIMIT);
    settings_faults(s, &second);
    assert_string_equal(buf_z(&second), "");
    assert_true(settings_good(s));
    assert_int_equal(s->values.scrape.jobs[0].discover.targets.count, 2);
    assert_string_equal(s->values.publish.dimensions.pairs[0].value, "$1");
    assert_string_equal(s->values.publish.dimensions.pairs[1].value, "\"x\"");
    assert_int_equal(s->sink_count, 2);
    settings_free(s);
    buf_fini(&first);
    buf_fini(&second);
}

static void test_the_command_line_comes_before_all_else(void **state)
{
    const char *variables[] = {"SCALEBRIDGE_LOG_LEVEL=warn",
                               "SCALEBRIDGE_LOG_FORMAT=json",
                               "SCALEBRIDGE_API_URL=http://a:5000", NULL};
    const struct settings_override overrides[] = {
        {"--log-level", "log.level", "debug"},
        {"--log-format", "log.format", NULL},
        {NULL, NULL, NULL},
    };
    struct conf_world w = {.variables = variables};
    struct settings_source from = {.text = "log: {level: error}",
                                   .text_name = "x.yml",
                                   .overrides = overrides};
    struct settings *s = settings_read(&w, &from);

    (void)state;
    assert_true(settings_good(s));
    assert_int_equal(s->values.log.level, LOG_DEBUG);
    assert_int_equal(s->values.log.format, LOG_JSON);
    settings_free(s);
}

static void test_a_bad_word_of_the_command_line_is_blamed_on_it(void **state)
{
    const char *variables[] = {"SCALEBRIDGE_API_URL=http://a:5000",
                               "SCALEBRIDGE_SINKS=none", NULL};
    const struct settings_override overrides[] = {
        {"--log-level", "log.level", "loud"}, {NULL, NULL, NULL}};
    struct conf_world w = {.variables = variables};
    struct settings_source from = {.overrides = overrides};
    struct settings *s = settings_read(&w, &from);
    struct buf out;

    (void)state;
    buf_init(&out, BUF_NO_LIMIT);
    settings_faults(s, &out);
    assert_string_equal(buf_z(&out),
                        "--log-level: log.level: \"loud\" is not one of "
                        "debug, info, warn, error, off\n");
    buf_fini(&out);
    settings_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_two_options_have_the_same_path_or_variable),
        cmocka_unit_test(test_every_option_says_what_it_is_for),
        cmocka_unit_test(test_every_default_passes_its_own_checks),
        cmocka_unit_test(test_what_is_shown_is_a_configuration_too),
        cmocka_unit_test(test_the_command_line_comes_before_all_else),
        cmocka_unit_test(test_a_bad_word_of_the_command_line_is_blamed_on_it),
    };

    return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
