/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/io/message.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static bool within(struct str part, struct str whole)
{
    return part.len == 0 || (part.ptr >= whole.ptr &&
                             part.ptr + part.len <= whole.ptr + whole.len);
}

/* What is taken lies within the URL, and shows without a user or a query. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str url = str_n((const char *)data, size);
    struct http_url u;
    struct arena a;
    struct str shown;

    arena_init(&a, 1024);
    shown = http_url_shown(url, &a);
    check(str_find(shown, '@') == shown.len);
    check(str_find(shown, '?') == shown.len || !http_url_parse(url, &u));
    if (http_url_parse(url, &u)) {
        check(within(u.scheme, url) && within(u.host, url));
        check(within(u.port, url) && within(u.path, url));
        check(within(u.query, url));
        check(u.host.len > 0 && str_find(u.host, '@') == u.host.len);
        check(str_starts(shown, u.scheme));
        (void)http_url_is_loopback(&u);
    }
    arena_fini(&a);
    return 0;
}
