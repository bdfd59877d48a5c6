/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/google_monitoring.h"

#include "auth/google.h"
#include "sinks/sinks.h"

static const struct conf_key keys[] = {
    CONF_TEXT(google_monitoring_conf, project, "",
              "Project that holds the metrics; else GOOGLE_CLOUD_PROJECT, "
              "that of the credentials file, or of the metadata server."),
    CONF_TEXT(google_monitoring_conf, location, "",
              "Label location of the resource, as us-east1; else that of the "
              "metadata server where the project is asked there, else global."),
    CONF_TEXT(google_monitoring_conf, namespace, "membrane",
              "Label namespace of the resource."),
    CONF_TEXT(google_monitoring_conf, job, "scalebridge",
              "Label job of the resource.", .flags = CONF_FILLED),
    CONF_TEXT(google_monitoring_conf, task_id, "membrane",
              "Label task_id of the resource: the scaling group, the same for "
              "as long as the group lives; two agents must not share it.",
              .flags = CONF_FILLED),
    CONF_TEXT(google_monitoring_conf, task_label, "",
              "Dimension whose value becomes the task_id of its points, where "
              "one agent serves several groups."),
    CONF_TEXT(google_monitoring_conf, prefix, "custom.googleapis.com/membrane",
              "What stands in front of each metric's name, and a slash.",
              .flags = CONF_FILLED),
    CONF_BOOL(google_monitoring_conf, prometheus, "false",
              "Write to Managed Service for Prometheus: metrics as "
              "prometheus.googleapis.com/NAME/gauge on prometheus_target."),
    CONF_TEXT(google_monitoring_conf, cluster, "",
              "Label cluster for Managed Prometheus; else __run__ on Cloud "
              "Run, __gce__ elsewhere."),
    CONF_TEXT(google_monitoring_conf, resource_type, "generic_task",
              "Monitored resource: generic_task, generic_node, gce_instance, "
              "k8s_container, k8s_pod, k8s_node, k8s_cluster, global or "
              "aws_ec2_instance.",
              .flags = CONF_FILLED),
    CONF_MAP(google_monitoring_conf, resource_labels, NULL,
             "Labels of the resource that no other setting gives, by name."),
    CONF_TEXT(google_monitoring_conf, endpoint, "",
              "URL in place of https://monitoring.googleapis.com, for private "
              "access or an emulator.  Plain http only to loopback."),
    CONF_TEXT(google_monitoring_conf, universe_domain, "",
              "Domain of another Google Cloud; else that of the environment "
              "(GOOGLE_CLOUD_UNIVERSE_DOMAIN) or the credentials file."),
    CONF_TEXT(google_monitoring_conf, credentials_file, "",
              "Credentials file, where GOOGLE_APPLICATION_CREDENTIALS does "
              "not name it."),
    CONF_BOOL(google_monitoring_conf, exchange, "false",
              "Exchange what a service account's key signs for a token, in "
              "place of using it itself."),
    CONF_TEXT(google_monitoring_conf, quota_project, "",
              "Project whose quota requests use; else "
              "GOOGLE_CLOUD_QUOTA_PROJECT or that of the credentials file."),
    CONF_MS(google_monitoring_conf, timeout, "12s", 100, 5 * WHEN_MINUTE,
            "How long one request may take."),
    CONF_TEXT(google_monitoring_conf, ca_file, "",
              "PEM file of authorities in place of the system's, for the "
              "endpoint and for who gives tokens."),
    CONF_END,
};

/*
 * Where to.
 */
static const char *variable(const struct auth_env *env, const char *name)
{
    const char *value = env->variable(env->arg, name);

    return value && value[0] ? value : NULL;
}

static bool is_project(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-.:", s.ptr[i]))
            return false;
    return s.len > 0;
}

static bool find_project(struct google_monitoring_conf *c,
                         const struct google_facts *facts, struct err *err)
{
    struct str own = str_trim(str_of(c->project));

    c->project_id = own.len ? own : facts->project;
    if (c->project_id.len == 0) {
        c->project_id = STR(GOOGLE_PROJECT_LATER);
        return true;
    }
    return is_project(c->project_id) ||
           err_set(err, ERR_CONFIG,
                   "project: \"%.*s\" is not the id or number of a project",
                   STR_ARG(c->project_id));
}

static bool find_url(struct google_monitoring_conf *c,
                     const struct google_facts *facts, struct arena *arena,
                     struct err *err)
{
    struct str base = str_of(c->endpoint);

    if (base.len == 0)
        base = arena_printf(arena, "https://monitoring.%.*s",
                            STR_ARG(facts->universe));
    if (!sink_endpoint(&base, "https://monitoring.googleapis.com", err))
        return false;
    c->url = arena_printf(arena, "%.*s/v3/projects/%.*s/timeSeries",
                          STR_ARG(base), STR_ARG(c->project_id));
    return true;
}

static bool find_resource(struct google_monitoring_conf *c,
                          const struct auth_env *env, struct err *err)
{
    bool run = variable(env, "K_SERVICE") || variable(env, "CLOUD_RUN_JOB") ||
               variable(env, "CLOUD_RUN_WORKER_POOL");
    struct str type = str_of(c->resource_type);

    if (c->prometheus)
        type = STR("prometheus_target");
    else if (str_eqz(type, "prometheus_target"))
        return err_set(err, ERR_CONFIG,
                       "resource_type: prometheus_target belongs to Managed "
                       "Prometheus; set prometheus in its place");
    if (!google_resource_find(type, &c->resource, err))
        return false;
    c->place = str_trim(str_of(c->location));
    if (c->place.len == 0)
        c->place = str_eqz(c->project_id, GOOGLE_PROJECT_LATER)
                       ? STR(GOOGLE_LOCATION_LATER)
                       : STR("global");
    c->managed_cluster = c->cluster[0] ? str_of(c->cluster)
                         : run         ? STR("__run__")
                                       : STR("__gce__");
    for (const char *const *l = c->resource->labels; *l; l++)
        if (!google_resource_label(c, *l, NULL).ptr)
            return err_set(err, ERR_CONFIG,
                           "resource_labels: %s: not set, and %s needs it", *l,
                           c->resource->type);
    return true;
}

