/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/base/regex.h"
#include "agent/relabel/relabel.h"

#define SEPARATOR   ";"
#define REGEX       "(.*)"
#define REPLACEMENT "$1"
#define ACTIONS                                               \
    "replace|keep|drop|keepequal|dropequal|hashmod|labelmap|" \
    "labeldrop|labelkeep|lowercase|uppercase"

const struct conf_key relabel_keys[] = {
    CONF_LIST(relabel_conf, source_labels, NULL,
              "Labels whose values, joined, the rule looks at."),
    CONF_TEXT(relabel_conf, separator, SEPARATOR,
              "What stands between the joined values."),
    CONF_TEXT(relabel_conf, regex, REGEX,
              "Regular expression (RE2) that must match the whole."),
    CONF_INT(relabel_conf, modulus, "0", 0, 9007199254740992.0,
             "For hashmod: the hash of the values is taken modulo this."),
    CONF_TEXT(relabel_conf, target_label, "",
              "The label that is written, or compared."),
    CONF_TEXT(relabel_conf, replacement, REPLACEMENT,
              "What is written; $1 or ${1} is what the first group matched."),
    CONF_ENUM(relabel_conf, action, "replace", ACTIONS, "What the rule does."),
    CONF_END,
};

static const char *const names[] = {
    "replace",  "keep",      "drop",      "keepequal", "dropequal", "hashmod",
    "labelmap", "labeldrop", "labelkeep", "lowercase", "uppercase"};

#define ONE(action)    (1U << RELABEL_##action)
#define EQUALS         (ONE(KEEPEQUAL) | ONE(DROPEQUAL))
#define CASES          (ONE(LOWERCASE) | ONE(UPPERCASE))
#define BY_NAME        (ONE(LABELDROP) | ONE(LABELKEEP))
#define NEED_TARGET    (ONE(REPLACE) | ONE(HASHMOD) | EQUALS | CASES)
#define FIXED_TARGET   (ONE(HASHMOD) | EQUALS | CASES)
#define NO_REPLACEMENT (EQUALS | CASES | BY_NAME)

static bool letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool wordly(char c)
{
    return letter(c) || (c >= '0' && c <= '9');
}

static bool label_name(struct str s)
{
    if (s.len == 0 || !letter(s.ptr[0]))
        return false;
    for (size_t i = 1; i < s.len; i++)
        if (!wordly(s.ptr[i]))
            return false;
    return true;
}

/* The length of $name or ${name} at the beginning; 0: none is there. */
static size_t reference(struct str s)
{
    bool braced = s.len > 1 && s.ptr[1] == '{';
    size_t from = braced ? 2 : 1, i = from;

    while (i < s.len && wordly(s.ptr[i]))
        i++;
    if (i == from || (braced && (i == s.len || s.ptr[i] != '}')))
        return 0;
    return i + braced;
}

/* A label's name in which $1 and the like may stand. */
static bool template_name(struct str s)
{
    if (s.len == 0 || (s.ptr[0] >= '0' && s.ptr[0] <= '9'))
        return false;
    while (s.len) {
        size_t n = 1;

        if (s.ptr[0] == '$')
            n = reference(s);
        else if (!wordly(s.ptr[0]))
            return false;
        if (!n)
            return false;
        s = str_from(s, n);
    }
    return true;
}

static bool check_target(const struct relabel_conf *c, unsigned action,
                         struct err *err)
{
    struct str target = str_of(c->target_label);
    const char *name = names[c->action];

    if ((action & NEED_TARGET) && target.len == 0)
        return err_set(err, ERR_CONFIG,
                       "action: %s needs a target_label: name one", name);
    if (((action & FIXED_TARGET) && !label_name(target)) ||
        ((action & ONE(REPLACE)) && !template_name(target)))
        return err_set(err, ERR_CONFIG,
                       "target_label: \"%s\" is no label's name: %s takes "
                       "letters, digits and _",
                       c->target_label, name);
    return true;
}

/* The keys that an action has no use for. */
static bool check_spare(const struct relabel_conf *c, unsigned action,
                        struct err *err)
{
    const char *spare = NULL;

    if ((action & NO_REPLACEMENT) && strcmp(c->replacement, REPLACEMENT) != 0)
        spare = "replacement";
    else if ((action & (EQUALS | BY_NAME)) && c->modulus)
        spare = "modulus";
    else if ((action & (EQUALS | BY_NAME)) &&
             strcmp(c->separator, SEPARATOR) != 0)
        spare = "separator";
    else if ((action & EQUALS) && strcmp(c->regex, REGEX) != 0)
        spare = "regex";
    else if ((action & BY_NAME) && c->source_labels.count)
        spare = "source_labels";
    else if ((action & BY_NAME) && *c->target_label)
        spare = "target_label";
    if (!spare)
        return true;
    return err_set(err, ERR_CONFIG, "%s: %s has no use for it: leave it out",
                   spare, names[c->action]);
}

static bool check_regex(const struct relabel_conf *c, struct err *err)
{
    struct regex *re = regex_new(str_of(c->regex), err);

    if (!re)
        return err_wrap(err, "regex");
    regex_free(re);
    return true;
}

static bool check_sources(const struct relabel_conf *c, struct err *err)
{
    for (size_t i = 0; i < c->source_labels.count; i++)
        if (!label_name(str_of(c->source_labels.items[i])))
            return err_set(err, ERR_CONFIG,
                           "source_labels: \"%s\" is no label's name: write "
                           "letters, digits and _",
                           c->source_labels.items[i]);
    return true;
}

bool relabel_check(const struct relabel_conf *c, struct err *err)
{
    unsigned action = 1U << c->action;

    if ((action & ONE(HASHMOD)) && !c->modulus)
        return err_set(err, ERR_CONFIG,
                       "action: hashmod needs a modulus: write one above 0");
    if ((action & ONE(LABELMAP)) && !template_name(str_of(c->replacement)))
        return err_set(err, ERR_CONFIG,
                       "replacement: \"%s\" makes no label's name for labelmap",
                       c->replacement);
    return check_target(c, action, err) && check_spare(c, action, err) &&
           check_sources(c, err) && check_regex(c, err);
}
