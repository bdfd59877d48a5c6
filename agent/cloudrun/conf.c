/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/cloudrun/inside.h"

const struct conf_key cloudrun_keys[] = {
    CONF_TEXT(cloudrun_conf, project, "",
              "The project; empty: GOOGLE_CLOUD_PROJECT, or the one that this "
              "container runs in."),
    CONF_TEXT(cloudrun_conf, location, "",
              "The region, as us-east1; empty: the one that this container "
              "runs in."),
    CONF_TEXT(cloudrun_conf, service, "",
              "The service's name; it must scale by hand (scaling mode "
              "MANUAL)."),
    CONF_TEXT(cloudrun_conf, worker_pool, "", "The worker pool's name."),
    CONF_TEXT(cloudrun_conf, endpoint, "",
              "URL of the Cloud Run Admin API, for private endpoints."),
    CONF_TEXT(cloudrun_conf, ca_file, "",
              "PEM file of the authorities that this endpoint's certificate is "
              "checked against; empty: the system's."),
    CONF_END,
};

static struct str variable(const struct auth_env *env, const char *name)
{
    return str_trim(str_of(env->variable(env->arg, name)));
}

static struct str or_else(struct str first, struct str second)
{
    return first.len > 0 ? first : second;
}

static struct str without_slash(struct str url)
{
    while (url.len && url.ptr[url.len - 1] == '/')
        url.len--;
    return url;
}

struct cloudrun_place cloudrun_written(const struct cloudrun_conf *conf,
                                       const struct auth_env *env)
{
    struct cloudrun_place p = {
        .base = or_else(without_slash(str_of(conf->endpoint)),
                        STR("https://run.googleapis.com")),
        .project = or_else(str_of(conf->project),
                           variable(env, "GOOGLE_CLOUD_PROJECT")),
        .location = str_of(conf->location),
        .name = or_else(str_of(conf->worker_pool), str_of(conf->service)),
        .pool = str_of(conf->worker_pool).len > 0,
    };

    if (p.name.len)
        return p;
    p.name = variable(env, "CLOUD_RUN_WORKER_POOL");
    p.pool = p.name.len > 0;
    if (!p.pool)
        p.name = variable(env, "K_SERVICE");
    return p;
}

static bool letter(char c, bool first)
{
    return (c >= 'a' && c <= 'z') ||
           (!first && ((c >= '0' && c <= '9') || c == '-'));
}

/* Projects of old organisations are "example.com:name". */
static bool is_name(struct str s, const char *more)
{
    for (size_t i = 0; i < s.len; i++)
        if (!letter(s.ptr[i], i == 0) && !strchr(more, s.ptr[i]))
            return false;
    return s.len <= 100;
}

static bool check_names(const struct cloudrun_conf *conf, struct err *err)
{
    const struct {
        const char *key, *value, *more;
    } names[] = {
        {"project", conf->project, ".:0123456789"},
        {"location", conf->location, ""},
        {"service", conf->service, ""},
        {"worker_pool", conf->worker_pool, ""},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (!is_name(str_of(names[i].value), names[i].more))
            return err_set(err, ERR_CONFIG,
                           "%s: \"%s\" is no such name; write the short one, "
                           "of small letters, digits and hyphens",
                           names[i].key, names[i].value);
    return true;
}

bool cloudrun_check(const struct cloudrun_conf *conf,
                    const struct auth_env *env, struct err *err)
{
    struct http_url url;

    if (conf->service[0] && conf->worker_pool[0])
        return err_set(err, ERR_CONFIG,
                       "worker_pool: service is written as well; keep one of "
                       "them");
    if (conf->endpoint[0] && !http_url_parse(str_of(conf->endpoint), &url))
        return err_set(err, ERR_CONFIG,
                       "endpoint: is no URL, as https://run.googleapis.com");
    if (!check_names(conf, err))
        return false;
    if (!cloudrun_written(conf, env).name.len)
        return err_set(err, ERR_CONFIG,
                       "service: is empty, and this is no Cloud Run container "
                       "(neither K_SERVICE nor CLOUD_RUN_WORKER_POOL is set); "
                       "write service or worker_pool");
    return true;
}

void cloudrun_describe(const struct cloudrun_conf *conf, struct buf *out)
{
    if (conf->worker_pool[0])
        buf_addf(out, "cloud_run worker pool %s", conf->worker_pool);
    else if (conf->service[0])
        buf_addf(out, "cloud_run service %s", conf->service);
    else
        buf_addz(out, "cloud_run (own)");
}
