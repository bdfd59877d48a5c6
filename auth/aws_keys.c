/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/aws_keys.h"

#include "agent/base/jsonr.h"
#include "agent/base/mem.h"

#include <json-c/json.h>
#include <stdio.h>

#define TOKEN_FILE_MAX ((size_t)64 << 10)

bool aws_one_line_only(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f)
            return false;
    return true;
}

static bool read_expiry(struct json_object *o, int64_t *out, struct err *err)
{
    struct str text = jsonr_text_or(o, "Expiration", STR_NONE);

    *out = 0;
    if (text.len == 0 || (when_rfc3339_parse(text, out) && *out > 0))
        return true;
    return err_set(err, ERR_INPUT, "Expiration: is no time");
}

bool aws_keys_json(struct str body, const char *token_name, struct arena *arena,
                   struct aws_keys *out, struct err *err)
{
    struct json_object *o;
    struct str id, secret;
    bool ok;

    if (!jsonr_parse(body, &o, err))
        return false;
    ok = jsonr_text(o, "AccessKeyId", &id, err) &&
         jsonr_text(o, "SecretAccessKey", &secret, err) &&
         read_expiry(o, &out->expires_ms, err);
    if (ok) {
        out->id = arena_str(arena, id);
        out->secret = arena_str(arena, secret);
        out->token = arena_str(arena, jsonr_text_or(o, token_name, STR_NONE));
    }
    json_object_put(o);
    return ok;
}

static char *heap(struct str s)
{
    return s.len > 0 ? xstrndup(s.ptr, s.len) : NULL;
}

bool aws_keys_give(const struct aws_keys *keys, const char *const names[3],
                   const char *source, struct credentials *out, struct err *err)
{
    const struct str parts[] = {keys->id, keys->secret, keys->token};

    if (keys->id.len == 0 || keys->secret.len == 0)
        return err_set(err, ERR_CONFIG,
                       "%s is set, but %s is not; set both, or neither",
                       keys->id.len ? names[0] : names[1],
                       keys->id.len ? names[1] : names[0]);
    for (size_t i = 0; i < 3; i++)
        if (!auth_printable(parts[i]))
            return err_set(err, ERR_CONFIG,
                           "%s: holds a blank, a line feed or a character that "
                           "no key has; copy it again",
                           names[i]);
    *out = (struct credentials){.key_id = heap(keys->id),
                                .secret = heap(keys->secret),
                                .token = heap(keys->token),
                                .expires_ms = keys->expires_ms};
    (void)snprintf(out->source, sizeof(out->source), "%s", source);
    return true;
}

bool aws_status_passes(int status)
{
    return status >= 500 || status == 408 || status == 429;
}

bool aws_read_token(const struct auth_env *env, const char *path,
                    struct arena *arena, struct str *out, struct err *err)
{
    struct buf file;
    struct str text;
    bool ok;

    buf_init(&file, TOKEN_FILE_MAX);
    ok = env->read_file(env->arg, path, &file, err);
    text = str_trim(buf_str(&file));
    if (ok && text.len == 0)
        ok = err_set(err, ERR_INPUT, "%s: is empty", path);
    else if (ok && !aws_one_line_only(text))
        ok = err_set(err, ERR_INPUT, "%s: holds more than one line", path);
    if (ok)
        *out = arena_str(arena, text);
    if (file.data)
        wipe(file.data, file.len);
    buf_fini(&file);
    return ok;
}
