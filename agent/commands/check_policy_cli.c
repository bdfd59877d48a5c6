/* SPDX-License-Identifier: Apache-2.0 */
/* check_policy_cli.c - rules in `az containerapp` commands of a script. */
#include "agent/commands/check_policy.h"

struct words {
    struct str text;
    size_t at;
    unsigned line, col;
};

/* Of the last option that was seen. */
enum holder { HOLD_NONE, HOLD_METADATA, HOLD_AUTH, HOLD_TYPE };

struct command_rule {
    struct policy_rule rule;
    bool is, any, name, app, group;
};

static char peek(const struct words *w)
{
    if (w->at >= w->text.len)
        return '\0';
    return w->text.ptr[w->at];
}

static void skip(struct words *w)
{
    if (peek(w) == '\n') {
        w->line++;
        w->col = 0;
    }
    w->at++;
    w->col++;
}

/* Blanks, comments and ends of lines; true where a command ended. */
static bool skip_blanks(struct words *w)
{
    bool ended = false;

    while (w->at < w->text.len) {
        char c = peek(w);

        if (c == '\\' && w->at + 1 < w->text.len &&
            w->text.ptr[w->at + 1] == '\n') {
            skip(w);
        } else if (c == '#') {
            while (w->at < w->text.len && peek(w) != '\n')
                skip(w);
            continue;
        } else if (c == '\n' || c == ';' || c == '|' || c == '&') {
            ended = true;
        } else if (c != ' ' && c != '\t' && c != '\r') {
            return ended;
        }
        skip(w);
    }
    return ended;
}

/* One word of sh (POSIX.1-2017, XCU 2.2), quotes taken off, nothing expanded.
 */
static void take_word(struct words *w, struct buf *out)
{
    char in = '\0';

    for (; w->at < w->text.len; skip(w)) {
        char c = peek(w);

        if (in ? c == in : c == '\'' || c == '"') {
            if (in)
                in = '\0';
            else
                in = c;
            continue;
        }
        if (!in && c && strchr(" \t\r\n;|&", c) != NULL)
            return;
        if (c == '\\' && in != '\'' && w->at + 1 < w->text.len) {
            skip(w);
            c = peek(w);
            if (c == '\n')
                continue;
        }
        buf_addc(out, c);
    }
}

static struct policy_field pair_of(struct str word, struct conf_mark mark)
{
    size_t eq = str_find(word, '=');

    return (struct policy_field){
        str_n(word.ptr, eq), eq < word.len ? str_from(word, eq + 1) : STR_NONE,
        mark};
}

static bool either(struct str word, const char *a, const char *b)
{
    return str_eqz(word, a) || str_eqz(word, b);
}

static enum holder take_option(struct command_rule *r, struct str word)
{
    if (either(word, "--scale-rule-metadata", "--srm"))
        return HOLD_METADATA;
    if (either(word, "--scale-rule-auth", "--sra"))
        return HOLD_AUTH;
    if (either(word, "--scale-rule-type", "--srt"))
        return HOLD_TYPE;
    r->name |= either(word, "--scale-rule-name", "--srn");
    r->app |= either(word, "--name", "-n");
    r->group |= either(word, "--resource-group", "-g");
    r->rule.identity |= either(word, "--scale-rule-identity", "--sri");
    return HOLD_NONE;
}

static void take(struct command_rule *r, enum holder *holder, struct str word,
                 struct conf_mark mark)
{
    struct str option = str_n(word.ptr, str_find(word, '='));

    if (word.len > 1 && word.ptr[0] == '-') {
        *holder = take_option(r, option);
        if (*holder != HOLD_NONE && !r->any) {
            r->any = true;
            r->rule.mark = mark;
        }
        if (option.len == word.len)
            return;
        word = str_from(word, option.len + 1);
    }
    if (*holder == HOLD_METADATA)
        policy_field_add(&r->rule.metadata, pair_of(word, mark));
    else if (*holder == HOLD_AUTH)
        policy_field_add(&r->rule.auth, pair_of(word, mark));
    else if (*holder == HOLD_TYPE)
        r->rule.type = word;
    r->is |= str_eqz(word, "containerapp");
}

static size_t finish(struct conf *c, struct command_rule *r)
{
    const struct conf_mark *mark = &r->rule.mark;
    bool rule = r->is && r->any;

    if (rule && !r->name)
        conf_fault(c, mark, NULL,
                   "--scale-rule-name: is missing, and without it az drops "
                   "the whole rule; write --scale-rule-name NAME");
    if (rule && !r->app)
        conf_fault(c, mark, NULL,
                   "--name: is missing; which container app is it?");
    if (rule && !r->group)
        conf_fault(c, mark, NULL,
                   "--resource-group: is missing; which one holds the app?");
    if (rule)
        policy_rule_check(c, &r->rule);
    *r = (struct command_rule){.rule = {.average = true}};
    return rule;
}

size_t policy_check_commands(struct conf *c, const char *source,
                             struct str text)
{
    struct words w = {text, 0, 1, 1};
    struct command_rule r = {.rule = {.average = true}};
    enum holder holder = HOLD_NONE;
    size_t rules = 0;
    struct buf word;

    buf_init(&word, BUF_NO_LIMIT);
    while (w.at < w.text.len) {
        struct conf_mark mark;

        if (skip_blanks(&w)) {
            rules += finish(c, &r);
            holder = HOLD_NONE;
        }
        mark = (struct conf_mark){source, w.line, w.col, 0};
        buf_reset(&word);
        take_word(&w, &word);
        if (word.len)
            take(&r, &holder, arena_str(conf_arena(c), buf_str(&word)), mark);
    }
    buf_fini(&word);
    return rules + finish(c, &r);
}
