/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configuration file, and behind its first NUL byte variables, each ended by
 * one.  What is accepted is shown, and what is shown must be accepted.
 */
#include "agent/settings/settings.h"

#include <stdio.h>
#include <stdlib.h>

#define VARIABLES_MAX 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool read_file(void *arg, const char *path, struct buf *out,
                      struct err *err)
{
    (void)arg;
    if (strcmp(path, "/x") != 0)
        return err_set(err, ERR_CONFIG, "%s: no such file", path);
    buf_addz(out, "secret\n");
    return true;
}

static struct settings *read_text(const char *text,
                                  const char *const *variables)
{
    struct conf_world w = {.variables = variables, .read_file = read_file};
    struct settings_source from = {.text = text, .text_name = "x.yml"};

    return settings_read(&w, &from);
}

/* A file of what is in force gives no fault. */
static void read_again(const struct settings *s)
{
    static const char *const none[] = {"AWS_REGION=eu-west-1", NULL};
    struct settings *again;
    struct buf shown, faults;

    buf_init(&shown, BUF_NO_LIMIT);
    buf_init(&faults, BUF_NO_LIMIT);
    settings_show(s, &shown);
    again = read_text(buf_z(&shown), none);
    if (!settings_good(again) && shown.len < CONF_FILE_MAX &&
        !strstr(buf_z(&shown), "***")) {
        settings_faults(again, &faults);
        (void)fprintf(stderr, "%s\n%s", buf_z(&shown), buf_z(&faults));
        abort();
    }
    settings_free(again);
    buf_fini(&shown);
    buf_fini(&faults);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *variables[VARIABLES_MAX + 2] = {"AWS_REGION=eu-west-1"};
    char *text = malloc(size + 1), *at = text;
    struct settings *s;
    struct buf out;

    memcpy(text, data, size);
    text[size] = '\0';
    for (size_t i = 1; i <= VARIABLES_MAX; i++) {
        at += strlen(at) + 1;
        if (at > text + size)
            break;
        variables[i] = at;
    }
    s = read_text(text, variables);
    buf_init(&out, BUF_NO_LIMIT);
    settings_faults(s, &out);
    if (settings_good(s)) {
        settings_summary(s, &out);
        read_again(s);
    }
    settings_free(s);
    buf_fini(&out);
    free(text);
    return 0;
}
