/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/near.h"
#include "agent/base/num.h"
#include "agent/config/inside.h"

#include <math.h>

#define QUOTE_MAX 60
#define BOUND     64

void conf_quote(struct str s, struct buf *out)
{
    size_t shown = 0;

    buf_addc(out, '"');
    while (shown < s.len && shown < QUOTE_MAX) {
        size_t n = str_rune(str_from(s, shown), NULL);
        unsigned char c = (unsigned char)s.ptr[shown];

        if (n == 0 || c < ' ' || c == 0x7f)
            buf_addf(out, "\\x%02x", c);
        else
            buf_add(out, s.ptr + shown, n);
        shown += n ? n : 1;
    }
    buf_addz(out, shown < s.len ? "...\"" : "\"");
}

/* "text" is not ..., without the text where that is a secret. */
static bool refuse(struct err *err, struct str text, bool secret,
                   const char *what)
{
    struct buf b;
    bool r;

    buf_init(&b, sizeof(err->text));
    if (secret)
        buf_addz(&b, "the value (not shown)");
    else
        conf_quote(text, &b);
    r = err_set(err, ERR_CONFIG, "%s %s", buf_z(&b), what);
    buf_fini(&b);
    return r;
}

/* ---- text to values; each returns NULL or what is wrong ---- */

static const char *read_ms(struct str text, double *out)
{
    int64_t ms;

    if (when_duration_parse(text, &ms)) {
        *out = (double)ms;
        return NULL;
    }
    if (str_int(text, &ms) && ms >= 0)
        return "has no unit; write a duration like 15s or 5m";
    return "is not a duration like 15s or 5m";
}

static const struct {
    const char *unit;
    double bytes;
} units[] = {
    {"", 1},      {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824},
    {"kB", 1000}, {"KB", 1000},  {"MB", 1e6},      {"GB", 1e9},
    {"B", 1},
};

static const char *read_size(struct str text, double *out)
{
    size_t digits = 0;
    int64_t n;
    struct str unit;

    while (digits < text.len && text.ptr[digits] >= '0' &&
           text.ptr[digits] <= '9')
        digits++;
    unit = str_trim(str_from(text, digits));
    if (!str_int(str_n(text.ptr, digits), &n))
        return "is not a size like 64KiB or 16MiB";
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (!str_eqz(unit, units[i].unit))
            continue;
        *out = (double)n * units[i].bytes;
        return NULL;
    }
    return "has no unit that is known; write bytes, or KiB, MiB, GiB";
}

static const char *read_int(struct str text, double *out)
{
    int64_t n;

    if (!str_int(text, &n))
        return "is not a whole number";
    *out = (double)n;
    return NULL;
}

static const char *read_num(struct str text, double *out)
{
    if (!num_parse(text, out) || !isfinite(*out))
        return "is not a number like 5 or 0.45";
    return NULL;
}

static bool out_of_bounds(const struct conf_key *row, struct str text,
                          bool secret, struct err *err)
{
    struct buf b;
    bool r;

    buf_init(&b, BUF_NO_LIMIT);
    buf_addz(&b, "is out of bounds; ");
    conf_kind_bounds(row, &b);
    buf_addz(&b, " is allowed");
    r = refuse(err, text, secret, buf_z(&b));
    buf_fini(&b);
    return r;
}

static bool read_number(const struct conf_key *row, struct str text,
                        bool secret, void *field, struct err *err)
{
    const char *fault;
    double v = 0;

    if (row->kind == CONF_KIND_MS)
        fault = read_ms(text, &v);
    else if (row->kind == CONF_KIND_SIZE)
        fault = read_size(text, &v);
    else
        fault = row->kind == CONF_KIND_INT ? read_int(text, &v)
                                           : read_num(text, &v);
    if (fault)
        return refuse(err, text, secret, fault);
    if (v < row->min || v > row->max)
        return out_of_bounds(row, text, secret, err);
    if (row->kind == CONF_KIND_NUM)
        *(double *)field = v;
    else
        *(int64_t *)field = (int64_t)v;
    return true;
}

static bool read_bool(struct str text, bool secret, bool *field,
                      struct err *err)
{
    if (!str_eqi(text, STR("true")) && !str_eqi(text, STR("false")))
        return refuse(err, text, secret, "is not true or false");
    *field = str_eqi(text, STR("true"));
    return true;
}

static bool read_enum(const struct conf_key *row, struct str text, bool secret,
                      int64_t *field, struct err *err)
{
    struct str rest = str_of(row->choices), name;
    struct near near;
    struct buf b;
    bool r;

    near_start(&near, text);
    for (int64_t i = 0; str_next(&rest, '|', &name); i++) {
        near_offer(&near, name);
        if (!str_eqi(text, name))
            continue;
        *field = i;
        return true;
    }
    buf_init(&b, BUF_NO_LIMIT);
    buf_addz(&b, "is not ");
    conf_kind_name(row, &b);
    if (near.best.ptr && !secret)
        buf_addf(&b, "; did you mean \"%.*s\"?", STR_ARG(near.best));
    r = refuse(err, text, secret, buf_z(&b));
    buf_fini(&b);
    return r;
}

