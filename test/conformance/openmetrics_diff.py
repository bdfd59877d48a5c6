#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares `parse --strict` with the reference parser of OpenMetrics.

The reference is prometheus_client.openmetrics (python3-prometheus-client in
Debian); without it the tests are skipped.  FIXED holds bodies written from the
specification, OpenMetrics 1.0, each with the verdict that its section asks for;
random mutations of the good ones follow.  Both readers must agree, on verdicts
and on samples, but for OURS and THEIRS: the intended differences, each with the
section that decides it.

    OM_DIFF_COUNT  how many mutations (300)
    OM_DIFF_SEED   where they start (1)
"""
import json
import math
import os
import random
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from tap import PROGRAM, case, clean_env, main  # noqa: E402

try:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families
except ImportError:
    print("1..0 # SKIP no prometheus_client to compare with")
    sys.exit(0)

COUNT = int(os.environ.get("OM_DIFF_COUNT", "300"))
SEED = int(os.environ.get("OM_DIFF_SEED", "1"))
EOF = "# EOF\n"

# Bodies by the section of the specification; "+" is good, "-" bad.  EOF is put
# behind each, but for those of RAW.
FIXED = {
    "Metric Types: Gauge": """
+ # TYPE a gauge|a 1
+ # TYPE a gauge|a{b="c"} -1.5|a{b="d"} NaN
+ # TYPE a gauge|a +Inf
- # TYPE a gauge|a_total 1|a 1|a_total 2
""",
    "Metric Types: Counter": """
+ # TYPE a counter|a_total 1
+ # TYPE a counter|a_total 1|a_created 12.5
+ # TYPE a counter|a_created 12.5|a_total 1
+ # TYPE a counter|a_total 0
- # TYPE a counter|a_total -1
- # TYPE a counter|a_total NaN
- # TYPE a counter|a 1
+ # TYPE a counter|a_total +Inf
- # TYPE a_total counter|a_total 1
- # TYPE a counter|a_total -Inf
""",
    "Metric Types: StateSet": """
+ # TYPE a stateset|a{a="x"} 1|a{a="y"} 0
+ # TYPE a stateset|a{b="1",a="x"} 1|a{b="1",a="y"} 0|a{b="2",a="x"} 0
- # TYPE a stateset|a 1
- # TYPE a stateset|a{b="x"} 1
- # TYPE a stateset|a{a="x"} 2
- # TYPE a stateset|a{a="x"} NaN
- # TYPE a_b stateset|# UNIT a_b b|a_b{a_b="x"} 1
""",
    "Metric Types: Info": """
+ # TYPE a info|a_info{b="c"} 1
+ # TYPE a info|a_info 1
+ # TYPE a info|a_info{b="c"} 1.0
- # TYPE a info|a_info{b="c"} 2
- # TYPE a info|a_info{b="c"} 0
- # TYPE a info|a{b="c"} 1
- # TYPE a_b info|# UNIT a_b b|a_b_info{c="d"} 1
""",
    "Metric Types: Histogram": """
