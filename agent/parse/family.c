/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/parse/family.h"

#include "agent/base/num.h"

#include <math.h>

void family_init(struct family *f)
{
    *f = (struct family){0};
    arena_init(&f->arena, 4096);
}

void family_fini(struct family *f)
{
    map_fini(&f->series);
    map_fini(&f->groups);
    labels_builder_fini(&f->builder);
    arena_fini(&f->arena);
}

void family_begin(struct family *f, struct str name)
{
    struct arena arena = f->arena;
    struct labels_builder builder = f->builder;

    map_fini(&f->series);
    map_fini(&f->groups);
    arena_reset(&arena);
    *f = (struct family){.named = true, .arena = arena, .builder = builder};
    f->name = arena_str(&f->arena, name);
}

static const char *const none[] = {NULL};
static const char *const counter[] = {"_total", "_created", NULL};
static const char *const info[] = {"_info", NULL};
static const char *const histogram[] = {"_bucket", "_sum", "_count", "_created",
                                        NULL};
static const char *const gaugehistogram[] = {"_bucket", "_gsum", "_gcount",
                                             NULL};
static const char *const summary[] = {"_sum", "_count", "_created", NULL};

const char *const *family_suffixes(enum parse_format format,
                                   enum parse_type type)
{
    static const char *const *const suffixes[] = {
        [PARSE_UNKNOWN] = none,    [PARSE_COUNTER] = counter,
        [PARSE_GAUGE] = none,      [PARSE_HISTOGRAM] = histogram,
        [PARSE_SUMMARY] = summary, [PARSE_GAUGEHISTOGRAM] = gaugehistogram,
        [PARSE_INFO] = info,       [PARSE_STATESET] = none,
    };

    if (format == PARSE_PROMETHEUS && type == PARSE_COUNTER)
        return none;
    return suffixes[type];
}

const char *family_forms(enum parse_type type)
{
    static const char *const forms[] = {
        [PARSE_UNKNOWN] = "as its family",
        [PARSE_COUNTER] = "as its family with _total or _created behind it",
        [PARSE_GAUGE] = "as its family",
        [PARSE_HISTOGRAM] =
            "as its family with _bucket, _sum, _count or _created behind it",
        [PARSE_SUMMARY] =
            "as its family, or with _sum, _count or _created behind it",
        [PARSE_GAUGEHISTOGRAM] =
            "as its family with _bucket, _gsum or _gcount behind it",
        [PARSE_INFO] = "as its family with _info behind it",
        [PARSE_STATESET] = "as its family",
    };

    return forms[type];
}

static bool bare(enum parse_format format, enum parse_type type)
{
    return type == PARSE_SUMMARY || *family_suffixes(format, type) == NULL;
}

bool family_has(enum parse_format format, const struct family *f,
                struct str name)
{
    const char *const *suffix = family_suffixes(format, f->type);

    if (!str_starts(name, f->name))
        return false;
    if (name.len == f->name.len)
        return bare(format, f->type);
    for (; *suffix; suffix++)
        if (str_eqz(str_from(name, f->name.len), *suffix))
            return true;
    return false;
}

static bool bad(struct parser *p, const char *what)
{
    return fault_at(p, p->line.text, p->line.series_at, ERR_INPUT, "%s", what);
}

static bool bad_value(struct parser *p, const char *what)
{
    return fault_at(p, p->line.text, p->line.value_at, ERR_INPUT, "%s", what);
}

/* The labels of the line, as one text; `apart`: without those that tell the
 * samples of one group from each other. */
static const struct labels *line_set(struct parser *p, struct family *f,
                                     struct str name, bool apart)
{
    const struct parse_sample s = {.name = name, .type = p->type, .parser = p};

    labels_start(&f->builder);
    parse_labels(&s, &f->builder);
    if (apart) {
        labels_drop(&f->builder, LABEL_NAME);
        if (f->type == PARSE_HISTOGRAM || f->type == PARSE_GAUGEHISTOGRAM)
            labels_drop(&f->builder, STR("le"));
        if (f->type == PARSE_SUMMARY)
            labels_drop(&f->builder, STR("quantile"));
        if (f->type == PARSE_STATESET)
            labels_drop(&f->builder, f->name);
    }
    return labels_build(&f->builder, &f->arena);
}

static struct str text_of(const struct labels *l)
{
    return str_n((const char *)l->packed, l->size);
}

