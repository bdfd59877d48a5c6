/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_auth.c - who the agent is to its clouds, by the same providers, in the
 * same order and through the same lease as when it publishes.
 */
#include "agent/base/log.h"
#include "agent/commands/list.h"
#include "agent/commands/place.h"
#include "agent/io/http.h"
#include "agent/io/loop.h"
#include "agent/settings/settings.h"
#include "auth/lease.h"

#include <stdio.h>

static const struct command_option options[] = {
    {"config", "FILE", "The configuration file."},
    {"log-level", "LEVEL", "As for run; without it only what is printed."},
    {"log-format", "FORMAT", "As for run."},
    {NULL, NULL, NULL},
};

#define CLOCK_OFF (4 * WHEN_MINUTE)

static const char absent[] = "not configured";

struct check {
    struct loop *loop;
    struct http *http;
    const struct settings_sink *sink;
    struct arena arena;
    struct buf out;
    /* Of the step that is under way. */
    bool ok;
    struct credentials creds;
    struct str who;
    struct err err;
    int64_t skew_ms; /* that the cloud's clock is ahead of ours */
};

/* The environment as the sink's settings have it. */
static const struct auth_env *env_of(struct check *c)
{
    const struct sink_type *type = c->sink->type;

    return type->auth_env
               ? type->auth_env(c->sink->conf, &auth_env_process, &c->arena)
               : &auth_env_process;
}

static void on_creds(void *arg, const struct credentials *creds,
                     const struct err *err)
{
    struct check *c = arg;

    c->ok = creds != NULL;
    if (creds)
        credentials_copy(&c->creds, creds);
    else
        c->err = *err;
    loop_stop(c->loop);
}

/* What one provider alone gives, into c->creds or c->err. */
static bool fetch(struct check *c, const struct provider_type *type)
{
    const struct provider_type *const alone[] = {type, NULL};
    const struct lease_options o = {
        .providers = alone, .env = env_of(c), .mend = absent};
    struct lease_waiter waiter = {0};
    struct lease *lease = lease_new(c->loop, c->http, &o);

    credentials_clear(&c->creds);
    lease_wait(lease, &waiter, on_creds, c);
    loop_run(c->loop);
    lease_leave(&waiter);
    lease_free(lease);
    return c->ok;
}

static void on_who(void *arg, const struct http_response *res,
                   const struct err *net)
{
    struct check *c = arg;

    int64_t date;

    c->ok = !net && c->sink->type->read_who(res, &c->arena, &c->who, &c->err);
    if (net)
        c->err = *net;
    else if (when_http_date_parse(http_get(res, STR("Date")), &date))
        c->skew_ms = date - loop_now(c->loop).wall_ms;
    loop_stop(c->loop);
}

static bool ask_once(struct check *c, struct http_request *req)
{
    static const struct http_hooks hooks = {.done = on_who};
    struct http_call call = {0};
    int64_t wall = loop_now(c->loop).wall_ms + c->skew_ms;

    if (!c->sink->type->ask_who(c->sink->conf, env_of(c), &c->creds, wall,
                                &c->arena, req, &c->err))
        return false;
    http_start(c->http, &call, req, &hooks, c);
    loop_run(c->loop);
    http_cancel(&call);
    return c->ok;
}

/* A clock that is off by minutes is told, and no reason for not knowing. */
static bool ask_who(struct check *c, struct http_request *req)
{
    c->skew_ms = 0;
    if (ask_once(c, req))
        return true;
    if (c->skew_ms < CLOCK_OFF && c->skew_ms > -CLOCK_OFF)
        return false;
    buf_addf(&c->out, "  %-20sis off by %lld s; set it\n", "this clock",
             (long long)(-c->skew_ms / WHEN_SECOND));
    return ask_once(c, req);
}

/* The provider's name is said already. */
static const char *reason(const struct check *c,
                          const struct provider_type *type)
{
    size_t n = strlen(type->name);

    return strncmp(c->err.text, type->name, n) == 0 && c->err.text[n] == ':'
               ? c->err.text + n + 2
               : c->err.text;
}

static void tell_found(struct check *c)
{
    char until[WHEN_TEXT] = "for ever";

    if (c->creds.expires_ms)
        when_rfc3339(c->creds.expires_ms, until);
    buf_addf(&c->out, "found: %s, good %s%s\n", c->creds.source,
             c->creds.expires_ms ? "until " : "", until);
}

/* The first that is configured, whether it works or not; NULL: none. */
static const struct provider_type *try_all(struct check *c)
{
    const struct provider_type *first = NULL;

    for (const struct provider_type *const *p = c->sink->type->providers; *p;
         p++) {
        buf_addf(&c->out, "  %-20s", (*p)->name);
        if (first) {
            buf_addf(&c->out, "not asked, as %s comes before it\n",
                     first->name);
        } else if (fetch(c, *p)) {
            tell_found(c);
            first = *p;
        } else if (strcmp(c->err.text, absent) == 0) {
            buf_addf(&c->out, "%s\n", absent);
        } else {
            buf_addf(&c->out, "failed: %s\n", reason(c, *p));
            first = *p;
        }
    }
    return first;
}

