/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/jsonr.h"

#include "agent/base/mem.h"

#include <json-c/json.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>

#define DEPTH_MAX   32
#define EXACT_WHOLE 9007199254740992.0 /* 2^53 */

static bool blank_from(struct str text, size_t at)
{
    return str_trim(str_from(text, at)).len == 0;
}

/* Runs on a copy with a NUL: a number at the end is over only then. */
static bool run(struct json_tokener *tok, struct str text,
                struct json_object **out, struct err *err)
{
    char *z = xstrndup(text.ptr, text.len);
    struct json_object *tree =
        json_tokener_parse_ex(tok, z, (int)(text.len + 1));
    enum json_tokener_error rc = json_tokener_get_error(tok);
    size_t end = json_tokener_get_parse_end(tok);

    free(z);
    if (rc == json_tokener_success && blank_from(text, end)) {
        *out = tree;
        return true;
    }
    json_object_put(tree);
    if (rc == json_tokener_continue)
        return err_set(err, ERR_INPUT, "json: the text is cut short");
    return err_set(err, ERR_INPUT, "json: at byte %zu: %s", end + 1,
                   rc == json_tokener_success ? "more text behind the value"
                                              : json_tokener_error_desc(rc));
}

bool jsonr_parse(struct str text, struct json_object **out, struct err *err)
{
    struct json_tokener *tok;
    bool ok;

    if (text.len >= INT_MAX)
        return err_set(err, ERR_LIMIT, "json: the text is over 2 GiB");
    if (str_trim(text).len == 0)
        return err_set(err, ERR_INPUT, "json: the text is empty");
    tok = json_tokener_new_ex(DEPTH_MAX);
    if (!tok)
        abort();
    json_tokener_set_flags(tok, JSON_TOKENER_STRICT |
                                    JSON_TOKENER_VALIDATE_UTF8 |
                                    JSON_TOKENER_ALLOW_TRAILING_CHARS);
    ok = run(tok, text, out, err);
    json_tokener_free(tok);
    return ok;
}

struct json_object *jsonr_get(struct json_object *o, const char *key)
{
    struct json_object *v = NULL;

    if (!json_object_is_type(o, json_type_object) ||
        !json_object_object_get_ex(o, key, &v))
        return NULL;
    return v;
}

static const char *type_name(struct json_object *o)
{
    switch (json_object_get_type(o)) {
    case json_type_boolean:
        return "a boolean";
    case json_type_double:
    case json_type_int:
        return "a number";
    case json_type_object:
        return "an object";
    case json_type_array:
        return "an array";
    case json_type_string:
        return "text";
    case json_type_null:
    default:
        return "null";
    }
}

static bool wrong(struct json_object *v, const char *key, const char *want,
                  struct err *err)
{
    if (!v)
        return err_set(err, ERR_INPUT, "\"%s\" is missing", key);
    return err_set(err, ERR_INPUT, "\"%s\" is %s, not %s", key, type_name(v),
                   want);
}

static struct str text_of(struct json_object *v)
{
    return str_n(json_object_get_string(v),
                 (size_t)json_object_get_string_len(v));
}

bool jsonr_text(struct json_object *o, const char *key, struct str *out,
                struct err *err)
{
    struct json_object *v = jsonr_get(o, key);

    if (!v || !json_object_is_type(v, json_type_string))
        return wrong(v, key, "text", err);
    *out = text_of(v);
    return true;
}

/* A whole number however it is written: 3600, 3600.0, 3.6e3. */
static bool whole(struct json_object *v, int64_t *out)
{
    double d;

    if (json_object_is_type(v, json_type_int)) {
        *out = json_object_get_int64(v);
        return *out < 0 || json_object_get_uint64(v) == (uint64_t)*out;
    }
    if (!json_object_is_type(v, json_type_double))
        return false;
    d = json_object_get_double(v);
    if (!(fabs(d) <= EXACT_WHOLE) || d != trunc(d))
        return false;
    *out = (int64_t)d;
    return true;
}

bool jsonr_int(struct json_object *o, const char *key, int64_t *out,
               struct err *err)
{
    struct json_object *v = jsonr_get(o, key);
    int64_t i;

    if (v && whole(v, &i)) {
        *out = i;
        return true;
    }
    if (json_object_is_type(v, json_type_int) ||
        json_object_is_type(v, json_type_double))
        return err_set(err, ERR_INPUT, "\"%s\" is no whole number in range",
                       key);
    return wrong(v, key, "a whole number", err);
}

struct str jsonr_text_or(struct json_object *o, const char *key,
                         struct str otherwise)
{
    struct json_object *v = jsonr_get(o, key);

    return v && json_object_is_type(v, json_type_string) ? text_of(v)
                                                         : otherwise;
}