+ # TYPE a histogram|a_bucket{le="1.0"} 1|a_bucket{le="+Inf"} 2
+ # TYPE a histogram|a_bucket{le="+Inf"} 2|a_sum 3|a_count 2
+ # TYPE a histogram|a_bucket{le="1.0"} 1|a_bucket{le="+Inf"} 2|a_count 2|a_sum 1.5|a_created 5
+ # TYPE a histogram|a_bucket{le="-1.0"} 1|a_bucket{le="+Inf"} 2
+ # TYPE a histogram|a_bucket{b="1",le="1.0"} 1|a_bucket{b="1",le="+Inf"} 2|a_bucket{b="2",le="+Inf"} 2
- # TYPE a histogram|a_bucket{le="1.0"} 1
- # TYPE a histogram|a_count 1|a_sum 1
- # TYPE a histogram|a_sum 1
- # TYPE a histogram|a_bucket{le="+Inf"} 2|a_sum 3
- # TYPE a histogram|a_bucket{le="+Inf"} 2|a_count 2
- # TYPE a histogram|a_bucket{le="+Inf"} 2|a_sum 3|a_count 3
- # TYPE a histogram|a_bucket{le="2.0"} 1|a_bucket{le="1.0"} 1|a_bucket{le="+Inf"} 2
- # TYPE a histogram|a_bucket{le="1.0"} 3|a_bucket{le="+Inf"} 2
- # TYPE a histogram|a_bucket{le="1.0"} 1|a_bucket{le="1.0"} 1|a_bucket{le="+Inf"} 2
- # TYPE a histogram|a_bucket{le="NaN"} 1|a_bucket{le="+Inf"} 2
- # TYPE a histogram|a_bucket 1|a_bucket{le="+Inf"} 2
- # TYPE a histogram|a_bucket{le="x"} 1|a_bucket{le="+Inf"} 2
- # TYPE a histogram|a_bucket{le="+Inf"} 2.5
- # TYPE a histogram|a_bucket{le="+Inf"} -2
- # TYPE a histogram|a_bucket{le="+Inf"} NaN
- # TYPE a histogram|a_bucket{le="+Inf"} 2|a_sum -3|a_count 2
- # TYPE a histogram|a_bucket{le="+Inf"} 2|a_sum NaN|a_count 2
- # TYPE a histogram|a_bucket{le="-1.0"} 1|a_bucket{le="+Inf"} 2|a_sum 1|a_count 2
- # TYPE a histogram|a_bucket{le="-1.0"} 1|a_bucket{le="+Inf"} 2|a_count 2
- # TYPE a histogram|a_bucket{le="+Inf"} 2|a_sum 1|a_count 2.5
+ # TYPE a histogram|a_bucket{le="+Inf"} 2|a_gsum 1
- # TYPE a histogram|a 1
""",
    "Numbers: canonical": """
- # TYPE a histogram|a_bucket{le="+INF"} 2
- # TYPE a histogram|a_bucket{le="Inf"} 2
- # TYPE a histogram|a_bucket{le="inf"} 2
+ # TYPE a histogram|a_bucket{le="1e-05"} 1|a_bucket{le="1e+06"} 1|a_bucket{le="+Inf"} 2
+ # TYPE a histogram|a_bucket{le="1"} 1|a_bucket{le="+Inf"} 2
""",
    "Metric Types: GaugeHistogram": """
+ # TYPE a gaugehistogram|a_bucket{le="+Inf"} 2
+ # TYPE a gaugehistogram|a_bucket{le="1.0"} 1|a_bucket{le="+Inf"} 2|a_gsum 3|a_gcount 2
+ # TYPE a gaugehistogram|a_bucket{le="-1.0"} 1|a_bucket{le="+Inf"} 2|a_gsum -3|a_gcount 2
- # TYPE a gaugehistogram|a_bucket{le="1.0"} 1|a_bucket{le="+Inf"} 2|a_gsum -3|a_gcount 2
- # TYPE a gaugehistogram|a_bucket{le="+Inf"} 2|a_gcount 2
- # TYPE a gaugehistogram|a_bucket{le="+Inf"} 2|a_gsum 2
- # TYPE a gaugehistogram|a_bucket{le="+Inf"} 2|a_gsum 2|a_gcount 1
- # TYPE a gaugehistogram|a_bucket{le="+Inf"} 2|a_gsum NaN|a_gcount 2
- # TYPE a gaugehistogram|a_bucket{le="+Inf"} 2|a_gsum 1|a_gcount -2
+ # TYPE a gaugehistogram|a_bucket{le="+Inf"} 2|a_sum 1
- # TYPE a gaugehistogram|a_bucket{le="+Inf"} 2|a_sum 1|a_bucket{b="c",le="+Inf"} 2
- # TYPE a gaugehistogram|a_gsum 1|a_gcount 2
- # TYPE a gaugehistogram|a_bucket{le="1.0"} 2
""",
    "Metric Types: Summary": """
