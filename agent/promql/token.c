/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/promql/token.h"

#include "agent/promql/quote.h"

static const struct {
    const char *spelling;
    enum token_class class;
} rows[TOKEN_KINDS] = {
#define TOKEN_ROW(name, class, spelling) {spelling, CLASS_##class},
    TOKENS(TOKEN_ROW)
#undef TOKEN_ROW
};

enum token_class token_class(enum token_kind k)
{
    return rows[k].class;
}

const char *token_spelling(enum token_kind k)
{
    return rows[k].spelling;
}

enum token_kind token_word(struct str word)
{
    if (str_eqi(word, STR("inf")) || str_eqi(word, STR("nan")))
        return T_NUMBER;
    for (int k = T_ATAN2; k < TOKEN_KINDS; k++)
        if (str_eqi(word, str_of(rows[k].spelling)))
            return (enum token_kind)k;
    return T_IDENTIFIER;
}

bool token_is_comparison(enum token_kind k)
{
    return k >= T_EQLC && k <= T_GTR;
}

bool token_is_set(enum token_kind k)
{
    return k == T_LAND || k == T_LOR || k == T_LUNLESS;
}

/* What many kinds of text are called in front of the text itself. */
static const char *noun(enum token_kind k)
{
    static const char *const nouns[] = {
        [T_IDENTIFIER] = "identifier",
        [T_METRIC_IDENTIFIER] = "metric identifier",
        [T_STRING] = "string",
        [T_NUMBER] = "number",
        [T_DURATION] = "duration",
    };

    return k <= T_DURATION ? nouns[k] : NULL;
}

static void describe_text(const struct token *t, struct buf *out)
{
    bool name = t->kind == T_IDENTIFIER || t->kind == T_METRIC_IDENTIFIER;

    if (name || t->text.len <= 10) {
        quote_text(out, t->text);
        return;
    }
    quote_text(out, quote_prefix(t->text, 10));
    buf_addz(out, "...");
}

void token_describe(const struct token *t, struct buf *out)
{
    if (t->kind == T_EOF) {
        buf_addz(out, "end of input");
        return;
    }
    switch (token_class(t->kind)) {
    case CLASS_KEYWORD:
        buf_addf(out, "<%.*s>", STR_ARG(t->text));
        return;
    case CLASS_OPERATOR:
        buf_addf(out, "<op:%.*s>", STR_ARG(t->text));
        return;
    case CLASS_AGGREGATOR:
        buf_addf(out, "<aggr:%.*s>", STR_ARG(t->text));
        return;
    case CLASS_PLAIN:
        break;
    }
    if (noun(t->kind))
        buf_addf(out, "%s ", noun(t->kind));
    describe_text(t, out);
}
