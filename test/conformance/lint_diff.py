#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares `parse --lint` with `promtool check metrics`.

promtool is looked for beside PROMETHEUS; without it the tests are skipped.
Both read FIXED and all products of NAMES, TYPES and LABELS; of each family they
must find the same kinds of fault.  promtool tells a kind as often as there are
samples with it, we tell it once and where it begins; that is no difference.
OTHERWISE holds the others.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from tap import case, main, scalebridge  # noqa: E402

PROMETHEUS = os.environ.get("PROMETHEUS", "")
BESIDE = os.path.join(os.path.dirname(PROMETHEUS), "promtool")
PROMTOOL = BESIDE if PROMETHEUS and os.access(BESIDE, os.X_OK) else shutil.which("promtool")

# A kind of fault: promtool's words, ours.
KINDS = [
    ("help", r"no help text", r"no help text"),
    ("unit", r"use base unit", r"use the base unit"),
    ("total", r'^counter metrics should have "_total"', r'^a counter should have the suffix "_total"'),
    ("not total", r'non-counter metrics should not have "_total"', r'only a counter should have the suffix "_total"'),
    ("bucket", r'should not have "_bucket" suffix', r'the suffix "_bucket"'),
    ("count or sum", r'should not have "_(count|sum)" suffix', r'the suffix "_count" or "_sum"'),
    ("le", r'should not have "le" label', r'a label "le"'),
    ("quantile", r'should not have "quantile" label', r'a label "quantile"'),
    ("type", r"should not include type", r"should not hold the type"),
    ("colon", r"should not contain ':'", r"^colons are for"),
    ("label case", r"^label names should be written", r"names of labels should be in snake_case"),
    ("case", r"^metric names should be written in 'snake", r"^names should be in snake_case"),
    ("abbreviation", r"abbreviated units", r"abbreviated unit"),
]

# (family, kind, who finds it, why)
OTHERWISE = {
    ("disk_mebibytes", "unit"): ("ours", "the list of promtool has this prefix as \"mibi\""),
    ("disk_mibibytes", "unit"): ("promtool", "the list of promtool has \"mebi\" as \"mibi\""),
}

FIXED = [
    "", "\n", "# EOF\n", "# a comment\n", "a 1\n", "# HELP a\na 1\n", "# HELP a \na 1\n", "# HELP a b\na 1\n",
    "# TYPE a gauge\na 1\n", "# HELP a b\n# TYPE a gauge\n", "# HELP a b\n# TYPE a gauge\na 1\na{b=\"c\"} 2\n",
    "# HELP a b\n# TYPE a counter\na 1\n", "# HELP a_total b\n# TYPE a_total counter\na_total 1\n",
    "# HELP h b\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n",
    "# HELP h b\n# TYPE h histogram\nh_bucket{le=\"+Inf\",quantile=\"1\"} 1\nh_sum 1\nh_count 1\nh_created 1\nh_x 1\n",
    "# HELP s b\n# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum{le=\"1\"} 1\ns_count 1\ns_created 1\ns_bucket 1\n",
    "# HELP g b\n# TYPE g gauge\ng 1\ng_count 1\ng_sum 1\ng_bucket 1\ng_total 1\n",
    "# HELP g b\n# TYPE g gauge\ng{camelCase=\"1\",x=\"1\"} 1\ng{x=\"2\",otherCase=\"2\"} 1\n",
    "g{camelCase=\"1\",le=\"1\",quantile=\"1\"} 1\n",
    "disk_mebibytes 1\n", "disk_mibibytes 1\n", "x_seconds_bytes 1\n", "a_b_c 1\nd_e_f 1\na_b_c{x=\"y\"} 1\n",
    "# TYPE h_count gauge\n# HELP h_count x\nh_count 1\n# TYPE h histogram\n# HELP h x\nh_bucket{le=\"+Inf\"} 1\n",
]
UNITS = ["amperes", "bytes", "celsius", "grams", "joules", "kelvin", "meters", "metres", "seconds", "volts", "minutes",
         "hours", "days", "weeks", "kelvins", "fahrenheit", "rankine", "inches", "yards", "miles", "bits", "calories",
         "pounds", "ounces", "thermometers", "ratio", "liters"]
