/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the providers of Azure tokens give in this very environment, through
 * the lease that the agent uses: one line of JSON for each token.  Words:
 * NAME=VALUE with the members of struct entra_options; "again" asks once more,
 * as after a service's refusal.
 */
#include "agent/base/jsonw.h"
#include "agent/base/log.h"
#include "agent/io/http.h"
#include "auth/entra.h"
#include "auth/lease.h"

#include <stdio.h>

struct tool {
    struct loop *loop;
    bool ok;
};

static void print(const struct credentials *creds)
{
    struct str who = STR_NONE;
    struct arena arena;
    struct jsonw w;
    struct buf b;
    bool known;

    arena_init(&arena, 512);
    known = entra_who(str_of(creds->token), &arena, &who, NULL);
    buf_init(&b, BUF_NO_LIMIT);
    jsonw_init(&w, &b, 0);
    jsonw_object(&w);
    jsonw_key(&w, "source");
    jsonw_textz(&w, creds->source);
    jsonw_key(&w, "token");
    jsonw_textz(&w, creds->token);
    jsonw_key(&w, "expires_ms");
    jsonw_int(&w, creds->expires_ms);
    jsonw_key(&w, "renew_ms");
    jsonw_int(&w, creds->renew_ms);
    jsonw_key(&w, "who");
    jsonw_text(&w, known ? who : STR_NONE);
    jsonw_object_end(&w);
    (void)puts(buf_z(&b));
    buf_fini(&b);
    arena_fini(&arena);
}

static void on_token(void *arg, const struct credentials *creds,
                     const struct err *err)
{
    struct tool *t = arg;

    t->ok = creds != NULL;
    if (creds)
        print(creds);
    else
        (void)fprintf(stderr, "%s\n", err->text);
    loop_stop(t->loop);
}

static bool ask(struct tool *t, struct lease *lease)
{
    struct lease_waiter waiter = {0};

    lease_wait(lease, &waiter, on_token, t);
    loop_run(t->loop);
    lease_leave(&waiter);
    return t->ok;
}

static bool take(struct str word, struct entra_options *o, bool *again)
{
    const struct {
        const char *name;
        struct str *value;
    } all[] = {{"audience", &o->audience},   {"credential", &o->credential},
               {"tenant_id", &o->tenant_id}, {"client_id", &o->client_id},
               {"object_id", &o->object_id}, {"resource_id", &o->resource_id},
               {"ca_file", &o->ca_file}};
    struct str rest = word, name;

    *again = *again || str_eqz(word, "again");
    if (!str_next(&rest, '=', &name) || !rest.ptr)
        return str_eqz(word, "again");
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        if (str_eqz(name, all[i].name)) {
            *all[i].value = rest;
            return true;
        }
    return false;
}

static bool run(const struct entra_options *o, bool again)
{
    const struct http_options http_options = {0};
    struct tool t = {.loop = loop_new()};
    struct http *http = http_new(t.loop, &http_options);
    struct lease_options options = {.providers = entra_providers,
                                    .mend = entra_no_credentials};
    struct lease *lease;
    struct arena arena;

    arena_init(&arena, 512);
    options.env = entra_env(&auth_env_process, o, &arena);
    lease = lease_new(t.loop, http, &options);
    if (ask(&t, lease) && again) {
        lease_refused(lease);
        (void)ask(&t, lease);
    }
    lease_free(lease);
    http_free(http);
    loop_free(t.loop);
    arena_fini(&arena);
    return t.ok;
}

int main(int argc, char **argv)
{
    struct entra_options o = {0};
    bool again = false;
    struct err err;

    log_setup(LOG_DEBUG, LOG_LOGFMT);
    for (int i = 1; i < argc; i++)
        if (!take(str_of(argv[i]), &o, &again)) {
            (void)fprintf(stderr, "%s: is no option\n", argv[i]);
            return 2;
        }
    if (!entra_options_check(&o, &err)) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 2;
    }
    return run(&o, again) ? 0 : 1;
}
