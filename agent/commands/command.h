/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command.h - the command line: one file a command, one table of them.
 *
 * To add a command: write agent/commands/<name>.c with its const struct
 * command, and list it in commands.c; help, usage errors and completion come
 * from the rows.  Results go to standard output, all else to standard error.
 */
#ifndef AGENT_COMMANDS_COMMAND_H
#define AGENT_COMMANDS_COMMAND_H

#include "agent/base/buf.h"
#include "agent/base/err.h"

enum exit_status {
    EXIT_WELL = 0,    /* all well */
    EXIT_FAILED = 1,  /* it ran and something failed, said on stderr */
    EXIT_USAGE = 2,   /* wrong usage or configuration */
    EXIT_MISSING = 3, /* a metric could not be computed or delivered */
};

/* An option of a command; short options are not used. */
struct command_option {
    const char *name;     /* "output", for --output */
    const char *argument; /* "FORMAT", or NULL for a switch */
    const char *help;     /* one sentence */
};

#define COMMAND_OPTIONS_MAX 16
#define COMMAND_ARGS_MAX    256

/* What the user wrote, after the command's name. */
struct command_line {
    const struct command *command;
    /* By the index of the command's options: the argument, "" for a switch
     * that was given, NULL when it was not. */
    const char *values[COMMAND_OPTIONS_MAX];
    const char *args[COMMAND_ARGS_MAX];
    size_t arg_count;
};

struct command {
    const char *name;
    const char *arguments; /* "FILE|-|URL", for the usage line */
    const char *help;      /* one sentence */
    const char *details;   /* paragraphs for `help COMMAND`, or NULL */
    size_t min_args, max_args;
    const struct command_option *options; /* name NULL at the end, or NULL */
    enum exit_status (*run)(const struct command_line *line);
};

extern const struct command *const commands[]; /* NULL at the end */
const struct command *command_find(struct str name);
/* The option's argument, "" for a given switch, NULL when not given. */
const char *command_value(const struct command_line *line, const char *name);
static inline bool command_given(const struct command_line *line,
                                 const char *name)
{
    return command_value(line, name) != NULL;
}

/* Sorts the words behind the command's name into `line`; options may stand
 * anywhere, as --name VALUE or --name=VALUE; -- ends them. */
must_check bool command_parse(const struct command *command, char **words,
                              size_t count, struct command_line *line,
                              struct err *err);
/* The whole program: argv in, exit status out. */
enum exit_status command_main(int argc, char **argv);

/* "scalebridge NAME: text" on standard error; returns `status`. */
enum exit_status command_fail(const struct command_line *line,
                              enum exit_status status, const struct err *err);
/* Writes to standard output; false (and a word on stderr) when it cannot. */
bool command_print(struct str text);

#endif