/* A series may come again only in OpenMetrics, and later in time. */
static bool check_series(struct parser *p, struct family *f, struct str name)
{
    const struct labels *set = line_set(p, f, name, false);
    struct sample *last = map_get(&f->series, text_of(set));

    if (last && (p->o.format == PARSE_PROMETHEUS || !p->line.has_time ||
                 p->line.t_ms <= last->t_ms))
        return bad(p, "the series was already given");
    if (last == NULL) {
        last = arena_zalloc(&f->arena, sizeof(*last));
        map_put(&f->series, text_of(set), last);
    }
    last->t_ms = p->line.t_ms;
    return true;
}

static bool check_time(struct parser *p, struct group *g)
{
    const struct line *l = &p->line;

    if (p->o.format == PARSE_PROMETHEUS)
        return true;
    if (l->has_time != g->has_time)
        return bad(p, "either all samples of a metric have a timestamp, or "
                      "none");
    if (l->t_ms < g->t_ms)
        return bad(p, "the timestamps of a metric may not go back");
    g->t_ms = l->t_ms;
    return true;
}

/* A histogram's last sample of one time has been seen. */
static const char *group_fault(const struct parser *p, const struct group *g)
{
    const bool openmetrics = p->o.format == PARSE_OPENMETRICS;

    if (!g->has_inf)
        return "has no last bucket le=\"+Inf\"";
    if (g->has_count && g->count != g->bucket)
        return "has a count that is not its bucket le=\"+Inf\"";
    if (!openmetrics)
        return g->has_sum && g->has_count ? NULL : "lacks its sum or its count";
    if (g->has_sum != g->has_count)
        return "must have both a sum and a count, or neither";
    return NULL;
}

/* The sum of a histogram is a counter, that of a gauge histogram is not. */
static const char *sum_fault(const struct parser *p, const struct family *f,
                             const struct group *g)
{
    if (p->o.format == PARSE_PROMETHEUS || !g->has_sum)
        return NULL;
    if (f->type == PARSE_HISTOGRAM && g->negative)
        return "may not have a sum beside a bucket with a negative bound";
    if (g->negative_sum && !g->negative)
        return "has a negative sum, but no bucket with a negative bound";
    return NULL;
}

static bool end_point(struct parser *p, const struct family *f,
                      const struct group *g, const char *text)
{
    const char *what;
    struct excerpt e;

    if (f->type != PARSE_HISTOGRAM && f->type != PARSE_GAUGEHISTOGRAM)
        return true;
    what = group_fault(p, g);
    if (what == NULL)
        what = sum_fault(p, f, g);
    if (what == NULL)
        return true;
    p->line_no = g->line;
    return fault_at(p, text, 0, ERR_INPUT, "the histogram \"%s\" %s",
                    excerpt(&e, f->name.ptr, f->name.len), what);
}

static bool enter_group(struct parser *p, struct family *f, struct str name)
{
    const struct labels *set = line_set(p, f, name, true);
    struct group *g = map_get(&f->groups, text_of(set));

    if (g && g != f->group && p->o.format == PARSE_OPENMETRICS)
        return bad(p, "the samples of a metric must stand together");
    if (g == NULL) {
        g = arena_zalloc(&f->arena, sizeof(*g));
        g->has_time = p->line.has_time;
        g->t_ms = p->line.t_ms;
        map_put(&f->groups, text_of(set), g);
    } else if (p->line.has_time && p->line.t_ms > g->t_ms) {
        /* The next point of the same metric. */
        if (!end_point(p, f, g, p->line.text))
            return false;
        *g = (struct group){.has_time = g->has_time, .t_ms = g->t_ms};
    }
    f->group = g;
    return check_time(p, g);
}

static struct str label(struct parser *p, struct str name)
{
    const struct line *l = &p->line;

    for (size_t i = 0; i < l->label_count; i++)
        if (str_eq(str_n(l->text + l->labels[i].name_at, l->labels[i].name_len),
                   name))
            return str_n(l->text + l->labels[i].value_at,
                         l->labels[i].value_len);
    return STR_NONE;
}

static bool whole(double v)
{
    return isfinite(v) && v >= 0 && floor(v) == v;
}

