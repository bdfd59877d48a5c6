/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks/azure_monitor.h"

#include <math.h>
#include <stdio.h>

/*
 * /subscriptions/S/resourceGroups/G/providers/NAMESPACE/TYPE/NAME, and pairs
 * of TYPE and NAME behind that.
 */
static bool resource_shape(struct str id)
{
    static const char *const words[] = {
        "", "subscriptions", NULL, "resourceGroups", NULL, "providers"};
    struct str part;
    size_t n = 0;

    for (; str_next(&id, '/', &part); n++) {
        if (n > 0 && part.len == 0)
            return false;
        if (n < sizeof(words) / sizeof(*words) && words[n] &&
            !str_eqi(part, str_of(words[n])))
            return false;
    }
    return n >= 9 && n % 2 == 1;
}

bool azure_resource_ok(struct str id, struct err *err)
{
    if (resource_shape(id))
        return true;
    if (id.len == 0)
        return err_set(err, ERR_CONFIG,
                       "resource_id: not set; write that of the resource "
                       "whose metrics these are, as `az containerapp show -n "
                       "NAME -g GROUP --query id` prints it");
    if (!str_starts(id, STR("/subscriptions/")))
        return err_set(err, ERR_CONFIG,
                       "resource_id: \"%.*s\" is no resource id; it begins "
                       "with /subscriptions/, as `az containerapp show -n NAME "
                       "-g GROUP --query id` prints it",
                       STR_ARG(id));
    if (!memmem(id.ptr, id.len, "/providers/", 11))
        return err_set(err, ERR_CONFIG,
                       "resource_id: \"%.*s\" is a subscription or a resource "
                       "group, which cannot carry custom metrics; name a "
                       "resource, as "
                       ".../providers/Microsoft.App/containerApps/NAME",
                       STR_ARG(id));
    return err_set(err, ERR_CONFIG,
                   "resource_id: \"%.*s\" is not like /subscriptions/S/"
                   "resourceGroups/G/providers/Microsoft.App/containerApps/"
                   "NAME",
                   STR_ARG(id));
}

/* Something to see, no control characters, not too long. */
static bool text_ok(struct str s, const char *what, struct err *err)
{
    size_t blanks = 0;

    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f)
            return err_set(err, ERR_CONFIG,
                           "%s: holds a control character, byte %zu", what,
                           i + 1);
        blanks += s.ptr[i] == ' ';
    }
    if (blanks == s.len)
        return err_set(err, ERR_CONFIG,
                       "%s: is empty or blank, which azure_monitor refuses",
                       what);
    if (s.len > AZURE_NAME)
        return err_set(err, ERR_CONFIG,
                       "%s: is %zu bytes long; azure_monitor takes %d", what,
                       s.len, AZURE_NAME);
    return true;
}

bool azure_namespace_ok(struct str namespace, struct err *err)
{
    return text_ok(namespace, "namespace", err);
}

#define WHAT_MAX 160
static void called(char what[WHAT_MAX], struct str metric,
                   const struct str *dimension)
{
    if (dimension)
        (void)snprintf(what, WHAT_MAX, "metric \"%.*s\": dimension \"%.*s\"",
                       (int)(metric.len < 60 ? metric.len : 60), metric.ptr,
                       (int)(dimension->len < 60 ? dimension->len : 60),
                       dimension->ptr);
    else
        (void)snprintf(what, WHAT_MAX, "metric \"%.*s\"",
                       (int)(metric.len < 100 ? metric.len : 100), metric.ptr);
}

/* Who reads them by REST separates names of metrics by commas. */
static bool metric_ok(struct str name, size_t dimensions, struct err *err)
{
    char what[WHAT_MAX];

    called(what, name, NULL);
    if (!text_ok(name, what, err))
        return false;
    if (str_find(name, ',') < name.len || str_find(name, '/') < name.len)
        return err_set(err, ERR_CONFIG,
                       "%s: holds a comma or slash, so that no scaling rule "
                       "on azure monitor could name it; choose another name",
                       what);
    return dimensions <= AZURE_DIMENSIONS ||
           err_set(err, ERR_CONFIG,
                   "%s: has %zu dimensions; azure_monitor takes %d, and none "
                   "is left out by itself: name fewer",
                   what, dimensions, AZURE_DIMENSIONS);
}

bool azure_check(const void *conf, const struct sink_metric *m, struct err *err)
{
    char what[WHAT_MAX];

    (void)conf;
    if (!metric_ok(m->name, m->dimension_count, err))
        return false;
    for (size_t i = 0; i < m->dimension_count; i++) {
        called(what, m->name, &m->dimensions[i]);
        if (!text_ok(m->dimensions[i], what, err))
            return false;
    }
    return true;
}

static bool values_ok(const struct point *p, struct err *err)
{
    if (!isfinite(point_min(p)) || !isfinite(point_max(p)) ||
        !isfinite(point_sum(p)))
        return err_set(err, ERR_INPUT,
                       "metric \"%.*s\": its values, or their sum, are no "
                       "finite numbers",
                       STR_ARG(p->name));
    return point_count(p) <= INT32_MAX ||
           err_set(err, ERR_INPUT,
                   "metric \"%.*s\": has more values than azure_monitor can "
                   "count",
                   STR_ARG(p->name));
}

bool azure_admit(const void *conf, const struct point *p, struct err *err)
{
    char what[WHAT_MAX];

    (void)conf;
    if (!metric_ok(p->name, p->dimension_count, err) || !values_ok(p, err))
        return false;
    for (size_t i = 0; i < p->dimension_count; i++) {
        called(what, p->name, &p->dimensions[i].name);
        if (!text_ok(p->dimensions[i].name, what, err) ||
            !text_ok(p->dimensions[i].value, what, err))
            return false;
    }
    return true;
}