/* As the credentials say, or the cloud; true where neither can. */
static bool tell_who(struct check *c)
{
    const struct sink_type *type = c->sink->type;
    struct http_request req = {0};
    bool ok = true;

    if (type->know_who)
        ok = type->know_who(c->sink->conf, &c->creds, &c->arena, &c->who,
                            &c->err);
    else if (type->ask_who)
        ok = ask_who(c, &req);
    else
        return true;
    if (!ok) {
        buf_addf(&c->out, "  %-20sfailed: %s\n", "who we are", c->err.text);
        return false;
    }
    buf_addf(&c->out, "  %-20s%.*s\n", "who we are", STR_ARG(c->who));
    buf_addf(&c->out, "  %-20s%.*s\n", "as says",
             STR_ARG(type->know_who ? STR("the token") : req.url));
    return true;
}

static bool check_sink(struct check *c)
{
    const struct sink_type *type = c->sink->type;
    const struct provider_type *first;

    buf_addf(&c->out, "%s\n", type->name);
    if (!type->providers) {
        buf_addz(&c->out, "  needs no credentials\n");
        return true;
    }
    first = try_all(c);
    if (!first)
        buf_addf(&c->out, "  %s\n", type->no_credentials);
    if (!first || !c->creds.source[0])
        return false;
    return tell_who(c);
}

static bool check_all(struct check *c, const struct settings *s,
                      const char *wanted)
{
    const struct http_options http = {0};
    bool good = true;

    c->loop = loop_new();
    c->http = http_new(c->loop, &http);
    arena_init(&c->arena, 4096);
    for (size_t i = 0; i < s->sink_count; i++) {
        c->sink = &s->sinks[i];
        if (!wanted || strcmp(c->sink->type->name, wanted) == 0)
            good = check_sink(c) && good;
        credentials_clear(&c->creds);
    }
    arena_fini(&c->arena);
    http_free(c->http);
    loop_free(c->loop);
    return good;
}

static bool is_there(const struct settings *s, const char *wanted)
{
    for (size_t i = 0; i < s->sink_count; i++)
        if (!wanted || strcmp(s->sinks[i].type->name, wanted) == 0)
            return true;
    return false;
}

/* What else is wrong with the configuration is no matter here. */
static struct settings *read_settings(const struct command_line *line,
                                      const char *wanted)
{
    const struct settings_override overrides[] = {
        {"--log-level", "log.level", command_value(line, "log-level")},
        {"--log-format", "log.format", command_value(line, "log-format")},
        {NULL, NULL, NULL},
    };
    struct settings_source from = {.file = command_value(line, "config"),
                                   .overrides = overrides};
    struct conf_world world;
    struct settings *s;
    struct buf faults;

    place_learn();
    world = conf_world_process();
    s = settings_read(&world, &from);
    if (is_there(s, wanted))
        return s;
    buf_init(&faults, BUF_NO_LIMIT);
    settings_faults(s, &faults);
    if (wanted && s->sink_count > 0)
        buf_addf(&faults, "sinks: %s is not among those that are chosen\n",
                 wanted);
    (void)fputs(buf_z(&faults), stderr);
    buf_fini(&faults);
    settings_free(s);
    return NULL;
}

static enum exit_status run_check(const struct command_line *line)
{
    const char *wanted = line->arg_count ? line->args[0] : NULL;
    struct settings *s = read_settings(line, wanted);
    struct check c = {0};
    bool good;

    if (!s)
        return EXIT_USAGE;
    log_setup(command_given(line, "log-level")
                  ? (enum log_level)s->values.log.level
                  : LOG_ERROR,
              (enum log_format)s->values.log.format);
    buf_init(&c.out, BUF_NO_LIMIT);
    good = check_all(&c, s, wanted);
    good = command_print(buf_str(&c.out)) && good;
    if (!good)
        (void)fprintf(stderr, "scalebridge: check-auth: there are no "
                              "credentials that work\n");
    buf_fini(&c.out);
    settings_free(s);
    return good ? EXIT_WELL : EXIT_FAILED;
}

const struct command command_check_auth = {
    .name = "check-auth",
    .arguments = "[SINK]",
    .help = "Try the credentials of a sink, and tell who we are.",
    .details =
        "Tries each way to get credentials in its order, up to the first one "
        "that is\nconfigured, and tells what was found, until when it is good "
        "and who we are by\nit, as the cloud says (AWS: sts:GetCallerIdentity, "
        "which needs no permission)\nor the token itself (Azure).  Nothing is "
        "published, no secret is shown.  Exit\nstatus 1: none works.\n",
    .max_args = 1,
    .options = options,
    .run = run_check,
};
