/* SPDX-License-Identifier: Apache-2.0 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "agent/base/regex.h"

#include "agent/base/mem.h"
#include "agent/base/regex_gate.h"

#include <pcre2.h>
#include <stdlib.h>

/*
 * Backtracking beyond this is cut off, and the search is run again without
 * backtracking, all ways at once: slower, but its time is bounded by the
 * lengths of pattern and subject.
 */
#define MATCH_LIMIT   200000U
#define HEAP_KIB      (16U * 1024)
#define WORKSPACE     ((size_t)1000)
#define WORKSPACE_MAX ((size_t)1 << 22)

struct regex {
    char *pattern; /* names point into it */
    struct regex_name *names;
    size_t name_count;
    pcre2_code *code;
    pcre2_match_context *context;
    pcre2_match_data *data;
};

/* A subject is matched as characters: what is none becomes U+FFFD, as in Go. */
struct subject {
    struct str text;
    struct buf clean;
};

static void subject_init(struct subject *s, struct str text)
{
    buf_init(&s->clean, BUF_NO_LIMIT);
    s->text = text.ptr ? text : STR("");
    if (str_utf8(text))
        return;
    while (text.len) {
        size_t n = str_rune(text, NULL);

        if (n)
            buf_add(&s->clean, text.ptr, n);
        else
            buf_addz(&s->clean, "\xEF\xBF\xBD");
        text = str_from(text, n ? n : 1);
    }
    s->text = buf_str(&s->clean);
}

static bool compile(struct regex *re, const struct buf *out, struct err *err)
{
    pcre2_compile_context *c = pcre2_compile_context_create(NULL);
    size_t offset;
    int code;

    if (!c)
        abort();
    (void)pcre2_set_newline(c, PCRE2_NEWLINE_LF);
    (void)pcre2_set_parens_nest_limit(c, GATE_NESTING_MAX + 8);
    re->code = pcre2_compile((PCRE2_SPTR)out->data, out->len,
                             PCRE2_UTF | PCRE2_DOLLAR_ENDONLY |
                                 PCRE2_ALT_CIRCUMFLEX | PCRE2_NEVER_BACKSLASH_C,
                             &code, &offset, c);
    pcre2_compile_context_free(c);
    if (!re->code) {
        PCRE2_UCHAR text[160] = "";

        (void)pcre2_get_error_message(code, text, sizeof(text));
        return err_set(err, ERR_INPUT, "error parsing regexp: %s: `%s`",
                       (const char *)text, re->pattern);
    }
    (void)pcre2_jit_compile(re->code, PCRE2_JIT_COMPLETE); /* where there is */
    return true;
}

static void prepare(struct regex *re)
{
    re->context = pcre2_match_context_create(NULL);
    re->data = pcre2_match_data_create_from_pattern(re->code, NULL);
    if (!re->context || !re->data)
        abort();
    (void)pcre2_set_match_limit(re->context, MATCH_LIMIT);
    (void)pcre2_set_heap_limit(re->context, HEAP_KIB);
}

struct regex *regex_new(struct str pattern, struct err *err)
{
    struct regex *re = xcalloc(1, sizeof(*re));
    struct err ignored;
    struct regex_gate g;
    bool ok;

    if (!err)
        err = &ignored;
    re->pattern = xstrndup(pattern.ptr, pattern.len);
    ok = regex_gate(&g, str_n(re->pattern, pattern.len), err) &&
         compile(re, &g.out, err);
    re->names = g.names;
    re->name_count = g.name_count;
    buf_fini(&g.out);
    if (!ok) {
        regex_free(re);
        return NULL;
    }
    prepare(re);
    return re;
}

void regex_free(struct regex *re)
{
    if (!re)
        return;
    pcre2_match_data_free(re->data);
    pcre2_match_context_free(re->context);
    pcre2_code_free(re->code);
    free(re->names);
    free(re->pattern);
    free(re);
}

/* JIT code has a small stack; the interpreter takes over where it ends. */
static int run(const struct regex *re, struct str s)
{
    PCRE2_SPTR p = (PCRE2_SPTR)s.ptr;
    int rc = pcre2_match(re->code, p, s.len, 0, PCRE2_NO_UTF_CHECK, re->data,
                         re->context);

    if (rc == PCRE2_ERROR_JIT_STACKLIMIT)
        rc = pcre2_match(re->code, p, s.len, 0,
                         PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, re->data,
                         re->context);
    return rc;
}

