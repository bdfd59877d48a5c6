/* SPDX-License-Identifier: Apache-2.0 */
/*
 * container_app.c - Azure Container Apps.  Neither DNS nor ingress tells the
 * replicas of an app: both stand for all of them with one address.
 */
#include "agent/capacity/container_app.h"

#include "agent/capacity/source.h"

const struct conf_key container_app_keys[] = {
    CONF_TEXT(container_app_conf, resource_id, "",
              "The app's resource id, as `az containerapp show --query id` "
              "prints it."),
    CONF_TEXT(container_app_conf, endpoint, "",
              "URL of Azure Resource Manager; empty: that of the cloud which "
              "AZURE_AUTHORITY_HOST names."),
    CONF_END,
};

static bool fits(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
            !(c >= '0' && c <= '9') && !strchr("-._()", c ? c : '/'))
            return false;
    }
    return s.len > 0 && !str_eqz(s, ".") && !str_eqz(s, "..");
}

static bool is_app(struct str id)
{
    static const char *const fixed[] = {"",
                                        "subscriptions",
                                        NULL,
                                        "resourceGroups",
                                        NULL,
                                        "providers",
                                        "Microsoft.App",
                                        "containerApps",
                                        NULL};
    struct str part;

    for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
        if (!str_next(&id, '/', &part) ||
            !(fixed[i] ? str_eqi(part, str_of(fixed[i])) : fits(part)))
            return false;
    return !id.ptr;
}

bool container_app_check(const struct container_app_conf *conf, struct err *err)
{
    struct http_url url;

    if (!is_app(str_of(conf->resource_id)))
        return err_set(err, ERR_CONFIG,
                       "resource_id: \"%s\" is not /subscriptions/ID/"
                       "resourceGroups/GROUP/providers/Microsoft.App/"
                       "containerApps/NAME",
                       conf->resource_id);
    if (!*conf->endpoint)
        return true;
    if (!http_url_parse(str_of(conf->endpoint), &url) || url.query.ptr ||
        url.path.len)
        return err_set(err, ERR_CONFIG,
                       "endpoint: \"%s\" is no URL like "
                       "https://management.azure.com, without a path",
                       conf->endpoint);
    return str_eqz(url.scheme, "https") || http_url_is_loopback(&url) ||
           err_set(err, ERR_CONFIG,
                   "endpoint: is http, and a token is sent; write https");
}

static bool named(const struct capacity_conf *conf)
{
    return conf->container_app != NULL;
}

static bool check(const struct capacity_conf *conf, struct err *err)
{
    if (conf->refresh_ms < CONTAINER_APP_LEAST_MS)
        return err_set(err, ERR_CONFIG,
                       "refresh: is shorter than 10s, and all that this "
                       "subscription asks shares one limit; write 10s or more");
    return true;
}

static void describe(const struct capacity_conf *conf, struct buf *out)
{
    struct str id = str_of(conf->container_app->resource_id), part = STR_NONE;

    while (str_next(&id, '/', &part))
        ;
    buf_addf(out, "container app %.*s", STR_ARG(part));
}

static void on_count(void *arg, const struct container_app_count *n,
                     const struct err *err)
{
    struct capacity_source *s = arg;
    struct capacity_answer a = {.has_desired = true};

    if (err) {
        s->done(s->arg, NULL, err);
        return;
    }
    a.running = n->ready;
    a.desired = n->replicas;
    s->done(s->arg, &a, NULL);
}

static void start(struct capacity_source *s)
{
    container_app_start(s->with->container_apps, &s->container_app,
                        s->conf->container_app, s->conf->timeout_ms, on_count,
                        s);
}

static void cancel(struct capacity_source *s)
{
    container_app_cancel(&s->container_app);
}

const struct capacity_type capacity_container_app = {
    .name = "container_app",
    .least_ms = CONTAINER_APP_LEAST_MS,
    .named = named,
    .check = check,
    .describe = describe,
    .start = start,
    .cancel = cancel,
};
