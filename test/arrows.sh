#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# arrows.sh - every #include points down, and each library has its one place.
#
# Two tables rule.  The folders, lowest first: a file includes from its own
# folder and from lines above its own; folders that share a line do not know
# each other.  The libraries: which files (a folder, or one file) may include
# which header of theirs.
set -eu
cd "${srcdir:-.}"

LAYERS='agent/base
agent/config agent/metric agent/io
agent/parse agent/store auth
agent/promql agent/ecs agent/cloudrun agent/relabel sinks
agent/rules
agent/discover agent/scrape agent/capacity agent/deliver agent/actuate agent/report
agent/settings
agent/commands
agent'
LIBRARIES='uv.h agent/io
curl/ agent/io
microhttpd.h agent/io
ares.h agent/io
ares_ agent/io
openssl/ auth/crypto.c
zlib.h agent/base
pcre2.h agent/base
json-c/ agent/base agent/config agent/ecs agent/cloudrun agent/capacity auth sinks
yaml.h agent/config'
export LAYERS LIBRARIES

# FILE:#include ... of every source, as "FILE kind HEADER".
includes() {
    find agent auth sinks -name '*.[ch]' -exec grep -H '^ *# *include' {} + |
        sed -n \
            -e 's/^\([^:]*\):[^"<]*"\([^"]*\)".*/\1 own \2/p' \
            -e 's/^\([^:]*\):[^"<]*<\([^>]*\)>.*/\1 lib \2/p' | sort
}

arrows() {
    awk '
    function folder(path) { sub(/\/[^\/]*$/, "", path); return path }
    BEGIN {
        n = split(ENVIRON["LAYERS"], line, "\n")
        for (i = 1; i <= n; i++) {
            m = split(line[i], name, " ")
            for (j = 1; j <= m; j++)
                rank[name[j]] = i
        }
    }
    $2 == "own" {
        from = folder($1)
        to = folder($3)
        if (!(from in rank) || !(to in rank) ||
            (from != to && rank[to] >= rank[from]))
            print $1 " may not include " $3
    }'
}

libraries() {
    awk '
    BEGIN {
        n = split(ENVIRON["LIBRARIES"], row, "\n")
    }
    function allowed(file, i,    j, cell, m) {
        m = split(row[i], cell, " ")
        for (j = 2; j <= m; j++)
            if (file == cell[j] || index(file, cell[j] "/") == 1)
                return 1
        return 0
    }
    $2 == "lib" {
        for (i = 1; i <= n; i++) {
            split(row[i], cell, " ")
            if (index($3, cell[1]) == 1 && !allowed($1, i))
                print $1 " may not include <" $3 ">"
        }
    }'
}

# tap NUMBER NAME FINDINGS: a test passes when there are none.
failed=0
tap() {
    if [ -z "$3" ]; then
        echo "ok $1 - $2"
        return
    fi
    failed=1
    echo "not ok $1 - $2"
    echo "$3" | sed 's/^/# /'
}

echo 1..3
all=$(includes)
tap 1 'every include points down' "$(echo "$all" | arrows)"
tap 2 'each library is included in its one place' "$(echo "$all" | libraries)"
# The checks themselves: a broken one would find nothing, either.
probe='agent/base/x.c own agent/io/loop.h
agent/parse/x.c own agent/store/store.h
agent/nowhere/x.c own agent/base/str.h
agent/io/x.c own agent/base/str.h
agent/base/x.c lib curl/curl.h
auth/jwt.c lib openssl/evp.h
auth/crypto.c lib openssl/evp.h
agent/io/x.c lib uv.h'
found=$(echo "$probe" | arrows | wc -l):$(echo "$probe" | libraries | wc -l)
[ "$found" = 3:2 ] && found=
tap 3 'the checks find what is wrong' "$found"
exit "$failed"