static bool run_breadth_first(const struct regex *re, struct str s)
{
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    int rc = PCRE2_ERROR_DFA_WSSIZE;

    if (!data)
        abort();
    for (size_t n = WORKSPACE; n <= WORKSPACE_MAX; n *= 8) {
        int *workspace = xreallocarray(NULL, n, sizeof(*workspace));

        rc = pcre2_dfa_match(re->code, (PCRE2_SPTR)s.ptr, s.len, 0,
                             PCRE2_NO_UTF_CHECK, data, re->context, workspace,
                             n);
        free(workspace);
        if (rc != PCRE2_ERROR_DFA_WSSIZE)
            break;
    }
    pcre2_match_data_free(data);
    return rc >= 0;
}

bool regex_match(const struct regex *re, struct str subject)
{
    struct subject s;
    bool found;
    int rc;

    subject_init(&s, subject);
    rc = run(re, s.text);
    found = rc >= 0;
    if (rc < 0 && rc != PCRE2_ERROR_NOMATCH)
        found = run_breadth_first(re, s.text);
    buf_fini(&s.clean);
    return found;
}

/* What group `i` took; nothing when it took no part in the match. */
static struct str taken(const struct regex *re, struct str s, uint32_t i)
{
    const size_t *v = pcre2_get_ovector_pointer(re->data);
    size_t at = (size_t)i * 2;

    if (i >= pcre2_get_ovector_count(re->data) || v[at] == PCRE2_UNSET)
        return STR_NONE;
    return str_n(s.ptr + v[at], v[at + 1] - v[at]);
}

/* A number without leading zeros, else -1. */
static int64_t group_number(struct str name)
{
    int64_t n;

    if (name.len > 8 || (name.len > 1 && name.ptr[0] == '0') ||
        name.ptr[0] == '+' || !str_int(name, &n))
        return -1;
    return n;
}

static struct str value_of(const struct regex *re, struct str s,
                           struct str name)
{
    int64_t n = group_number(name);

    if (n >= 0)
        return taken(re, s, (uint32_t)n);
    for (size_t i = 0; i < re->name_count; i++)
        if (str_eq(re->names[i].name, name))
            return taken(re, s, re->names[i].group);
    return STR_NONE;
}

/* Letters, digits and underscores; beyond ASCII all are taken for letters. */
static size_t name_length(struct str s)
{
    size_t n = 0;

    for (; n < s.len; n++) {
        unsigned char c = (unsigned char)s.ptr[n];

        if (c < 0x80 && c != '_' && (c < '0' || c > '9') &&
            ((c | 32U) < 'a' || (c | 32U) > 'z'))
            break;
    }
    return n;
}

/* Takes `1`, `{1}`, `name` or `{name}` off the front; false if it is none. */
static bool take_name(struct str *template, struct str *name)
{
    bool brace = template->len && template->ptr[0] == '{';
    struct str s = str_from(*template, brace ? 1 : 0);
    size_t n = name_length(s);

    if (n == 0 || (brace && (n == s.len || s.ptr[n] != '}')))
        return false;
    *name = str_n(s.ptr, n);
    *template = str_from(s, n + (brace ? 1 : 0));
    return true;
}

static void expand(const struct regex *re, struct str s, struct str template,
                   struct buf *out)
{
    while (template.len) {
        size_t n = str_find(template, '$');
        struct str name;

        buf_add(out, template.ptr, n);
        if (n == template.len)
            return;
        template = str_from(template, n + 1);
        if (take_name(&template, &name)) {
            buf_adds(out, value_of(re, s, name));
            continue;
        }
        buf_addc(out, '$');
        if (template.len && template.ptr[0] == '$')
            template = str_from(template, 1);
    }
}

bool regex_expand(const struct regex *re, struct str subject,
                  struct str template, struct buf *out)
{
    struct subject s;
    bool found;

    subject_init(&s, subject);
    found = run(re, s.text) >= 0;
    if (found)
        expand(re, s.text, template, out);
    buf_fini(&s.clean);
    return found;
}
