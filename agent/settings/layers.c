/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/near.h"
#include "agent/config/env.h"
#include "agent/settings/inside.h"

#define CAPACITY_PREFIX CONF_ENV_PREFIX "CAPACITY_"

const struct settings_builtin settings_builtins[] = {
    {"api", "SCALEBRIDGE_API_URL", "/prometheus"},
    {"custom-code-runner", "SCALEBRIDGE_CUSTOM_CODE_RUNNER_URL",
     "/api/v2/prometheus"},
    {"queued-tasks-worker", "SCALEBRIDGE_QUEUED_TASKS_WORKER_URL",
     "/prometheus/queued-tasks"},
    {NULL, NULL, NULL},
};

struct gathering {
    struct conf *c;
    struct arena *arena;
    const struct conf_world *world;
    struct conf_node *root; /* never NULL */
};

static struct conf_node *scalar(struct gathering *g, const char *variable,
                                struct str value)
{
    struct conf_mark mark = {
        .source = arena_printf(g->arena, "env %s", variable).ptr};
    struct conf_node *n = conf_node_text(g->arena, mark, value);

    n->flat = true;
    return n;
}

static const char *set_variable(const struct conf_world *w, const char *name)
{
    const char *value = conf_world_variable(w, name);

    return value && *value ? value : NULL;
}

static void make_empty(struct conf_node *n)
{
    n->kind = CONF_SCALAR;
    n->null = true;
    n->text = STR("");
    n->child = NULL;
    n->last = NULL;
    n->count = 0;
}

/* The member called `key`, of this kind, made where it is not; NULL where
 * something else stands there, of which the reader will tell. */
static struct conf_node *member(struct gathering *g, struct conf_node *parent,
                                const char *key, enum conf_node_kind kind,
                                const struct conf_mark *mark)
{
    struct conf_node *n = conf_node_get(parent, str_of(key));

    if (n && n->kind == CONF_SCALAR && n->null) {
        n->kind = kind;
        n->null = false;
    }
    if (!n) {
        n = conf_node_new(g->arena, kind, *mark);
        conf_node_add(g->arena, parent, str_of(key), n);
    }
    return n->kind == kind ? n : NULL;
}

/* ---- the built-in jobs' URLs ---- */

static struct conf_node *find_job(const struct conf_node *jobs,
                                  const char *name)
{
    struct conf_node *job = jobs->child;

    for (; job; job = job->next) {
        struct conf_node *n = conf_node_get(job, STR("name"));

        if (n && n->kind == CONF_SCALAR && str_eqz(n->text, name))
            break;
    }
    return job;
}

static void set_urls(struct gathering *g, const struct settings_builtin *b,
                     const char *urls)
{
    struct conf_node *targets = scalar(g, b->variable, str_of(urls));
    struct conf_node *scrape =
        member(g, g->root, "scrape", CONF_MAPPING, &targets->mark);
    struct conf_node *jobs = NULL, *job, *dns, *ecs;

    if (scrape)
        jobs = member(g, scrape, "jobs", CONF_SEQUENCE, &targets->mark);
    if (!jobs)
        return;
    job = find_job(jobs, b->job);
    if (!job) {
        job = conf_node_new(g->arena, CONF_MAPPING, targets->mark);
        conf_node_add(g->arena, jobs, STR_NONE, job);
        conf_node_set(g->arena, job, "name",
                      conf_node_text(g->arena, targets->mark, str_of(b->job)));
    }
    conf_node_set(g->arena, job, "targets", targets);
    dns = conf_node_get(job, STR("dns"));
    if (dns)
        make_empty(dns);
    ecs = conf_node_get(job, STR("ecs"));
    if (ecs)
        conf_node_remove(job, ecs);
}

/* ---- worker counts ---- */

/* The service of the file that has this variable, or NULL. */
static struct conf_node *find_service(const struct conf_node *capacity,
                                      struct str variable)
{
    struct conf_node *n = capacity->child;
    struct str suffix = str_from(variable, strlen(CAPACITY_PREFIX));
    struct buf b;