static bool check_bucket(struct parser *p, struct group *g)
{
    const struct str le = label(p, STR("le"));
    const double v = p->line.value;
    double bound;

    if (!num_parse(le, &bound) || isnan(bound))
        return bad(p, "a bucket must have a label le with its upper bound");
    if (isinf(bound) && bound > 0 && !str_eqz(le, "+Inf"))
        return bad(p, "the bound of the last bucket must be written +Inf");
    if (p->o.format == PARSE_OPENMETRICS && !whole(v))
        return bad_value(p, "a bucket counts: its value must be a whole "
                            "number");
    if (g->has_bucket && bound <= g->bound)
        return bad(p, "the buckets of a histogram must stand in the order of "
                      "le");
    if (g->has_bucket && v < g->bucket)
        return bad_value(p, "a bucket holds those before it: its value may "
                            "not be smaller");
    g->negative |= bound < 0;
    g->has_bucket = true;
    g->bound = bound;
    g->bucket = v;
    g->has_inf = isinf(bound) && bound > 0;
    return true;
}

static bool check_histogram(struct parser *p, struct group *g,
                            struct str suffix)
{
    const bool count =
        str_eq(suffix, STR("_count")) || str_eq(suffix, STR("_gcount"));

    g->line = p->line_no;
    if (str_eq(suffix, STR("_bucket")))
        return check_bucket(p, g);
    if (count && p->o.format == PARSE_OPENMETRICS && !whole(p->line.value))
        return bad_value(p, "a count must be a whole number");
    if (count) {
        g->has_count = true;
        g->count = p->line.value;
    }
    if (count || str_eq(suffix, STR("_created")))
        return true;
    g->has_sum = true;
    g->negative_sum = p->line.value < 0;
    return true;
}

static bool check_quantile(struct parser *p)
{
    double q;

    if (!num_parse(label(p, STR("quantile")), &q) || !(q >= 0 && q <= 1))
        return bad(p, "a summary's sample must have a label quantile from 0 "
                      "to 1");
    if (p->line.value < 0)
        return bad_value(p, "a quantile may not be negative");
    return true;
}

static bool check_summary(struct parser *p, struct str suffix)
{
    if (suffix.len == 0)
        return check_quantile(p);
    if (p->o.format == PARSE_OPENMETRICS && str_eq(suffix, STR("_count")) &&
        !whole(p->line.value))
        return bad_value(p, "a count must be a whole number");
    return true;
}

/* Those that only grow. */
static bool check_counting(struct parser *p, struct str suffix)
{
    static const char *const names[] = {"_total",  "_sum",    "_count",
                                        "_bucket", "_gcount", "_gsum"};
    const double v = p->line.value;

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (!str_eqz(suffix, names[i]))
            continue;
        if (isnan(v))
            return bad_value(p, "what counts or sums up may not be NaN");
        if (v < 0 && !str_eq(suffix, STR("_gsum")))
            return bad_value(p, "what only grows may not be negative");
    }
    return true;
}

static bool check_exemplar(struct parser *p, const struct family *f,
                           struct str suffix)
{
    if (!p->line.has_exemplar || str_eq(suffix, STR("_total")) ||
        (str_eq(suffix, STR("_bucket")) && f->type != PARSE_SUMMARY))
        return true;
    return bad(p, "only buckets and counters' totals may have an exemplar");
}

static bool check_value(struct parser *p, const struct family *f)
{
    const double v = p->line.value;

    if (f->type == PARSE_INFO && v != 1)
        return bad_value(p, "the value of an info must be 1");
    if (f->type != PARSE_STATESET)
        return true;
    if (v != 0 && v != 1)
        return bad_value(p, "the value of a state must be 0 or 1");
    if (label(p, f->name).len == 0)
        return bad(p, "a state must be named by a label with the name of its "
                      "family");
    return true;
}

bool family_sample(struct parser *p, struct family *f, struct str name)
{
    const struct str suffix = str_from(name, f->name.len);
    const bool openmetrics = p->o.format == PARSE_OPENMETRICS;

    f->samples = true;
    if (!enter_group(p, f, name) || !check_series(p, f, name))
        return false;
    if (f->type == PARSE_SUMMARY && !check_summary(p, suffix))
        return false;
    if ((f->type == PARSE_HISTOGRAM || f->type == PARSE_GAUGEHISTOGRAM) &&
        !check_histogram(p, f->group, suffix))
        return false;
    if (!openmetrics)
        return true;
    return check_counting(p, suffix) && check_exemplar(p, f, suffix) &&
           check_value(p, f);
}

bool family_end(struct parser *p, struct family *f, const char *text)
{
    struct map_slot slot;
    size_t i = 0;

    while (map_next(&f->groups, &i, &slot))
        if (!end_point(p, f, slot.value, text))
            return false;
    return true;
}