static bool prefix_ok(const struct google_monitoring_conf *c, struct err *err)
{
    static const char *const domains[] = {"custom.googleapis.com/",
                                          "workload.googleapis.com/",
                                          "external.googleapis.com/"};

    for (size_t i = 0; i < sizeof(domains) / sizeof(*domains); i++)
        if (str_starts(str_of(c->prefix), str_of(domains[i])) &&
            !str_ends(str_of(c->prefix), STR("/")))
            return true;
    return err_set(err, ERR_CONFIG,
                   "prefix: \"%s\" is not like custom.googleapis.com/membrane; "
                   "other domains cannot be written (for Managed Prometheus "
                   "set prometheus)",
                   c->prefix);
}

/*
 * Who we are.
 */
static const struct auth_env *lay_identity(const void *conf,
                                           const struct auth_env *under,
                                           struct arena *arena)
{
    const struct google_monitoring_conf *c = conf;
    const struct google_options o = {
        .scope = STR(GOOGLE_SCOPE_WRITE),
        .credentials = str_of(c->credentials_file),
        .ca_file = str_of(c->ca_file),
        .place = str_eqz(c->project_id, GOOGLE_PROJECT_LATER),
        .exchange = c->exchange,
    };

    return google_env(under, &o, arena);
}

static bool know_who(const void *conf, const struct credentials *creds,
                     struct arena *arena, struct str *who, struct err *err)
{
    const struct google_monitoring_conf *c = conf;
    struct str project = c->project_id;

    (void)err;
    if (creds->key_id)
        project = str_of(creds->key_id);
    *who = arena_printf(arena,
                        "%s; needs the role roles/monitoring.metricWriter on "
                        "project %.*s",
                        creds->source, STR_ARG(project));
    return true;
}

static bool prepare(void *conf, const struct auth_env *env, struct arena *arena,
                    struct err *err)
{
    struct google_monitoring_conf *c = conf;
    const struct google_options o = {.credentials =
                                         str_of(c->credentials_file)};
    struct google_facts facts;

    if (!google_facts_read(google_env(env, &o, arena), arena, &facts, err))
        return false;
    if (c->universe_domain[0])
        facts.universe = str_trim(str_of(c->universe_domain));
    c->quota =
        c->quota_project[0] ? str_of(c->quota_project) : facts.quota_project;
    return prefix_ok(c, err) && find_project(c, &facts, err) &&
           find_url(c, &facts, arena, err) && find_resource(c, env, err);
}

/* Every `mark` of `in` by `value`. */
static struct str fill(struct str in, const char *mark, const char *value,
                       struct arena *arena)
{
    size_t n = strlen(mark);
    struct buf out;
    struct str made;
    const char *at;

    buf_init(&out, BUF_NO_LIMIT);
    while (in.len > 0 && (at = memmem(in.ptr, in.len, mark, n))) {
        buf_add(&out, in.ptr, (size_t)(at - in.ptr));
        buf_addz(&out, value);
        in = str_from(in, (size_t)(at - in.ptr) + n);
    }
    buf_adds(&out, in);
    made = arena_str(arena, buf_str(&out));
    buf_fini(&out);
    return made;
}

static bool fill_place(const struct google_monitoring_conf *c,
                       const struct credentials *creds, struct arena *arena,
                       struct http_request *req, struct err *err)
{
    const char *location =
        creds->secret && creds->secret[0] ? creds->secret : "global";

    if (!str_eqz(c->project_id, GOOGLE_PROJECT_LATER))
        return true;
    if (!creds->key_id)
        return err_set(err, ERR_CONFIG,
                       "project: not set, and neither the environment nor the "
                       "credentials name it; write project or set "
                       "GOOGLE_CLOUD_PROJECT");
    req->url = fill(req->url, GOOGLE_PROJECT_LATER, creds->key_id, arena);
    req->body = fill(req->body, GOOGLE_PROJECT_LATER, creds->key_id, arena);
    req->body = fill(req->body, GOOGLE_LOCATION_LATER, location, arena);
    return true;
}

static bool sign(const void *conf, const struct credentials *creds,
                 int64_t wall_ms, struct arena *arena, struct http_request *req,
                 struct err *err)
{
    (void)wall_ms;
    http_set_secret(req, STR("Authorization"),
                    arena_printf(arena, "Bearer %s", creds->token));
    return fill_place(conf, creds, arena, req, err);
}

const struct sink_type google_monitoring_sink = {
    .name = "google_monitoring",
    .help = "Google Cloud Monitoring, or its Managed Prometheus.",
    .keys = keys,
    .conf_size = sizeof(struct google_monitoring_conf),
    .providers = google_providers,
    .no_credentials = google_no_credentials,
    .auth_env = lay_identity,
    .know_who = know_who,
    .each_evaluation = true,
    .newest_wins = true,
    .least_gap_ms = GOOGLE_GAP,
    .oldest_ms = GOOGLE_OLDEST,
    .ahead_ms = GOOGLE_AHEAD,
    .prepare = prepare,
    .check = google_check,
    .admit = google_admit,
    .render = google_render,
    .sign = sign,
    .judge = google_judge,
};