    buf_init(&b, BUF_NO_LIMIT);
    for (; n; n = n->next) {
        buf_reset(&b);
        conf_env_name(n->key, &b);
        if (str_eq(str_from(buf_str(&b), strlen(CONF_ENV_PREFIX)), suffix))
            break;
    }
    buf_fini(&b);
    return n;
}

/* "instant-tasks-worker" for INSTANT_TASKS_WORKER. */
static struct str service_name(struct gathering *g, struct str variable)
{
    char *name =
        arena_strdup(g->arena, str_from(variable, strlen(CAPACITY_PREFIX)));

    for (char *p = name; *p; p++) {
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
        else if (*p == '_')
            *p = '-';
    }
    return str_of(name);
}

/* What stands before the colon, and the options it stands for. */
static const struct {
    const char *scheme, *option, *type;
} schemes[] = {
    {"fixed", "fixed", NULL},
    {"up", "up", NULL},
    {"dns", "dns.name", NULL},
    {"dnssrv", "dns.name", "SRV"},
};

/* CLUSTER/SERVICE, SERVICE alone, or a service's ARN; the cluster may be an
 * ARN as well. */
static void set_ecs(struct gathering *g, const char *variable, struct str where,
                    struct conf_node *n)
{
    struct str cluster = where, service = where;
    bool arn =
        str_starts(where, STR("arn:")) &&
        str_find(where, '/') > sizeof(":service") &&
        str_ends(str_n(where.ptr, str_find(where, '/')), STR(":service"));
    size_t slash;

    while (!arn && (slash = str_find(service, '/')) < service.len)
        service = str_from(service, slash + 1);
    cluster.len = where.len - service.len;
    if (cluster.len)
        conf_node_set(g->arena, n, "ecs.cluster",
                      scalar(g, variable, str_n(cluster.ptr, cluster.len - 1)));
    conf_node_set(g->arena, n, "ecs.service", scalar(g, variable, service));
}

/* The section that the short form stands for. */
static struct conf_node *long_form(struct gathering *g, const char *variable,
                                   struct str value)
{
    size_t colon = str_find(value, ':');
    struct str scheme = str_n(value.ptr, colon);
    struct str rest = str_from(value, colon + 1);
    struct conf_node *all = scalar(g, variable, value);
    struct conf_node *n = conf_node_new(g->arena, CONF_MAPPING, all->mark);
    int64_t number;

    if (str_int(value, &number)) {
        conf_node_set(g->arena, n, "fixed", all);
        return n;
    }
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (!str_eqz(scheme, schemes[i].scheme) || !rest.len)
            continue;
        conf_node_set(g->arena, n, schemes[i].option,
                      scalar(g, variable, rest));
        if (schemes[i].type)
            conf_node_set(g->arena, n, "dns.type",
                          scalar(g, variable, str_of(schemes[i].type)));
        return n;
    }
    if (str_eqz(scheme, "ecs") && rest.len) {
        set_ecs(g, variable, rest, n);
        return n;
    }
    conf_fault(g->c, &n->mark, NULL,
               "\"%.*s\" is not fixed:NUMBER, up:JOB, dns:NAME, dnssrv:NAME "
               "or ecs:CLUSTER/SERVICE",
               STR_ARG(str_n(value.ptr, value.len > 99 ? 99 : value.len)));
    return NULL;
}