PREFIXES = ["pico", "nano", "micro", "milli", "centi", "deci", "deca", "hecto", "kilo", "kibi", "mega", "giga", "gibi",
            "tera", "tebi", "peta", "pebi", "exa"]
SHORT = ["s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "pb", "m", "h", "d", "min", "S", "Mb"]
NAMES = ["jobs", "jobs_total", "jobs_bucket", "jobs_count", "jobs_sum", "jobsDone", "JobsDone", "jobs:done", "jobs_gauge",
         "jobs_gauge_x", "gauge_jobs", "Jobs_Gauge", "jobs_counter_total", "jobs_histogram", "a_summary_b", "JOBS",
         "jobs_total_x", "jobs_untyped", "a_info", "_s", "s", "a__s", "jobs_gaugehistogram"]
TYPES = ["", "counter", "gauge", "untyped", "summary", "histogram"]
LABELS = ["", '{le="1"}', '{quantile="0.5"}', '{aB="c"}', '{a_b="c",Ab="d"}', '{AB="c"}']


def bodies():
    yield from FIXED
    for name in UNITS + [p + u for p in PREFIXES for u in UNITS] + SHORT:
        yield f"# HELP x_{name} y\nx_{name} 1\n# HELP x_{name}_y y\nx_{name}_y 1\n{name} 1\n"
    for name in NAMES:
        for kind in TYPES:
            for labels in LABELS:
                # Such a sample would be one of the family of that type.
                if kind in ("summary", "histogram") and labels not in ('{aB="c"}', ""):
                    continue
                typed = f"# TYPE {name} {kind}\n" if kind else ""
                bad_bound = kind in ("summary", "histogram")
                sample = f"{name}_count{labels}" if bad_bound else name + labels
                yield f"# HELP {name} x\n{typed}{sample} 1\n"


def kind_of(text, column):
    for row in KINDS:
        if re.search(row[column], text):
            return row[0]
    raise AssertionError(f"unknown words: {text!r}")


def theirs(body):
    done = subprocess.run([PROMTOOL, "check", "metrics"], input=body.encode(), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60, check=False)
    lines = done.stdout.decode().splitlines()
    if done.returncode not in (0, 3):
        raise AssertionError(f"promtool cannot read {body!r}: {lines}")
    rows = (line.split(" ", 1) for line in lines if line)
    return {(name, kind_of(text, 1)) for name, text in rows}


def ours(path, body):
    with open(path, "w", encoding="utf-8") as f:
        f.write(body)
    result = scalebridge("parse", "--lint", "--format", "prometheus", path)
    found = set()
    for line in result.err.splitlines():
        _, _, rest = line[len(path) + 1:].split(":", 2)
        name, text = rest.strip().split(": ", 1)
        found.add((name, kind_of(text, 2)))
    if result.status != (1 if found else 0):
        raise AssertionError(f"exit status {result.status} with {found}")
    return found


def stem(name):
    return re.sub(r"(_(bucket|sum|count|total))+$", "", name)


def batches():
    """Bodies of which each family has a name of its own are read together."""
    made = []
    for body in bodies():
        mine = {stem(name) for name in re.findall(r"(?m)^(?:# \w+ )?([A-Za-z_:][\w:]*)", body)}
        for names, parts in made:
            if not mine & names:
                break
        else:
            names, parts = set(), []
            made.append((names, parts))
        names |= mine
        parts.append(body)
    return ["".join(parts) for _, parts in made]


@case
def faults_of_style_are_those_that_promtool_tells():
    count, found, faults = 0, 0, []
    with tempfile.TemporaryDirectory() as directory:
        for body in batches():
            count += 1
            a, b = theirs(body), ours(os.path.join(directory, "body"), body)
            found += len(b)
            for row in sorted(a ^ b):
                who = "promtool" if row in a else "ours"
                if row not in OTHERWISE or OTHERWISE[row][0] != who:
                    faults.append(f"only {who}: {row}")
    print(f"# {len(list(bodies()))} bodies in {count} files, {found} faults of style, {len(faults)} differ")
    if faults:
        raise AssertionError("\n".join(faults[:40]))


if __name__ == "__main__":
    if not PROMTOOL:
        print("1..0 # SKIP no promtool to compare with")
        sys.exit(0)
    main()
