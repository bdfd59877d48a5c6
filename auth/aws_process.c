/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/aws_process.h"

#include "agent/base/jsonr.h"
#include "auth/aws_answer.h"

#include <json-c/json.h>

#define WHAT     "credential_process"
#define TOLD_MAX 300

static enum provide complained(const struct process_result *res,
                               struct provide_out *out)
{
    struct str why =
        aws_one_line(str_trim(res->complaint), TOLD_MAX, out->arena);
    bool killed = res->signal != 0;

    return provide_failed(
        out, PROVIDE_RETRY, ERR_DENIED, WHAT ": it %s %d%s%.*s",
        killed ? "was ended by signal" : "ended with status",
        killed ? res->signal : res->status, why.len ? ": " : "", STR_ARG(why));
}

static bool is_version_1(struct str output, struct err *err)
{
    struct json_object *o, *version;
    bool ok;

    if (!jsonr_parse(output, &o, err))
        return false;
    ok = json_object_is_type(o, json_type_object) &&
         json_object_object_get_ex(o, "Version", &version) &&
         json_object_is_type(version, json_type_int) &&
         json_object_get_int(version) == 1;
    json_object_put(o);
    return ok || err_set(err, ERR_INPUT, "Version: is not 1");
}

enum provide aws_process_keys(const struct process_result *res,
                              const struct err *err, struct provide_out *out,
                              struct aws_keys *keys)
{
    if (err) {
        out->err = *err;
        (void)err_wrap(&out->err, WHAT);
        return err->kind == ERR_CONFIG ? PROVIDE_FAILED : PROVIDE_RETRY;
    }
    if (res->status != 0 || res->signal != 0)
        return complained(res, out);
    if (is_version_1(res->output, &out->err) &&
        aws_keys_json(res->output, "SessionToken", out->arena, keys, &out->err))
        return PROVIDE_DONE;
    (void)err_wrap(&out->err, WHAT ": what it printed");
    return PROVIDE_RETRY;
}