static bool names_service(struct gathering *g, const char *variable)
{
    struct conf_mark mark = scalar(g, variable, STR(""))->mark;
    const char *p = variable + strlen(CAPACITY_PREFIX);

    while ((*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || *p == '_')
        p++;
    if (*p)
        conf_fault(g->c, &mark, NULL,
                   "names no service; write it in capitals, digits and _, as "
                   "SCALEBRIDGE_CAPACITY_INSTANT_TASKS_WORKER");
    return !*p;
}

static void set_capacity(struct gathering *g, struct str variable,
                         struct str value)
{
    const char *name = arena_strdup(g->arena, variable);
    struct conf_node *n = NULL, *capacity = NULL, *was, *over;
    struct conf_node top = {.kind = CONF_MAPPING};

    if (names_service(g, name))
        n = long_form(g, name, value);
    if (n)
        capacity = member(g, g->root, "capacity", CONF_MAPPING, &n->mark);
    if (!capacity)
        return;
    was = find_service(capacity, variable);
    if (was)
        make_empty(was);
    over = conf_node_new(g->arena, CONF_MAPPING, n->mark);
    conf_node_add(g->arena, over, was ? was->key : service_name(g, variable),
                  n);
    conf_node_add(g->arena, &top, STR("capacity"), over);
    (void)conf_node_merge(g->root, &top);
}

static void set_capacities(struct gathering *g)
{
    struct str prefix = STR(CAPACITY_PREFIX);

    for (const char *const *v = g->world->variables; v && *v; v++) {
        struct str all = str_of(*v);
        struct str name = str_n(all.ptr, str_find(all, '='));
        struct str value = str_trim(str_from(all, name.len + 1));

        if (str_starts(name, prefix) && name.len > prefix.len && value.len)
            set_capacity(g, name, value);
    }
}

/* ---- all sources ---- */

static struct conf_node *read_content(struct settings *s,
                                      const struct conf_world *w)
{
    const char *content = set_variable(w, "SCALEBRIDGE_CONFIG_CONTENT");
    const char *path = set_variable(w, "SCALEBRIDGE_CONFIG");

    if (content && path)
        conf_fault(s->conf,
                   &(struct conf_mark){.source = "env SCALEBRIDGE_CONFIG"},
                   NULL,
                   "SCALEBRIDGE_CONFIG_CONTENT is set as well; set one of "
                   "them");
    if (content)
        return conf_parse(s->conf, "SCALEBRIDGE_CONFIG_CONTENT",
                          str_of(content));
    return path ? conf_parse_file(s->conf, w, path) : NULL;
}

static struct conf_node *read_file(struct settings *s,
                                   const struct conf_world *w,
                                   const struct settings_source *from)
{
    if (from->text)
        return conf_parse(s->conf, from->text_name, str_of(from->text));
    if (from->file)
        return conf_parse_file(s->conf, w, from->file);
    return from->ignore_variables ? NULL : read_content(s, w);
}

static const char *const others[] = {
    "SCALEBRIDGE_API_URL",
    "SCALEBRIDGE_CUSTOM_CODE_RUNNER_URL",
    "SCALEBRIDGE_QUEUED_TASKS_WORKER_URL",
    "SCALEBRIDGE_CAPACITY_*",
    "SCALEBRIDGE_CONFIG",
    "SCALEBRIDGE_CONFIG_CONTENT",
    NULL,
};

static void add_variables(struct gathering *g, const struct conf_key *keys)
{
    g->root = conf_node_merge(g->root, conf_env(g->c, g->world, keys, others));
    for (const struct settings_builtin *b = settings_builtins; b->job; b++) {
        const char *urls = set_variable(g->world, b->variable);

        if (urls)
            set_urls(g, b, urls);
    }
    set_capacities(g);
}

static void add_overrides(struct gathering *g,
                          const struct settings_override *o)
{
    for (; o && o->path; o++) {
        struct conf_mark mark = {.source = o->option};
        struct conf_node *n;

        if (!o->value)
            continue;
        n = conf_node_text(g->arena, mark, str_of(o->value));
        n->flat = true;
        conf_node_set(g->arena, g->root, o->path, n);
    }
}

struct conf_node *settings_gather(struct settings *s,
                                  const struct conf_world *w,
                                  const struct settings_source *from,
                                  const struct conf_key *keys)
{
    struct gathering g = {s->conf, conf_arena(s->conf), w, NULL};
    struct conf_node *file = read_file(s, w, from);

    if (!conf_good(s->conf))
        return NULL; /* half a file is not worth reading on */
    if (file && file->kind != CONF_MAPPING && !file->null) {
        conf_fault(s->conf, &file->mark, NULL,
                   "the file must be sections, as scrape: and sinks:");
        return NULL;
    }
    g.root = file && file->kind == CONF_MAPPING
                 ? file
                 : conf_node_new(g.arena, CONF_MAPPING, (struct conf_mark){0});
    if (!from->ignore_variables)
        add_variables(&g, keys);
    add_overrides(&g, from->overrides);
    conf_expand(s->conf, w, g.root);
    return g.root;
}
