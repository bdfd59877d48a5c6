#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# check.sh - every test there is, as `./quickstart check` runs them: both
# compilers with warnings as errors, the sanitizers, the fuzzers for a short
# while, static checks, and a distribution that builds from its tarball.
#
# STEPS="gcc clang" picks some of them; FUZZ_SECONDS (default 20) is the time
# of each fuzzer.
set -eu

cd "$(dirname "$0")/.."
src=$(pwd)
build=${SCALEBRIDGE_BUILD:-build}
jobs=${JOBS:-2}
steps=${STEPS:-"format gcc clang tidy cppcheck fuzz dist"}
passed=0
failed=0
total=0

say() { printf '%s\n' "$*"; }

configured() { # folder, configure's words
    dir=$build/$1
    shift
    mkdir -p "$dir"
    if [ ! -f "$dir/config.status" ] || [ configure -nt "$dir/config.status" ]; then
        (cd "$dir" && "$src/configure" "$@") >"$dir/configure.out" 2>&1 || {
            tail -n 20 "$dir/configure.out"
            return 1
        }
    fi
}

# The tests of one build; adds automake's counts to ours.
run_tests() {
    out=$build/$1/check.out
    make -s -C "$build/$1" -j"$jobs" all >"$build/$1/make.out" 2>&1 || {
        tail -n 40 "$build/$1/make.out"
        return 1
    }
    status=0
    make -s -C "$build/$1" -j"$jobs" check >"$out" 2>&1 || status=$?
    grep -E '^(FAIL|ERROR|XPASS)' "$out" || true
    n=$(sed -n 's/^# PASS: *//p' "$out" | tail -n 1)
    f=$(sed -n 's/^# FAIL: *//p' "$out" | tail -n 1)
    total=$((total + ${n:-0}))
    say "  ${n:-0} cases passed, ${f:-?} failed"
    if [ "$status" != 0 ]; then
        # What failed, in its own words.
        for log in $(grep -lE '^(not ok|.*ERROR: |.*runtime error)' \
            "$build/$1"/test/*/*.log "$build/$1"/test/*.log 2>/dev/null | head -n 5); do
            say "--- $log"
            grep -vE '^ok ' "$log" | tail -n 40
        done
        [ "${n:-0}" != 0 ] || tail -n 40 "$out"
        return 1
    fi
    [ "${n:-0}" != 0 ] || { say "  no test was run"; return 1; }
}

step_format() { configured gcc --enable-werror CC=gcc CFLAGS='-O2 -g -D_FORTIFY_SOURCE=2' && make -s -C "$build/gcc" format-check; }
step_gcc() {
    configured gcc --enable-werror CC=gcc CFLAGS='-O2 -g -D_FORTIFY_SOURCE=2' &&
        run_tests gcc
}
step_clang() {
    configured clang --enable-werror --enable-sanitizers CC=clang CFLAGS='-O1 -g' &&
        run_tests clang
}
step_tidy() { configured clang --enable-werror --enable-sanitizers CC=clang CFLAGS='-O1 -g' && make -s -C "$build/clang" -j"$jobs" tidy; }
step_cppcheck() { configured gcc --enable-werror CC=gcc CFLAGS='-O2 -g -D_FORTIFY_SOURCE=2' && make -s -C "$build/gcc" cppcheck; }
step_fuzz() {
    configured fuzz --enable-fuzzing --enable-sanitizers CC=clang CFLAGS='-O1 -g' &&
        make -s -C "$build/fuzz" -j"$jobs" fuzz-programs >"$build/fuzz/make.out" 2>&1 &&
        make -s -C "$build/fuzz" fuzz FUZZ_SECONDS="${FUZZ_SECONDS:-20}"
}
step_dist() {
    configured gcc --enable-werror CC=gcc CFLAGS='-O2 -g -D_FORTIFY_SOURCE=2' &&
        { make -s -C "$build/gcc" -j"$jobs" distcheck >"$build/gcc/dist.out" 2>&1 ||
            { tail -n 40 "$build/gcc/dist.out"; return 1; }; }
}

for s in $steps; do
    say "== $s"
    if "step_$s"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        say "== $s: FAILED"
    fi
done
say "$total test cases in $((passed + failed)) steps"
say "$passed passed, $failed failed"
[ "$failed" = 0 ]