+ # TYPE a summary|a_count 1|a_sum 2
+ # TYPE a summary|a{quantile="0.5"} 1|a{quantile="1"} 2|a_sum 3|a_count 4|a_created 5
+ # TYPE a summary|a{quantile="0.5"} NaN
+ # TYPE a summary|a_count 1
+ # TYPE a summary|a{quantile="0"} 1
- # TYPE a summary|a{quantile="1.5"} 1
- # TYPE a summary|a{quantile="-0.5"} 1
- # TYPE a summary|a{quantile="NaN"} 1
- # TYPE a summary|a{quantile="x"} 1
- # TYPE a summary|a 1
- # TYPE a summary|a{quantile="0.5"} -1
- # TYPE a summary|a_count -1
- # TYPE a summary|a_count 1.5
- # TYPE a summary|a_count NaN
- # TYPE a summary|a_sum -1
- # TYPE a summary|a_sum NaN
- # TYPE a summary|a_bucket{le="+Inf"} 1|a_count 1|a_bucket{le="+Inf"} 1
""",
    "Metric Types: Unknown": """
+ # TYPE a unknown|a 1
+ a 1
+ a{b="c"} -1
+ a_total 1
- # TYPE a untyped|a 1
- # TYPE a Gauge|a 1
- # TYPE a gauges|a 1
- # TYPE a |a 1
""",
    "Metadata": """
+ # HELP a some text|# TYPE a gauge|a 1
+ # TYPE a gauge|# HELP a some text|a 1
+ # TYPE a_s gauge|# UNIT a_s s|# HELP a_s x|a_s 1
+ # HELP a |a 1
+ # TYPE a gauge
+ # HELP a x
+ # UNIT a |a 1
- # UNIT a_s m|a_s 1
- # UNIT s s|s 1
- # UNIT as s|as 1
- # TYPE a gauge|# TYPE a gauge|a 1
- # HELP a x|# HELP a x|a 1
- # UNIT a_s s|# UNIT a_s s|a_s 1
- # TYPE a gauge|a 1|# HELP a x
- a 1|# TYPE a gauge
- # HELP a
- # TYPE a
- # UNIT a
-  # TYPE a gauge|a 1
- #TYPE a gauge|a 1
- # TYPE  a gauge|a 1
- # TYPE a  gauge|a 1
- # TYPE a gauge |a 1
- # TYPE a\tgauge|a 1
- # type a gauge|a 1
- # a comment|a 1
- #|a 1
- # |a 1
- # TYPE 1a gauge
- # TYPE "a" gauge|a 1
+ # HELP a \\\\ \\n \\" \\x|a 1
+ # HELP a # EOF|a 1
""",
    "MetricFamily": """
+ # TYPE a gauge|a 1|# TYPE b gauge|b 1
- # TYPE a gauge|a 1|# TYPE b gauge|b 1|# TYPE a gauge
- # TYPE a gauge|a 1|# TYPE b gauge|b 1|a{c="d"} 1
- a 1|b 1|a{c="d"} 1
- # TYPE a counter|a_total 1|# TYPE a_total gauge|a_total{b="c"} 1
- # TYPE a counter|a_total 1|# TYPE a_created gauge|a_created 1
- # TYPE a histogram|a_bucket{le="+Inf"} 1|# TYPE a_count gauge|a_count 1
- # TYPE a_info gauge|a_info 1|# TYPE a info|a_info{b="c"} 1
- # TYPE a_sum gauge|a_sum 1|# TYPE a summary|a_count 1
- # TYPE a gauge|# TYPE b gauge|# TYPE a counter
+ # TYPE a gauge|a 1|# TYPE a_count gauge|a_count 1
""",
    "Metric and MetricPoint": """
