/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_actuate.c - what is scaled here, against the metrics that there are.
 */
#include "agent/base/near.h"
#include "agent/settings/inside.h"

static const struct rule_info *find(const struct settings *s, const char *name,
                                    struct near *near)
{
    near_start(near, str_of(name));
    for (size_t i = 0; i < rules_count(s->rules); i++) {
        const struct rule_info *info = rules_info(s->rules, i);

        if (str_eqz(info->name, name))
            return info;
        near_offer(near, info->name);
    }
    return NULL;
}

static const struct rule_info *find_or_blame(struct settings *s,
                                             char *const *name)
{
    struct near near;
    const struct rule_info *info = find(s, *name, &near);

    if (info)
        return info;
    if (near.best.ptr)
        conf_blame(s->conf, name,
                   "there is no metric \"%s\"; did you mean \"%.*s\"?", *name,
                   STR_ARG(near.best));
    else
        conf_blame(s->conf, name,
                   "there is no metric \"%s\"; show-config and show-metrics "
                   "list them",
                   *name);
    return NULL;
}

static bool same_place(const struct cloudrun_conf *a,
                       const struct cloudrun_conf *b)
{
    return strcmp(a->service, b->service) == 0 &&
           strcmp(a->worker_pool, b->worker_pool) == 0 &&
           strcmp(a->location, b->location) == 0 &&
           strcmp(a->project, b->project) == 0;
}

static void check_others(struct settings *s, size_t at)
{
    const struct actuate_conf *rows = s->values.actuate;

    for (size_t i = 0; i < at; i++) {
        if (strcmp(rows[i].name, rows[at].name) == 0)
            conf_blame(s->conf, &rows[at].name,
                       "\"%s\" is the name of another one already; choose "
                       "another",
                       rows[at].name);
        if (same_place(rows[i].cloud_run, rows[at].cloud_run))
            conf_blame(s->conf, &rows[at].cloud_run,
                       "\"%s\" sets the same count already, and the two would "
                       "fight; keep one of them",
                       rows[i].name);
    }
}

static void check_row(struct settings *s, size_t i)
{
    const struct actuate_conf *row = &s->values.actuate[i];
    const struct rule_info *info = find_or_blame(s, &row->metric);

    if (info && info->scaling == PRESET_RATIO)
        conf_blame(s->conf, &row->metric,
                   "%s is a ratio to the workers that run, and what is needed "
                   "is the number of workers required; use a total, as "
                   "InstantTasksWorkersRequired",
                   row->metric);
    else if (info && info->scaling == PRESET_NO_SCALING)
        conf_blame(s->conf, &row->metric,
                   "%s does not say how many workers are required; use a "
                   "total of unit Count, as InstantTasksWorkersRequired",
                   row->metric);
    if (row->busy[0])
        (void)find_or_blame(s, &row->busy);
    check_others(s, i);
}

void settings_check_actuate(struct settings *s)
{
    for (size_t i = 0; s->rules && i < s->values.actuate_count; i++)
        if (conf_good(s->conf))
            check_row(s, i);
}
