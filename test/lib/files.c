/* SPDX-License-Identifier: Apache-2.0 */
#include "test/lib/files.h"

#include "agent/base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static _Noreturn void unreadable(const char *path)
{
    (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
    exit(1);
}

char *files_path(const char *below_data)
{
    const char *top = getenv("srcdir");
    struct buf path;

    buf_init(&path, BUF_NO_LIMIT);
    buf_addf(&path, "%s/test/data/%s", top ? top : ".", below_data);
    return buf_take(&path);
}

char *files_read(const char *below_data, size_t *len)
{
    char *path = files_path(below_data), piece[4096];
    FILE *f = fopen(path, "rb");
    struct buf all;
    size_t n;

    if (!f)
        unreadable(path);
    buf_init(&all, BUF_NO_LIMIT);
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        buf_add(&all, piece, n);
    (void)fclose(f);
    free(path);
    if (len)
        *len = all.len;
    return buf_take(&all);
}

bool files_exist(const char *below_data)
{
    char *path = files_path(below_data);
    bool there = access(path, R_OK) == 0;

    free(path);
    return there;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

size_t files_list(const char *below_data, const char *suffix, char ***names)
{
    char *path = files_path(below_data);
    DIR *dir = opendir(path);
    struct dirent *e;
    size_t n = 0, cap = 0;

    if (!dir)
        unreadable(path);
    *names = NULL;
    while ((e = readdir(dir))) {
        struct str name = str_of(e->d_name);

        if (name.ptr[0] == '.' || !str_ends(name, str_of(suffix)))
            continue;
        xgrow(names, &cap, n, sizeof(**names));
        (*names)[n++] = xstrndup(name.ptr, name.len - strlen(suffix));
    }
    (void)closedir(dir);
    free(path);
    if (n > 0)
        qsort(*names, n, sizeof(**names), by_name);
    return n;
}

void files_list_free(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

bool files_hold(const char *below_data, struct str got)
{
    char *path, *want;
    size_t len;
    bool same;
    FILE *f;

    if (getenv("SCALEBRIDGE_WRITE_CASES")) {
        path = files_path(below_data);
        f = fopen(path, "wb");
        if (!f || fwrite(got.ptr, 1, got.len, f) != got.len || fclose(f) != 0)
            unreadable(path);
        free(path);
        return true;
    }
    want = files_read(below_data, &len);
    same = str_eq(got, str_n(want, len));
    if (!same)
        (void)fprintf(stderr, "%s\n--- want\n%.*s\n--- got\n%.*s\n", below_data,
                      (int)len, want, STR_ARG(got));
    free(want);
    return same;
}
