/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/commands/policy_ecs.h"

static bool letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

void policy_camel(struct buf *out, struct str text)
{
    bool first = true;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (!letter(c) && !digit(c)) {
            first = true;
            continue;
        }
        if (first && c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        buf_addc(out, c);
        first = false;
    }
}

void policy_comment(struct buf *out, struct str text)
{
    buf_addz(out, "# ");
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (c >= 0 && c < ' ')
            c = ' ';
        buf_addc(out, c);
    }
    buf_addc(out, '\n');
}

/* Templates begin with ${ and %{ inside strings, doubled they do not (HCL
 * syntax specification, "Template literals"). */
void policy_hcl_json(struct buf *out, struct str json)
{
    for (size_t i = 0; i < json.len; i++) {
        char c = json.ptr[i];

        if ((c == '$' || c == '%') && i + 1 < json.len &&
            json.ptr[i + 1] == '{')
            buf_addc(out, c);
        buf_addc(out, c);
    }
}

/* The escapes of JSON are those of HCL but for \b and \f, which cannot occur:
 * CloudWatch takes no control characters. */
void policy_hcl_text(struct buf *out, struct str text)
{
    struct buf json;
    struct jsonw w;

    buf_init(&json, BUF_NO_LIMIT);
    jsonw_init(&w, &json, 0);
    jsonw_text(&w, text);
    policy_hcl_json(out, buf_str(&json));
    buf_fini(&json);
}
