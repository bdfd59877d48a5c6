/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/commands/command.h"

#include "agent/base/near.h"
#include "agent/commands/list.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

const struct command *command_find(struct str name)
{
    for (size_t i = 0; commands[i]; i++)
        if (str_eqz(name, commands[i]->name))
            return commands[i];
    return NULL;
}

static const struct command_option *option_at(const struct command *c,
                                              struct str name, size_t *at)
{
    for (size_t i = 0; c->options && c->options[i].name; i++) {
        if (str_eqz(name, c->options[i].name)) {
            *at = i;
            return &c->options[i];
        }
    }
    return NULL;
}

const char *command_value(const struct command_line *line, const char *name)
{
    size_t at;

    return option_at(line->command, str_of(name), &at) ? line->values[at]
                                                       : NULL;
}

static bool unknown_option(const struct command *c, struct str name,
                           struct err *err)
{
    struct near near;

    near_start(&near, name);
    for (size_t i = 0; c->options && c->options[i].name; i++)
        near_offer(&near, str_of(c->options[i].name));
    if (near.best.ptr)
        return err_set(err, ERR_CONFIG,
                       "--%.*s: unknown option; did you mean --%.*s?",
                       STR_ARG(name), STR_ARG(near.best));
    return err_set(err, ERR_CONFIG,
                   "--%.*s: unknown option; `scalebridge help %s` lists them",
                   STR_ARG(name), c->name);
}

/* One --name, --name=VALUE or --name VALUE; gives how many words it took. */
static bool parse_option(struct command_line *line, char **words, size_t count,
                         size_t *used, struct err *err)
{
    struct str word = str_from(str_of(words[0]), 2);
    size_t eq = str_find(word, '='), at = 0;
    struct str name = str_n(word.ptr, eq);
    const struct command_option *o = option_at(line->command, name, &at);

    *used = 1;
    if (!o)
        return unknown_option(line->command, name, err);
    if (!o->argument) {
        if (eq < word.len)
            return err_set(err, ERR_CONFIG, "--%s takes no value", o->name);
        line->values[at] = "";
        return true;
    }
    if (eq < word.len) {
        line->values[at] = word.ptr + eq + 1;
        return true;
    }
    if (count < 2)
        return err_set(err, ERR_CONFIG, "--%s: wants a value: --%s %s", o->name,
                       o->name, o->argument);
    line->values[at] = words[1];
    *used = 2;
    return true;
}

static bool add_argument(struct command_line *line, const char *word,
                         struct err *err)
{
    if (line->arg_count >= line->command->max_args)
        return err_set(err, ERR_CONFIG,
                       "\"%s\": one argument too many; usage: scalebridge %s "
                       "[options] %s",
                       word, line->command->name, line->command->arguments);
    line->args[line->arg_count++] = word;
    return true;
}

bool command_parse(const struct command *command, char **words, size_t count,
                   struct command_line *line, struct err *err)
{
    bool options = true;
    size_t used;

    *line = (struct command_line){.command = command};
    for (size_t i = 0; i < count; i += used) {
        const char *w = words[i];

        used = 1;
        if (options && strcmp(w, "--") == 0) {
            options = false;
        } else if (options && w[0] == '-' && w[1] == '-') {
            if (!parse_option(line, words + i, count - i, &used, err))
                return false;
        } else if (options && w[0] == '-' && w[1] != '\0') {
            return err_set(
                err, ERR_CONFIG,
                "%s: unknown option; options are spelt out (--name); "
                "put -- before an argument that begins with -",
                w);
        } else if (!add_argument(line, w, err)) {
            return false;
        }
    }
    if (line->arg_count < command->min_args)
        return err_set(err, ERR_CONFIG,
                       "an argument is missing; usage: scalebridge %s "
                       "[options] %s",
                       command->name, command->arguments);
    return true;
}

enum exit_status command_fail(const struct command_line *line,
                              enum exit_status status, const struct err *err)
{
    (void)fprintf(stderr, "scalebridge %s: %s\n", line->command->name,
                  err->text);
    return status;
}

bool command_print(struct str text)
{
    while (text.len > 0) {
        ssize_t n = write(STDOUT_FILENO, text.ptr, text.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            (void)fprintf(stderr, "scalebridge: standard output: %s\n",
                          strerror(errno));
            return false;
        }
        text = str_from(text, (size_t)n);
    }
    return true;
}

static enum exit_status unknown_command(const char *word)
{
    struct near near;

    near_start(&near, str_of(word));
    for (size_t i = 0; commands[i]; i++)
        near_offer(&near, str_of(commands[i]->name));
    if (near.best.ptr)
        (void)fprintf(stderr,
                      "scalebridge: \"%s\": unknown command; did you mean "
                      "\"%.*s\"?\n",
                      word, STR_ARG(near.best));
    else
        (void)fprintf(stderr,
                      "scalebridge: \"%s\": unknown command; `scalebridge "
                      "help` lists them\n",
                      word);
    return EXIT_USAGE;
}

/* --help and --version stand for the commands of that name; no command, or
 * an option first, means `run`. */
static const struct command *pick(char **words, size_t count, size_t *skip)
{
    const char *w = count ? words[0] : "run";

    *skip = 1;
    if (strcmp(w, "--help") == 0 || strcmp(w, "-h") == 0)
        return &command_help;
    if (strcmp(w, "--version") == 0 || strcmp(w, "-V") == 0)
        return &command_version;
    if (count == 0 || w[0] == '-') {
        *skip = 0;
        return &command_run;
    }
    return command_find(str_of(w));
}

static bool asks_help(char **words, size_t count)
{
    for (size_t i = 0; i < count && strcmp(words[i], "--") != 0; i++)
        if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0)
            return true;
    return false;
}

enum exit_status command_main(int argc, char **argv)
{
    char **words = argv + 1;
    size_t count = argc > 0 ? (size_t)argc - 1 : 0, skip;
    const struct command *c = pick(words, count, &skip);
    struct command_line line;
    struct err err;

    if (!c)
        return unknown_command(words[0]);
    if (skip && asks_help(words + skip, count - skip)) {
        line = (struct command_line){
            .command = &command_help, .args = {c->name}, .arg_count = 1};
        return command_help.run(&line);
    }
    if (!command_parse(c, words + skip, count - skip, &line, &err))
        return command_fail(&(struct command_line){.command = c}, EXIT_USAGE,
                            &err);
    return c->run(&line);
}
