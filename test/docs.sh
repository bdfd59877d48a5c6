#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# docs.sh - docs/configuration.md lists every option as the program does.
# To write the list anew: test/docs.sh --update (with SCALEBRIDGE=the program).
set -eu
cd "${srcdir:-.}"
page=docs/configuration.md
program=${SCALEBRIDGE:?name the program to ask}

# Of the program's help the part from the first option on.
options() { "$program" help config | sed -n '/^scrape$/,$p' | sed '$ { /^$/d }'; }
# Of the page what stands in the fence below "Every option".
listed() { awk '/^## Every option/ { on = 1 } /^```/ { if (fence++) exit; next } on && fence' "$page"; }

if [ "${1:-}" = --update ]; then
    { sed '/^```$/q' "$page"; options; echo '```'; } >"$page.new"
    mv "$page.new" "$page"
    exit 0
fi
echo 1..1
if difference=$(
    options >"${TMPDIR:-/tmp}/options.$$"
    listed | diff - "${TMPDIR:-/tmp}/options.$$"
); then
    echo "ok 1 - $page lists every option as help config does"
else
    echo "not ok 1 - $page lists every option as help config does"
    echo "$difference" | sed 's/^/# /'
    echo "# SCALEBRIDGE=... test/docs.sh --update writes it anew"
fi
rm -f "${TMPDIR:-/tmp}/options.$$"