static size_t commas(struct str text)
{
    size_t n = 1;

    for (size_t i = 0; i < text.len; i++)
        n += text.ptr[i] == ',';
    return n;
}

static bool read_list(struct arena *a, struct str text, struct conf_list *field,
                      struct err *err)
{
    struct conf_list list = {0};
    struct str part;

    if (commas(text) > CONF_ITEMS_MAX)
        return err_set(err, ERR_CONFIG, "has more than %d items",
                       CONF_ITEMS_MAX);
    list.items = arena_array(a, commas(text), sizeof(*list.items));
    while (str_next(&text, ',', &part)) {
        part = str_trim(part);
        if (part.len)
            list.items[list.count++] = arena_strdup(a, part);
    }
    *field = list;
    return true;
}

static bool has_name(const struct conf_map *map, struct str name)
{
    for (size_t i = 0; i < map->count; i++)
        if (str_eqz(name, map->pairs[i].name))
            return true;
    return false;
}

static bool read_pair(struct arena *a, struct str part, bool secret,
                      struct conf_map *map, struct err *err)
{
    size_t eq = str_find(part, '=');
    struct str name = str_trim(str_n(part.ptr, eq));
    struct conf_pair *pair = &map->pairs[map->count];

    if (eq == part.len || name.len == 0)
        return refuse(err, part, secret, "is not Name=Value");
    if (has_name(map, name))
        return refuse(err, name, secret, "stands here twice");
    pair->name = arena_strdup(a, name);
    pair->value = arena_strdup(a, str_trim(str_from(part, eq + 1)));
    map->count++;
    return true;
}

static bool read_map(struct arena *a, struct str text, bool secret,
                     struct conf_map *field, struct err *err)
{
    struct conf_map map = {0};
    struct str part;

    if (commas(text) > CONF_ITEMS_MAX)
        return err_set(err, ERR_CONFIG, "has more than %d pairs",
                       CONF_ITEMS_MAX);
    map.pairs = arena_array(a, commas(text), sizeof(*map.pairs));
    while (str_next(&text, ',', &part)) {
        part = str_trim(part);
        if (part.len && !read_pair(a, part, secret, &map, err))
            return false;
    }
    *field = map;
    return true;
}

static bool is_text(struct str text, struct err *err)
{
    if (text.len && memchr(text.ptr, '\0', text.len))
        return err_set(err, ERR_CONFIG, "must not have a NUL byte in it");
    if (!str_utf8(text))
        return err_set(err, ERR_CONFIG, "is not UTF-8 text");
    return true;
}

static bool read_text(const struct conf_key *row, struct arena *a,
                      struct str text, char **field, struct err *err)
{
    if (!text.len && row->flags & CONF_FILLED)
        return err_set(err, ERR_CONFIG, "must not be empty");
    *field = arena_strdup(a, text);
    return true;
}

bool conf_kind_read(const struct conf_key *row, struct arena *a,
                    struct str text, bool secret, void *field, struct err *err)
{
    secret = secret || row->flags & CONF_SECRET;
    switch (row->kind) {
    case CONF_KIND_MS:
    case CONF_KIND_SIZE:
    case CONF_KIND_INT:
    case CONF_KIND_NUM:
        return read_number(row, str_trim(text), secret, field, err);
    case CONF_KIND_BOOL:
        return read_bool(str_trim(text), secret, field, err);
    case CONF_KIND_ENUM:
        return read_enum(row, str_trim(text), secret, field, err);
    case CONF_KIND_LIST:
        return is_text(text, err) && read_list(a, text, field, err);
    case CONF_KIND_MAP:
        return is_text(text, err) && read_map(a, text, secret, field, err);
    case CONF_KIND_TEXT:
        return is_text(text, err) && read_text(row, a, text, field, err);
    case CONF_KIND_END:
    case CONF_KIND_SECTION:
    case CONF_KIND_INLINE:
    case CONF_KIND_OPTIONAL:
    case CONF_KIND_ROWS:
    case CONF_KIND_NAMED:
    default:
        return err_set(err, ERR_INTERNAL, "is a section");
    }
}

/* ---- and back ---- */

static void print_size(double v, struct buf *out)
{
    size_t unit = 3; /* GiB, MiB, KiB, bytes */

    while (unit && (v < units[unit].bytes || fmod(v, units[unit].bytes) != 0))
        unit--;
    buf_addf(out, "%.0f%s", v / units[unit].bytes, units[unit].unit);
}