+ # TYPE a gauge|a{b="c"} 1 1|a{b="c"} 2 2|a{b="d"} 1 1
- # TYPE a gauge|a{b="c"} 1|a{b="d"} 1|a{b="c"} 1
- # TYPE a gauge|a{b="c"} 1 1|a{b="d"} 1 1|a{b="c"} 2 2
- # TYPE a gauge|a{b="c"} 1 2|a{b="c"} 2 1
- # TYPE a gauge|a{b="c"} 1 2|a{b="c"} 2
- # TYPE a gauge|a{b="c"} 1|a{b="c"} 2 3
+ # TYPE a histogram|a_bucket{le="+Inf"} 1 1|a_bucket{le="+Inf"} 2 2
+ # TYPE a histogram|a_bucket{le="1.0"} 1 1|a_bucket{le="+Inf"} 1 1|a_bucket{le="1.0"} 1 2|a_bucket{le="+Inf"} 2 2
- # TYPE a histogram|a_bucket{le="1.0"} 1 1|a_bucket{le="+Inf"} 1 1|a_bucket{le="1.0"} 1 2
- # TYPE a histogram|a_bucket{le="1.0"} 1 1|a_bucket{le="1.0"} 1 2|a_bucket{le="+Inf"} 2 2
+ # TYPE a counter|a_total 1 1|a_created 5 1|a_total 2 2|a_created 5 2
- # TYPE a counter|a_total{b="c"} 1|a_total{b="d"} 1|a_created{b="c"} 1
+ # TYPE a summary|a{quantile="0.5"} 1|a_count 2|a_sum 3
""",
    "Samples": """
