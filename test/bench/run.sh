#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# run.sh - every benchmark, with the machine it ran on.  BENCH_BUILD names a
# build folder that was configured with --enable-bench.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${BENCH_BUILD:-build/bench}
python=$(sed -n 's/^PYTHON = //p' "$build/Makefile")

echo "machine: $(nproc) x $(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)"
echo "system:  $(. /etc/os-release && echo "$PRETTY_NAME"), $(date -u +%Y-%m-%d)"
echo
echo "== parser"
"$build/test/bench/bench_parse"
echo
echo "== store"
"$build/test/bench/bench_store"
echo
echo "== PromQL"
PYTHONDONTWRITEBYTECODE=1 "${python:-python3}" "$here/bench_promql.py" \
    "$build/test/bench/bench_promql" "$(command -v prometheus || true)"
echo
echo "== whole process"
PYTHONDONTWRITEBYTECODE=1 "${python:-python3}" "$here/bench_agent.py" \
    "$build/scalebridge" "$build/test/bench/bare"
