#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# run.sh SRCDIR SECONDS PROGRAM... - each fuzzer for so many seconds, from its
# corpus in test/fuzz/corpus/<name> and with its dictionary, if there is one.
# What is found is written beside the program, and ends the run.
set -eu
srcdir=$1
seconds=$2
shift 2
[ $# -gt 0 ] || { echo "no fuzzer was built; configure with --enable-fuzzing CC=clang"; exit 1; }
for program in "$@"; do
    name=${program##*/fuzz_}
    corpus=$srcdir/test/fuzz/corpus/$name
    dict=$srcdir/test/fuzz/$name.dict
    new=$(mktemp -d)
    set -- "$new"
    [ ! -d "$corpus" ] || set -- "$@" "$corpus"
    [ ! -f "$dict" ] || set -- "$@" "-dict=$dict"
    echo "fuzzing $name for $seconds s"
    "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        -print_final_stats=1 -verbosity=0 -artifact_prefix="$program-" "$@" \
        >"$program.log" 2>&1 || { tail -n 60 "$program.log"; rm -rf "$new"; exit 1; }
    grep -E 'number_of_executed_units' "$program.log" || true
    rm -rf "$new"
done