static void print_number(enum conf_kind kind, double v, struct buf *out)
{
    char text[NUM_MAX];

    if (kind == CONF_KIND_MS) {
        when_duration_format((int64_t)v, text);
        buf_addz(out, text);
    } else if (kind == CONF_KIND_SIZE) {
        print_size(v, out);
    } else {
        buf_add(out, text, num_json(v, text));
    }
}

static void print_choice(const char *choices, int64_t which, struct buf *out)
{
    struct str rest = str_of(choices), name;

    while (str_next(&rest, '|', &name))
        if (which-- == 0)
            buf_adds(out, name);
}

static void print_list(const struct conf_list *list, struct buf *out)
{
    for (size_t i = 0; i < list->count; i++)
        buf_addf(out, "%s%s", i ? "," : "", list->items[i]);
}

static void print_map(const struct conf_map *map, struct buf *out)
{
    for (size_t i = 0; i < map->count; i++)
        buf_addf(out, "%s%s=%s", i ? "," : "", map->pairs[i].name,
                 map->pairs[i].value);
}

void conf_kind_print(const struct conf_key *row, const void *field,
                     struct buf *out)
{
    switch (row->kind) {
    case CONF_KIND_MS:
    case CONF_KIND_SIZE:
    case CONF_KIND_INT:
        print_number(row->kind, (double)*(const int64_t *)field, out);
        break;
    case CONF_KIND_NUM:
        print_number(row->kind, *(const double *)field, out);
        break;
    case CONF_KIND_BOOL:
        buf_addz(out, *(const bool *)field ? "true" : "false");
        break;
    case CONF_KIND_TEXT:
        buf_addz(out, *(char *const *)field ? *(char *const *)field : "");
        break;
    case CONF_KIND_ENUM:
        print_choice(row->choices, *(const int64_t *)field, out);
        break;
    case CONF_KIND_LIST:
        print_list(field, out);
        break;
    case CONF_KIND_MAP:
        print_map(field, out);
        break;
    case CONF_KIND_END:
    case CONF_KIND_SECTION:
    case CONF_KIND_INLINE:
    case CONF_KIND_OPTIONAL:
    case CONF_KIND_ROWS:
    case CONF_KIND_NAMED:
    default:
        break;
    }
}

/* ---- what a kind is called ---- */

/* clang-format off */
static const struct {
    const char *name;
    size_t size; /* of the field */
} kinds[] = {
    [CONF_KIND_END] = {"", 0},
    [CONF_KIND_MS] = {"duration", sizeof(int64_t)},
    [CONF_KIND_SIZE] = {"size", sizeof(int64_t)},
    [CONF_KIND_INT] = {"whole number", sizeof(int64_t)},
    [CONF_KIND_NUM] = {"number", sizeof(double)},
    [CONF_KIND_BOOL] = {"true or false", sizeof(bool)},
    [CONF_KIND_TEXT] = {"text", sizeof(char *)},
    [CONF_KIND_ENUM] = {"one of ", sizeof(int64_t)},
    [CONF_KIND_LIST] = {"list", sizeof(struct conf_list)},
    [CONF_KIND_MAP] = {"names with values", sizeof(struct conf_map)},
    [CONF_KIND_SECTION] = {"section", 0},
    [CONF_KIND_INLINE] = {"", 0},
    [CONF_KIND_OPTIONAL] = {"optional section", 0},
    [CONF_KIND_ROWS] = {"list of sections", 0},
    [CONF_KIND_NAMED] = {"sections by name", 0},
};
/* clang-format on */

size_t conf_kind_size(const struct conf_key *row)
{
    return kinds[row->kind].size;
}

void conf_kind_name(const struct conf_key *row, struct buf *out)
{
    struct str rest = str_of(row->choices), name;

    if (row->flags & CONF_SECRET)
        buf_addz(out, "secret ");
    buf_addz(out, kinds[row->kind].name);
    if (row->kind != CONF_KIND_ENUM)
        return;
    for (bool first = true; str_next(&rest, '|', &name); first = false)
        buf_addf(out, "%s%.*s", first ? "" : ", ", STR_ARG(name));
}

void conf_kind_bounds(const struct conf_key *row, struct buf *out)
{
    if (row->kind < CONF_KIND_MS || row->kind > CONF_KIND_NUM)
        return;
    print_number(row->kind, row->min, out);
    buf_addz(out, " to ");
    print_number(row->kind, row->max, out);
}

const struct conf_key *conf_row_find(const struct conf_key *keys,
                                     struct str key, size_t *at)
{
    for (const struct conf_key *row = keys; row && row->key; row++) {
        const struct conf_key *inner;

        if (row->kind != CONF_KIND_INLINE && str_eqz(key, row->key)) {
            *at = row->at;
            return row;
        }
        if (row->kind != CONF_KIND_INLINE)
            continue;
        inner = conf_row_find(row->keys, key, at);
        if (inner) {
            *at += row->at;
            return inner;
        }
    }
    return NULL;
}
