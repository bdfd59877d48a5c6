/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/promql/lex.h"

#include "agent/promql/lex_scan.h"
#include "agent/promql/quote.h"

#include <stdio.h>

void lex_init(struct lexer *l, struct str text)
{
    *l = (struct lexer){.text = text};
}

uint32_t lex_rune(struct lexer *l)
{
    uint32_t r;

    l->width = quote_rune_at(str_from(l->text, l->pos), &r);
    l->pos += l->width;
    return r;
}

void lex_error(struct lexer *l, const char *message)
{
    (void)snprintf(l->error, sizeof(l->error), "%s", message);
}

static void lex_error_more(struct lexer *l, const char *more)
{
    size_t n = strlen(l->error);

    (void)snprintf(l->error + n, sizeof(l->error) - n, "%s", more);
}

void lex_back(struct lexer *l)
{
    l->pos -= l->width;
}

uint32_t lex_peek(const struct lexer *l)
{
    uint32_t r;

    (void)quote_rune_at(str_from(l->text, l->pos), &r);
    return r;
}

static bool is_space(uint32_t r)
{
    return r == ' ' || r == '\t' || r == '\n' || r == '\r';
}

static bool is_alpha(uint32_t r)
{
    return r == '_' || (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z');
}

static bool is_digit(uint32_t r)
{
    return r >= '0' && r <= '9';
}

bool lex_alphanumeric(uint32_t r)
{
    return is_alpha(r) || is_digit(r);
}

static struct token emit(struct lexer *l, enum token_kind kind)
{
    struct token t = {kind, l->start,
                      str_n(l->text.ptr + l->start, l->pos - l->start)};

    l->start = l->pos;
    return t;
}

static struct token error_token(struct lexer *l)
{
    return (struct token){T_ERROR, l->start, str_from(l->text, l->start)};
}

static struct token failz(struct lexer *l, const char *message)
{
    lex_error(l, message);
    return error_token(l);
}

/* `message` and the quoted rune. */
static struct token fail_rune(struct lexer *l, const char *message, uint32_t r)
{
    struct buf b;

    buf_init(&b, sizeof(l->error) - 1);
    buf_addz(&b, message);
    quote_rune(&b, r);
    (void)failz(l, buf_z(&b));
    buf_fini(&b);
    return error_token(l);
}

static struct token number(struct lexer *l)
{
    struct buf b;

    lex_back(l);
    if (lex_number(l))
        return emit(l, T_NUMBER);
    if (lex_duration(l))
        return emit(l, T_DURATION);
    buf_init(&b, sizeof(l->error) - 1);
    buf_addz(&b, "bad number or duration syntax: ");
    quote_text(&b, str_n(l->text.ptr + l->start, l->pos - l->start));
    (void)failz(l, buf_z(&b));
    buf_fini(&b);
    return error_token(l);
}

/* fill, fill_left and fill_right are keywords only in front of a "(". */
static bool paren_follows(const struct lexer *l)
{
    struct str rest = str_from(l->text, l->pos);

    while (rest.len > 0 && is_space((unsigned char)*rest.ptr))
        rest = str_from(rest, 1);
    return rest.len > 0 && *rest.ptr == '(';
}

static struct token word(struct lexer *l)
{
    enum token_kind kind;
    struct str text;

    while (lex_alphanumeric(lex_peek(l)) || lex_peek(l) == ':')
        (void)lex_rune(l);
    text = str_n(l->text.ptr + l->start, l->pos - l->start);
    kind = token_word(text);
    if (kind >= T_FILL && kind <= T_FILL_RIGHT && !paren_follows(l))
        kind = T_IDENTIFIER;
    if (kind == T_IDENTIFIER && str_find(text, ':') < text.len)
        kind = T_METRIC_IDENTIFIER;
    return emit(l, kind);
}

/* step, range, max_of and min_of, the words a duration may hold. */
static bool duration_word(struct lexer *l, struct token *out)
{
    enum token_kind kind;

    while (is_alpha(lex_peek(l)))
        (void)lex_rune(l);
    kind = token_word(str_n(l->text.ptr + l->start, l->pos - l->start));
    if (kind < T_STEP)
        return false;
    *out = emit(l, kind);
    return true;
}

static bool starts_duration_word(uint32_t r)
{
    r |= 0x20;
    return r == 's' || r == 'r' || r == 'm';
}

/* A letter or a colon between [ and ], behind a first number. */
static struct token bracket_letter(struct lexer *l, uint32_t r)
{
    struct token t;

    if (r == ':') {
        if (l->got_colon)
            return fail_rune(l, "unexpected colon ", r);
        l->got_colon = true;
        return emit(l, T_COLON);
    }
    if (starts_duration_word(r) && duration_word(l, &t))
        return t;
    t = fail_rune(l, "unexpected character: ", r);
    lex_error_more(l, ", expected ':'");
    return t;
}

static struct token after(struct lexer *l, uint32_t want, enum token_kind yes,
                          enum token_kind no)
{
    if (lex_peek(l) != want)
        return emit(l, no);
    (void)lex_rune(l);
    return emit(l, yes);
}

static struct token open_paren(struct lexer *l)
{
    l->parens++;
    return emit(l, T_LEFT_PAREN);
}

static struct token close_paren(struct lexer *l)
{
    struct token t = emit(l, T_RIGHT_PAREN);

    if (l->parens == 0)
        return fail_rune(l, "unexpected right parenthesis ", ')');
    l->parens--;
    return t;
}

static struct token close_bracket(struct lexer *l)
{
    if (!l->brackets)
        return fail_rune(l, "unexpected right bracket ", ']');
    l->brackets = l->duration = false;
    return emit(l, T_RIGHT_BRACKET);
}

static struct token open_bracket(struct lexer *l)
{
    if (l->brackets)
        return fail_rune(l, "unexpected left bracket ", '[');
    l->brackets = l->duration = true;
    l->got_colon = false; /* got_duration stays: as in Prometheus */
    return emit(l, T_LEFT_BRACKET);
}

static struct token end_of_text(struct lexer *l)
{
    if (l->parens != 0)
        return failz(l, "unclosed left parenthesis");
    if (l->brackets)
        return failz(l, "unclosed left bracket");
    return emit(l, T_EOF);
}

static struct token equals(struct lexer *l)
{
    uint32_t next = lex_peek(l);

    if (next == '~')
        return fail_rune(l, "unexpected character after '=': ", next);
    return after(l, '=', T_EQLC, T_EQL);
}

static struct token bang(struct lexer *l)
{
    uint32_t next = lex_rune(l);

    if (next != '=')
        return fail_rune(l, "unexpected character after '!': ", next);
    return emit(l, T_NEQ);
}

static struct token compare(struct lexer *l, uint32_t r)
{
    bool less = r == '<';

    if (lex_peek(l) == '/')
        return after(l, '/', less ? T_TRIM_UPPER : T_TRIM_LOWER, T_ERROR);
    return after(l, '=', less ? T_LTE : T_GTE, less ? T_LSS : T_GTR);
}

/* One rune, one token. */
static enum token_kind single(uint32_t r)
{
    static const char signs[] = "+-*/%^,@";
    static const enum token_kind kinds[] = {T_ADD, T_SUB, T_MUL,   T_DIV,
                                            T_MOD, T_POW, T_COMMA, T_AT};
    const char *found = r < 0x80 && r ? strchr(signs, (int)r) : NULL;

    return found ? kinds[found - signs] : T_ERROR;
}

static struct token statement(struct lexer *l)
{
    uint32_t r = lex_rune(l);

    if (single(r) != T_ERROR)
        return emit(l, single(r));
    if (is_digit(r) || (r == '.' && is_digit(lex_peek(l))))
        return number(l);
    if (is_alpha(r) || r == ':')
        return l->brackets ? bracket_letter(l, r) : word(l);
    switch (r) {
    case RUNE_EOF:
        return end_of_text(l);
    case '=':
        return equals(l);
    case '!':
        return bang(l);
    case '<':
    case '>':
        return compare(l, r);
    case '"':
    case '\'':
    case '`':
        return lex_string(l, r) ? emit(l, T_STRING) : error_token(l);
    case '(':
        return open_paren(l);
    case ')':
        return close_paren(l);
    case '{':
        l->braces = true;
        return emit(l, T_LEFT_BRACE);
    case '[':
        return open_bracket(l);
    case ']':
        return close_bracket(l);
    default:
        return fail_rune(l, "unexpected character: ", r);
    }
}

/* Between { and } every word is a name. */
static struct token inside_braces(struct lexer *l)
{
    uint32_t r = lex_rune(l);

    if (is_alpha(r)) {
        while (lex_alphanumeric(lex_peek(l)))
            (void)lex_rune(l);
        return emit(l, T_IDENTIFIER);
    }
    switch (r) {
    case RUNE_EOF:
        return failz(l, "unexpected end of input inside braces");
    case ',':
        return emit(l, T_COMMA);
    case '"':
    case '\'':
    case '`':
        return lex_string(l, r) ? emit(l, T_STRING) : error_token(l);
    case '=':
        return after(l, '~', T_EQL_REGEX, T_EQL);
    case '!':
        r = lex_rune(l);
        if (r == '~' || r == '=')
            return emit(l, r == '~' ? T_NEQ_REGEX : T_NEQ);
        return fail_rune(l,
                         "unexpected character after '!' inside braces: ", r);
    case '{':
        return fail_rune(l, "unexpected left brace ", r);
    case '}':
        l->braces = false;
        return emit(l, T_RIGHT_BRACE);
    default:
        return fail_rune(l, "unexpected character inside braces: ", r);
    }
}

static struct token duration_colon(struct lexer *l)
{
    struct token t = emit(l, T_COLON);

    if (!l->got_duration)
        return failz(l, "unexpected colon before duration in duration "
                        "expression");
    if (l->got_colon)
        return failz(l, "unexpected repeated colon in duration expression");
    l->got_colon = true;
    return t;
}

/* Behind a [ or a sign of a duration's arithmetic.  A number leads back to
 * statement(), which knows the same signs. */
static struct token duration(struct lexer *l)
{
    uint32_t r = lex_rune(l);
    struct token t;

    if (single(r) != T_ERROR && r != '@')
        return emit(l, single(r));
    if (is_digit(r) || (r == '.' && is_digit(lex_peek(l)))) {
        l->got_duration = true;
        l->duration = false;
        return number(l);
    }
    if (starts_duration_word(r) && r != '_' && duration_word(l, &t))
        return t;
    switch (r) {
    case RUNE_EOF:
        return failz(l, "unexpected end of input in duration expression");
    case ']':
        return close_bracket(l);
    case ':':
        return duration_colon(l);
    case '(':
        return open_paren(l);
    case ')':
        return close_paren(l);
    default:
        return fail_rune(l, "unexpected character in duration expression: ", r);
    }
}

/* Blanks, and comments except inside a duration. */
static void skip(struct lexer *l)
{
    for (;;) {
        uint32_t r = lex_peek(l);

        if (r == '#' && !l->duration)
            while (r != '\n' && r != '\r' && r != RUNE_EOF)
                r = lex_rune(l);
        else if (is_space(r))
            (void)lex_rune(l);
        else
            break;
    }
    l->start = l->pos;
}

struct token lex_next(struct lexer *l)
{
    if (l->error[0])
        return error_token(l);
    skip(l);
    if (l->braces)
        return inside_braces(l);
    return l->duration ? duration(l) : statement(l);
}