+ a 1
+ a{} 1
+ a{b="c"} 1 2
+ a{b="c",d="e"} 1
+ a_b:c 1
+ :a 1
+ _a{_b="c"} 1
+ a 1 -1
+ a 1 1.5
+ a 1 1e3
+ a 1 0
+ a 007
+ a .5
+ a 5.
+ a +1
+ a 1E5
+ a 1e+05
+ a inf
+ a nan
+ a -infinity
+ a 123456789012345678901234567890
- a
- a 
- a  1
- a\t1
-  a 1
- a 1 
- a 1  2
- a 1 2 
- a 1 2 3
- a x
- a 1x
- a 1 x
- a 0x1
- a 1_0
- a 1 1_0
- a 1 NaN
- a 1 +Inf
- a - 1
- a--1
- a-b 1
- 1a 1
- {b="c"} 1
- a{b="c"}1
- a {b="c"} 1
- a{b="c"}
- a{b="c" } 1
- a{ b="c"} 1
- a{b ="c"} 1
- a{b= "c"} 1
- a{b="c", d="e"} 1
- a{b="c" ,d="e"} 1
- a{b="c",} 1
- a{,} 1
- a{,b="c"} 1
- a{b="c",,d="e"} 1
- a{b="c"d="e"} 1
- a{b=c} 1
- a{b='c'} 1
- a{b="c} 1
- a{b=c"} 1
- a{b} 1
- a{="c"} 1
- a{b:c="d"} 1
- a{1b="c"} 1
- a{b-c="d"} 1
- a{b="c",b="d"} 1
- a{b="c",b="c"} 1
- a{b="c"} 1|
- |a 1
- a 1||b 1
- a 1\r
- a{b="c"\r} 1
- a\xa01
""",
    "Escaping": """
+ a{b="\\\\"} 1
+ a{b="\\n"} 1
+ a{b="\\""} 1
+ a{b="\\x"} 1
+ a{b="\\\\n"} 1
+ a{b="}"} 1
+ a{b="{,="} 1
+ a{b="a b"} 1
+ a{b="\t"} 1
+ a{b="\u00e9\u4e16"} 1
+ a{b=" # {c=\\"d\\"} 1"} 1
- a{b="\\"} 1
- a{b="\n"} 1
- a{\u00e9="1"} 1
- \u00e9 1
""",
    "Exemplars": """
+ # TYPE a counter|a_total 1 # {b="c"} 0.5
+ # TYPE a counter|a_total 1 # {} 0.5
+ # TYPE a counter|a_total 1 # {b="c"} 0.5 12.5
+ # TYPE a counter|a_total 1 5 # {b="c"} 0.5 12.5
+ # TYPE a histogram|a_bucket{le="+Inf"} 1 # {b="c",d="e"} 0.5
+ # TYPE a gaugehistogram|a_bucket{le="+Inf"} 1 # {b="c"} 0.5
- # TYPE a gauge|a 1 # {b="c"} 0.5
- a 1 # {b="c"} 0.5
- # TYPE a counter|a_total 1|a_created 1 # {b="c"} 0.5
- # TYPE a histogram|a_bucket{le="+Inf"} 1|a_sum 1 # {b="c"} 0.5|a_count 1
- # TYPE a summary|a_count 1 # {b="c"} 0.5
- # TYPE a info|a_info 1 # {b="c"} 1
- # TYPE a counter|a_total 1 # {b="c"}
- # TYPE a counter|a_total 1 # {b="c"} 
- # TYPE a counter|a_total 1 # {b="c"} x
- # TYPE a counter|a_total 1 # {b="c"} 1 x
- # TYPE a counter|a_total 1 # {b="c"} 1 2 3
- # TYPE a counter|a_total 1 # {b="c"} 1 
- # TYPE a counter|a_total 1 # {b="c"} 1 NaN
- # TYPE a counter|a_total 1 # {b="c",b="d"} 1
- # TYPE a counter|a_total 1 # {b=c} 1
- # TYPE a counter|a_total 1 # {b="c" 1
- # TYPE a counter|a_total 1 # b="c"} 1
- # TYPE a counter|a_total 1 #{b="c"} 1
- # TYPE a counter|a_total 1 # {b="c"}1
- # TYPE a counter|a_total 1 # x{b="c"} 1
- # TYPE a counter|a_total 1 # {1="c"} 1
- # TYPE a counter|a_total 1  # {b="c"} 1
- # TYPE a counter|a_total 1 # {b="c"} 1 # {b="c"} 1
+ # TYPE a counter|a_total 1 # {b="LONG127"} 1
- # TYPE a counter|a_total 1 # {b="LONG128"} 1
+ # TYPE a counter|a_total 1 # {b="WIDE127"} 1
- # TYPE a counter|a_total 1 # {b="WIDE128"} 1
- # TYPE a counter|a_total 1 # {b="LONG60",c="LONG67"} 1
""",
}
RAW = {
    "Overall Structure": [
        ("+", b"# EOF\n"), ("+", b"# EOF"), ("+", b"a 1\n# EOF"), ("+", b"a 1\n# EOF\n"),
        ("-", b""), ("-", b"\n"), ("-", b"a 1\n"), ("-", b"a 1"), ("-", b"# EOF\n\n"), ("-", b"# EOF\na 1\n"),
        ("-", b"# EOF\n# EOF\n"), ("-", b"a 1# EOF\n"), ("-", b"a 1\n#EOF\n"), ("-", b"a 1\n # EOF\n"),
        ("-", b"a 1\n# EOF \n"), ("-", b"a 1\n# EOFX\n"), ("-", b"a 1\n# eof\n"), ("-", b"a 1\r\n# EOF\r\n"),
        ("-", b"\n# EOF\n"), ("-", b"a 1\n# EOF a\n"),
    ],
    "Overall Structure: UTF-8": [
        ("-", b"a{b=\"\xff\"} 1\n# EOF\n"), ("-", b"# HELP a \xff\n# EOF\n"), ("-", b"a{b=\"\xed\xa0\x80\"} 1\n# EOF\n"),
        ("-", b"a{b=\"\xc0\x80\"} 1\n# EOF\n"), ("-", b"\xef\xbb\xbfa 1\n# EOF\n"),
    ],
}

# What the reference takes and we refuse, by our words.
OURS = [
    (re.compile("the series was already given"), "Data Model, Metric: a LabelSet is there once a MetricPoint"),
    (re.compile("the string has no closing quote"), "ABNF: label-value ends in an unescaped quote"),
    (re.compile('" " stands where a timestamp'), "ABNF: one SP between number and exemplar"),
    (re.compile("a comment may not stand"), "ABNF: metadata begins with a hash and SP"),
]
# What the reference refuses and we take, by its words or (bytes) the body.
THEIRS = [
    (re.compile("AttributeError: 'float' object has no attribute 'sec'"), "Timestamps: any real number"),
    (re.compile(rb'# \{[^\n]*="[^"\n]*[{}]'), "ABNF: an escaped-string may hold braces, in an exemplar, too"),
]
# The reference is no judge of a body with these.
LEFT_OUT = [
    (re.compile(rb'(le|quantile)="[^"]*(\\n|\s)'), "Python's float() passes over white space"),
]


def fixed():
    for section, text in FIXED.items():
        for line in text.split("\n"):
            if not line:
                continue
            verdict, body = line[0], line[2:]
            for n in (60, 67, 127, 128):
                body = body.replace(f"LONG{n}", "x" * n).replace(f"WIDE{n}", "\u00e9" * n)
            yield section, verdict == "+", (body.replace("|", "\n") + "\n" + EOF).encode()
    for section, rows in RAW.items():
        for verdict, body in rows:
            yield section, verdict == "+", body


TOKENS = [" ", "\n", '"', "{", "}", ",", "=", "#", "\\", "1", "-", ".", "e", "_", "NaN", "+Inf", "0", "x", ":",
          '"} ', " 1", "\\n", '\\"', "\u00e9", "# TYPE a gauge\n", "# HELP a b\n", "# EOF\n", ' # {b="c"} 1']
NAMES = ["a", "b", "a_total", "a_bucket", "a_sum", "a_count", "a_gsum", "a_gcount", "a_created", "a_info"]
TYPES = ["gauge", "counter", "histogram", "gaugehistogram", "summary", "info", "stateset", "unknown"]
NUMBERS = ["0", "1", "2", "3.5", "1e3", "0.25", "12", "+Inf", "1e-3"]


def gentle(rng, line):
    """A change of a line that often leaves the body good."""
    kind = rng.randrange(7)
    if kind == 0 and not line.startswith("#"):
        return re.sub(r" \S+$", lambda m: " " + rng.choice(NUMBERS), line)
    if kind == 1 and '="' in line:
        word = rng.choice(["x", "\u00e9", "\\\\", "\\n", '\\"', " ", "{}", ",", "#"])
        return re.sub(r'="', lambda m: '="' + word, line, count=1) if 'le="' not in line else line
    if kind == 2 and line.startswith("# HELP"):
        return line + rng.choice([" more", "\\n", "\\\\", "#"])
    if kind == 3 and "{" in line and not line.startswith("#"):
        return line.replace("{", "{" + rng.choice(['z="1",', 'y="2",']), 1)
    if kind == 4 and "{" not in line and not line.startswith("#"):
        return re.sub(r"^(\w+) ", r'\1{w="1"} ', line)
    if kind == 5 and not line.startswith("#") and line.count(" ") == 1:
        return line + rng.choice([" 1", " 2.5", " 1e3", " -5"])
    if kind == 6:
        name = rng.choice("acde")
        return re.sub(r"\ba(?=[_ {])", name, line)
    return line


def rough(rng, body):
    at = rng.randrange(len(body) + 1)
    kind = rng.randrange(4)
    if kind == 0:
        return body[:at] + rng.choice(TOKENS) + body[at:]
    if kind == 1:
        return body[:at] + body[at + rng.choice([1, 1, 2, 5]):]
    if kind == 2:
        return re.sub(r"TYPE (\w+) \w+", lambda m: f"TYPE {m.group(1)} {rng.choice(TYPES)}", body, count=1)
    lines = body.split("\n")
    i = rng.randrange(len(lines))
    lines[i:i + 1] = rng.choice([[], [lines[i], lines[i]], lines[i:i + 2][::-1], [rng.choice(NAMES) + " 1", lines[i]]])
    return "\n".join(lines)


def renamed(body, name):
    return re.sub(r'(?m)^(# \w+ )?a(?=[_ {])', lambda m: (m.group(1) or "") + name, body)


def mutate(rng, good):
    """Some good bodies behind each other, changed."""
    parts = [renamed(rng.choice(good), name) for name in rng.sample("abfg", rng.choice([1, 1, 2, 3]))]
    lines = "".join(parts).split("\n")
    for _ in range(rng.choice([1, 2, 3])):
        i = rng.randrange(len(lines))
        lines[i] = gentle(rng, lines[i])
    body = "\n".join(lines)
    for _ in range(rng.choice([0, 0, 0, 0, 1, 1, 2])):
        body = rough(rng, body)
    return (body + EOF).encode()


def bodies():
    rows = list(fixed())
    yield from ((f"{section}: {body!r}", good, body) for section, good, body in rows)
    good = [body.decode()[:-len(EOF)] for section, verdict, body in rows
            if verdict and body.endswith(b"\n" + EOF.encode())]
    rng = random.Random(SEED)
    made = 0
    while made < COUNT:
        body = mutate(rng, good)
        if any(p.search(body) for p, _ in LEFT_OUT):
            continue
        made += 1
        yield f"mutation {made}: {body!r}", None, body


def key(name, labels):
    rest = {}
    for k, v in labels.items():
        if k in ("le", "quantile"):
            try:
                v = repr(float(v))  # we write bounds anew, as Prometheus does
            except ValueError:
                pass
        if v:
            rest[k] = v  # an empty value is no label
    return name, tuple(sorted(rest.items()))


def milliseconds(t):
    return None if t is None else math.trunc(float(t) * 1000)


def number(v):
    return "NaN" if math.isnan(v) else float(v)


def theirs(body):
    """The samples, or None and the reason."""
    try:
        rows = []
        for family in text_string_to_metric_families(body.decode("utf-8")):
            for s in family.samples:
                rows.append((*key(s.name, s.labels), number(s.value), milliseconds(s.timestamp)))
        return rows, ""
    except Exception as e:  # it raises whatever it met: KeyError, IndexError ...
        return None, f"{type(e).__name__}: {e}"


def ours(path, body):
    with open(path, "wb") as f:
        f.write(body)
    done = subprocess.run([PROGRAM, "parse", "--strict", "--format", "openmetrics", path],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_env(), timeout=60, check=False)
    error = done.stderr.decode("utf-8", "replace").replace(path, "").strip()
    if done.returncode not in (0, 1) or "Sanitizer" in error:
        raise AssertionError(error)
    if done.returncode == 1:
        return None, error
    rows = []
    for line in done.stdout.decode().splitlines():
        row = json.loads(line)
        t = row["timestamp"]
        rows.append((*key(row["name"], row["labels"]), number(float(row["value"])),
                     None if t is None else round(t * 1000)))
    return rows, ""


# The reference drops a sample whose series had a sample in an earlier
# MetricPoint of the same Metric, unless it is the first of its point.
POINTS = "MetricPoint: every point of a Metric has all its samples"


def several_points(rows):
    series = [row[:2] for row in rows]
    return len(set(series)) < len(series)


def intended(body, mine, error, theirs_error):
    if mine is None:
        return next((section for p, section in OURS if p.search(error)), None)
    if several_points(mine):
        return POINTS
    return next((section for p, section in THEIRS
                 if (p.search(theirs_error) if isinstance(p.pattern, str) else p.search(body))), None)


def judge(name, want, body, path, tally):
    mine, error = ours(path, body)
    other, why = theirs(body)
    tally["good"] += mine is not None
    if want is not None and want != (mine is not None):
        return f"{name}\n  the specification says {'good' if want else 'bad'}; ours: {error or 'good'}"
    if (mine is None) != (other is None):
        section = intended(body, mine, error, why)
        if section:
            tally["intended"][section] = tally["intended"].get(section, 0) + 1
            return None
        return f"{name}\n  reference: {why or 'good'}; ours: {error or 'good'}"
    if mine != other and mine is not None:
        if several_points(mine) and all(row in mine for row in other):
            tally["intended"][POINTS] = tally["intended"].get(POINTS, 0) + 1
            return None
        return f"{name}\n  reference: {other}\n  ours: {mine}"
    return None


@case
def strict_reading_agrees_with_the_reference_parser():
    tally = {"good": 0, "intended": {}}
    faults, count = [], 0
    with tempfile.TemporaryDirectory() as directory:
        for name, want, body in bodies():
            count += 1
            what = judge(name, want, body, os.path.join(directory, "body"), tally)
            if what:
                faults.append(what)
    print(f"# {count} bodies, {count - COUNT} of them fixed; {tally['good']} good; {len(faults)} differ; "
          f"{sum(tally['intended'].values())} intended differences")
    for section, n in sorted(tally["intended"].items()):
        print(f"# {n} by {section}")
    if faults:
        raise AssertionError(f"{len(faults)} differ\n" + "\n".join(faults[:40]))


if __name__ == "__main__":
    main()
