#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares our PromQL with the answers of a real Prometheus.

PROMETHEUS is the oracle (promtool beside it makes its data); without one the
tests are skipped.  Both see the same samples: gauges, counters with resets,
classic histograms, NaN and infinities, gaps, 40 minutes every 15 seconds.
The queries are a fixed list and random well-typed expressions:

    PROMQL_DIFF_COUNT  how many random ones (2000)
    PROMQL_DIFF_SEED   where they start (1)
    PROMQL_DIFF_DATA   the seed of the samples (7)
    PROMQL_DIFF_ALIGNED       put samples on the borders of ranges (3.x only)
    PROMQL_DIFF_EXPERIMENTAL  ask the functions behind the flag, too (3.14)

What differs between the oracle's version and 3.14, which is what we follow,
is listed in DIFFERENCES; expressions that run into it are not asked of an
older oracle.
"""
import json
import math
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
from tap import case, main  # noqa: E402

BATCH = os.environ.get(
    "PROMQL_BATCH",
    os.path.join(os.environ.get("builddir", "."), "test/conformance/promql_batch"))
PROMETHEUS = os.environ.get("PROMETHEUS", "")
COUNT = int(os.environ.get("PROMQL_DIFF_COUNT", "2000"))
SEED = int(os.environ.get("PROMQL_DIFF_SEED", "1"))
DATA = int(os.environ.get("PROMQL_DIFF_DATA", "7"))

BASE = 1_700_000_100  # a multiple of a minute
STEP = 15
SAMPLES = 160
# Half a second off every sample and every border of a range, so that neither
# end of a range ever meets a sample: 2.x closed ranges on the left.
NOW = BASE + 30 * 60 + 0.5
ALIGNED = "PROMQL_DIFF_ALIGNED" in os.environ
EXPERIMENTAL = "PROMQL_DIFF_EXPERIMENTAL" in os.environ
FRACTION = "000" if ALIGNED else "250"
if ALIGNED:
    NOW = BASE + 30 * 60

# Known and intended differences: (first version that has it, a pattern of the
# expressions that show it, why).  An older oracle is not asked those, and none
# is asked what is a fault of Prometheus' own.
FAULT = (99, 0)
DIFFERENCES = [
    ((3, 0), r'\{\s*""|\{[^}]*,\s*""\s*[,}]|""\s*[=!]|(by|without|on|ignoring|left|right) ?\([^)]*""', "names in quotes"),
    ((2, 54), r"\d_\d|\b0x", "underscores in numbers; hexadecimal ones more strictly"),
    ((2, 54), r"(?<![\w\[:.])(?<!offset )(?<!offset -)\d+(ms|[smhdwy])\b", "durations as numbers"),
    ((2, 54), r"\[\s*\d+\s*[:\]]|offset -?\d+(\.\d+)?(?![\d.smhdwy])|:\d+\]", "numbers as durations"),
    ((3, 14), r"\[\s*\w*\s*[-+*/%^(]|\[.*\(\)\]|offset -?\(", "arithmetic on durations"),
    ((2, 51), r"\b(rate|increase)\(", "extrapolation to a counter's zero after the threshold"),
    ((3, 0), r"\b(stddev|stdvar)\b", "a deviation with infinities is NaN"),
    ((3, 14), r"\b(topk|bottomk)[^(]*\((NaN|-?\+?Inf)", "NaN as a number of rows"),
    ((2, 43), r"atan2", "atan2 with a scalar takes the name off"),
    ((3, 8), r"histogram_fraction", "histogram_fraction of classic histograms"),
    ((2, 55), r"avg|histogram_quantile", "compensated means; small differences of buckets levelled"),
    ((3, 14), r"first_over_time", "first_over_time"),
    ((3, 5), r"\b(absent|absent_over_time)\(.*!~", "the order of matchers in absent()"),
    (FAULT, r"(predict_linear|quantile_over_time|smoothing)\(.*:[^\]]*\].* @ ",
     "predict_linear, or quantile_over_time with time(), of a subquery with @ finds nothing (3.14)"),
]


def newer_than(version, expression):
    """Why an oracle of this version is not asked, or None."""
    bare = re.sub(r'"[^"]*"', '""', expression)
    for first, pattern, why in DIFFERENCES:
        if version < first and re.search(pattern, bare):
            return why
    return None


# The samples ---------------------------------------------------------------

def series():
    rng = random.Random(DATA)
    out = []

    def add(name, labels, values):
        if DATA != 7:  # every other set of samples has gaps
            values = [None if rng.random() < 0.05 else v for v in values]
        out.append((name, labels, values))

    for i, job in enumerate(["api", "api", "worker", "queue"]):
        labels = {"job": job, "instance": f"10.0.0.{i}:80", "env": "prod" if i % 2 else "dev"}
        add("gauge_a", labels, [round(rng.uniform(-50, 50), 3) for _ in range(SAMPLES)])
        add("gauge_b", labels, [rng.choice([0, 1, 2.5, -3, 7, 100]) for _ in range(SAMPLES)])
        level, counter = 0.0, []
        for _ in range(SAMPLES):
            level = 0.0 if rng.random() < 0.04 else level + rng.choice([0, 1, 5, 12.5])
            counter.append(level)
        add("requests_total", labels, counter)
        if i < 3:
            add("info", {**labels, "version": f"v{i}"}, [1] * SAMPLES)
    for i in range(3):
        labels = {"job": "api", "pod": f"p{i}"}
        add("only_some", labels, [None if (n // 20 + i) % 3 == 0 else n + i for n in range(SAMPLES)])
    special = [math.nan, math.inf, -math.inf, 0, 1, -1, 1e9, 1e-9]
    for i in range(4):
        add("odd", {"k": str(i)}, [special[(n // 3 + i * 2) % len(special)] for n in range(SAMPLES)])
    for i in range(2):
        totals = {b: 0.0 for b in ["0.1", "0.5", "1.0", "5.0", "+Inf"]}
        rows = {b: [] for b in totals}
        for _ in range(SAMPLES):
            for _ in range(rng.randrange(6)):
                seen = rng.expovariate(1.2 + i)
                for b in totals:
                    totals[b] += seen <= float(b)
            for b, total in totals.items():
                rows[b].append(total)
        for b in totals:
            add("latency_bucket", {"le": b, "job": "api", "h": str(i)}, rows[b])
    add("unix", {"z": "utc"}, [BASE + 86400 * 40.5 * n for n in range(SAMPLES)])
    return out


def number(v):
    if math.isnan(v):
        return "NaN"
    if math.isinf(v):
        return "+Inf" if v > 0 else "-Inf"
    return repr(float(v))


def exposition():
    """OpenMetrics with all samples, each family's series together."""
    lines, family = [], None
    for name, labels, values in series():
        if name != family:
            lines.append(f"# TYPE {name} unknown")
            family = name
        text = ",".join(f'{k}="{v}"' for k, v in sorted(labels.items()))
        lines += [f"{name}{{{text}}} {number(v)} {BASE + STEP * n}.{FRACTION}"
                  for n, v in enumerate(values) if v is not None]
    return "\n".join(lines) + "\n# EOF\n"


# The two sides ---------------------------------------------------------------

class Ours:
    def __init__(self, path):
        self.process = subprocess.Popen(
            [BATCH, path, str(NOW)] + ["experimental"] * EXPERIMENTAL, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, expression):
        self.process.stdin.write(expression + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"our side ended at: {expression}")
        answer = json.loads(line)
        return answer.get("data"), answer.get("error")

    def close(self):
        self.process.stdin.close()
        status = self.process.wait(30)
        if status != 0:
            raise AssertionError(f"our side ended with status {status}")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Oracle:
    def __init__(self, directory, path):
        data = os.path.join(directory, "data")
        folder, name = os.path.split(PROMETHEUS)
        tool = os.environ.get("PROMTOOL") or os.path.join(folder, name.replace("prometheus", "promtool"))
        subprocess.run([tool, "tsdb", "create-blocks-from", "openmetrics", path, data],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        config = os.path.join(directory, "prometheus.yml")
        with open(config, "w") as f:
            f.write("global: {}\n")
        port = free_port()
        self.base = f"http://127.0.0.1:{port}/api/v1/"
        self.log = open(os.path.join(directory, "log"), "w")
        self.process = subprocess.Popen(
            [PROMETHEUS, f"--config.file={config}", f"--storage.tsdb.path={data}",
             "--storage.tsdb.retention.time=100y", f"--web.listen-address=127.0.0.1:{port}"] +
            ["--enable-feature=promql-experimental-functions"] * EXPERIMENTAL,
            stdout=self.log, stderr=self.log)
        self.version = self.wait()

    def wait(self):
        for _ in range(300):
            try:
                with urllib.request.urlopen(self.base + "status/buildinfo", timeout=5) as r:
                    text = json.load(r)["data"]["version"]
                if self.ask("count(gauge_a)")[0]:
                    words = re.findall(r"\d+", text)
                    return (int(words[0]), int(words[1])) if len(words) > 1 else (3, 14)
            except (urllib.error.URLError, OSError, ValueError):
                pass
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise AssertionError("the oracle did not start: " + open(self.log.name).read()[-2000:])

    def ask(self, expression):
        body = urllib.parse.urlencode({"query": expression, "time": repr(NOW)}).encode()
        try:
            with urllib.request.urlopen(self.base + "query", body, timeout=30) as r:
                return json.load(r)["data"], None
        except urllib.error.HTTPError as e:
            text = json.load(e)["error"]
            return None, re.sub(r'^invalid parameter "?\'?query"?\'?: ', "", text)

    def close(self):
        self.process.terminate()
        self.process.wait(60)
        self.log.close()


class Both:
    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix="promql-diff-")
        path = os.path.join(self.directory, "metrics.txt")
        with open(path, "w") as f:
            f.write(exposition())
        self.oracle = Oracle(self.directory, path)
        self.ours = Ours(path)
        return self

    def __exit__(self, *error):
        self.oracle.close()
        if error[0] in (None, SystemExit):
            self.ours.close()
        else:
            self.ours.process.kill()
            self.ours.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def compare(self, expression):
        """None, or what is different."""
        want, want_error = self.oracle.ask(expression)
        got, got_error = self.ours.ask(expression)
        if want_error is not None or got_error is not None:
            return difference_of_errors(self.oracle.version, want_error, got_error)
        return difference(want, got, expression)


def difference_of_errors(version, want, got):
    if want == "unexpected number of samples":
        return None  # a fault of 3.x: a quantile whose subquery has @
    if version < (3, 9) and want is None and got.startswith("multiple matches for labels"):
        return None  # since 3.9 rows that a filter drops count as doubles, too
    if version < (2, 54) and want is not None and got is None and "duration" in want:
        return None  # numbers and durations are one since 2.54
    if want is None or got is None:
        return f"error: theirs {want!r}, ours {got!r}"
    if version < (3, 14) or want == got:
        return None
    # Rows are named in the order in which a side met them.
    if "found duplicate series" in want and "found duplicate series" in got:
        return None
    if "error parsing regexp" in want:
        return None
    return f"message: theirs {want!r}, ours {got!r}"


def close(a, b):
    a, b = float(a), float(b)
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    if math.isinf(a) or math.isinf(b):
        return a == b
    return abs(a - b) <= 1e-9 * max(1, abs(a), abs(b))


def points(row):
    return row["values"] if "values" in row else [row["value"]]


def is_ordered(expression):
    """Whether all of it is one call whose rows come in an order."""
    if not re.match(r"(sort|sort_desc|topk|bottomk) ?\(", expression):
        return False
    depth = 0
    for i, c in enumerate(expression):
        depth += (c == "(") - (c == ")")
        if depth == 0 and c == ")":
            return i == len(expression) - 1
    return False


def difference(want, got, expression):
    if want["resultType"] != got["resultType"]:
        return f"type: theirs {want['resultType']}, ours {got['resultType']}"
    if want["resultType"] in ("scalar", "string"):
        if want["result"][0] != got["result"][0]:
            return f"time: theirs {want['result'][0]}, ours {got['result'][0]}"
        same = close if want["resultType"] == "scalar" else str.__eq__
        if same(want["result"][1], got["result"][1]):
            return None
        return f"value: theirs {want['result'][1]}, ours {got['result'][1]}"
    if want["resultType"] == "vector" and is_ordered(expression):
        a = [points(r)[0][1] for r in want["result"]]
        b = [points(r)[0][1] for r in got["result"]]
        if len(a) != len(b) or not all(map(close, a, b)):
            return f"order: theirs {a}, ours {b}"

    def table(data):
        return {json.dumps(r["metric"], sort_keys=True): points(r) for r in data["result"]}

    a, b = table(want), table(got)
    if a.keys() != b.keys():
        return (f"rows: only theirs {sorted(a.keys() - b.keys())[:3]}, "
                f"only ours {sorted(b.keys() - a.keys())[:3]}")
    for key in a:
        if [p[0] for p in a[key]] != [p[0] for p in b[key]]:
            return f"times of {key}: theirs {a[key][:3]}, ours {b[key][:3]}"
        if not all(close(x[1], y[1]) for x, y in zip(a[key], b[key])):
            return f"value of {key}: theirs {a[key][:4]}, ours {b[key][:4]}"
    return None


# The expressions ---------------------------------------------------------------

NAMES = ["gauge_a", "gauge_b", "requests_total", "info", "only_some", "odd", "latency_bucket"]
LABELS = ["job", "instance", "env", "version", "pod", "k", "le", "h"]
MATCHERS = ['job="api"', 'job!="api"', 'job=~"a.*|queue"', 'env!~"d.+"', 'k=~"[01]"', 'le!="+Inf"',
            'nosuch=""', 'pod!=""', 'instance=~"10.0.0.[0-2]:80"']
MAPS = ["abs", "ceil", "floor", "exp", "sqrt", "ln", "log2", "log10", "sgn", "sin", "cos", "tan", "asin",
        "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "rad", "deg", "timestamp",
        "day_of_month", "day_of_week", "day_of_year", "days_in_month", "hour", "minute", "month", "year"]
OVER = ["avg_over_time", "min_over_time", "max_over_time", "sum_over_time", "count_over_time",
        "last_over_time", "first_over_time", "present_over_time", "stddev_over_time", "stdvar_over_time",
        "rate", "increase", "irate", "delta", "idelta", "deriv", "changes", "resets"]
AGGREGATES = ["sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"]
ARITHMETIC = ["+", "-", "*", "/", "%", "^", "atan2"]
COMPARISONS = ["==", "!=", ">", "<", ">=", "<="]


class Generator:
    """Random expressions whose types fit."""

    def __init__(self, seed):
        self.rng = random.Random(seed)

    def pick(self, *choices):
        return self.rng.choice(choices)

    def names(self):
        return ", ".join(self.rng.sample(LABELS, self.rng.randrange(0, 3)))

    def moment(self):
        roll = self.rng.random()
        if roll < 0.12:
            return f" offset {self.pick('1m', '7m', '-2m', '33s')}"
        if roll < 0.18:
            return f" @ {BASE + self.rng.randrange(300, 1800)}.5"
        if roll < 0.21:
            return self.pick(" @ start()", " @ end() offset 3m")
        return ""

    def selector(self):
        name = self.rng.choice(NAMES)
        matchers = ", ".join(self.rng.sample(MATCHERS, self.rng.choice([0, 0, 0, 1, 2])))
        return name + (f"{{{matchers}}}" if matchers else "")

    def matrix(self, depth):
        if depth > 0 and self.rng.random() < 0.2:
            inner = self.vector(depth - 1)
            return f"({inner})[{self.pick('3m', '5m', '127s')}:{self.pick('', '20s', '1m')}]{self.moment()}"
        return f"{self.selector()}[{self.pick('1m', '3m', '5m', '20m', '47s', '10s')}]{self.moment()}"

    def scalar(self, depth):
        roll = self.rng.random()
        if depth <= 0 or roll < 0.6:
            return self.pick("0", "1", "2", "0.5", "-1", "3.7", "100", "NaN", "Inf", "time()", "pi()")
        if roll < 0.75:
            return f"scalar({self.vector(depth - 1)})"
        if roll < 0.85:
            return f"({self.scalar(depth - 1)} {self.rng.choice(COMPARISONS)} bool {self.scalar(depth - 1)})"
        return f"({self.scalar(depth - 1)} {self.rng.choice(ARITHMETIC)} {self.scalar(depth - 1)})"

    def call(self, depth):
        v = self.vector(depth - 1)
        return self.pick(
            lambda: f"{self.rng.choice(MAPS)}({v})",
            lambda: f"{self.rng.choice(OVER)}({self.matrix(depth)})",
            lambda: f"{self.rng.choice(OVER)}({self.matrix(depth)})",
            lambda: f"quantile_over_time({self.scalar(0)}, {self.matrix(depth)})",
            lambda: f"predict_linear({self.matrix(depth)}, {self.pick('60', '-30', '3600')})",
            lambda: f"clamp({v}, {self.scalar(0)}, {self.scalar(0)})",
            lambda: f"clamp_{self.pick('min', 'max')}({v}, {self.scalar(0)})",
            lambda: f"round({v}{self.pick('', ', 0.5', ', 10')})",
            lambda: f"vector({self.scalar(depth - 1)})",
            lambda: f"absent({v})",
            lambda: f"absent_over_time({self.matrix(depth)})",
            lambda: f"{self.pick('sort', 'sort_desc')}({v})",
            lambda: f'label_replace({v}, "{self.rng.choice(LABELS)}", "$1-x", "{self.rng.choice(LABELS)}", '
                    f'"{self.pick("(.*)", "(a).*", "(p)([0-9])", "v.")}")',
            lambda: f'label_join({v}, "{self.rng.choice(LABELS)}", "-", "job", "{self.rng.choice(LABELS)}")',
            lambda: f"histogram_quantile({self.pick('0.5', '0.9', '0', '1', '-1', '2', 'NaN')}, "
                    f"{self.pick('latency_bucket', 'rate(latency_bucket[5m])', 'sum by (le) (latency_bucket)', v)})",
            lambda: f"histogram_fraction({self.pick('0', '0.2', '-Inf')}, {self.pick('0.7', '3', '+Inf')}, "
                    f"latency_bucket)",
            lambda: f"{self.pick('minute', 'hour', 'day_of_week', 'month')}()",
        )()

    def experimental(self, depth):
        v, m = self.vector(depth - 1), self.matrix(depth)
        return self.pick(
            lambda: f"mad_over_time({m})",
            lambda: f"ts_of_{self.pick('first', 'last', 'min', 'max')}_over_time({m})",
            lambda: f"double_exponential_smoothing({m}, 0.3, {self.pick('0.7', '0.1', '2')})",
            lambda: f'sort_by_label{self.pick("", "_desc")}({v}, "{self.rng.choice(LABELS)}", "instance")',
            lambda: f'histogram_quantiles(latency_bucket, "q", 0.5, {self.scalar(0)})',
            lambda: f"({v} * {self.pick('max_of', 'min_of')}({self.scalar(0)}, {self.scalar(0)}))",
            lambda: f"({v} + {self.pick('start', 'end', 'step', 'range')}())",
            lambda: f"count(limitk({self.pick('1', '2', '100')}, {v}))",
            lambda: f"limit_ratio({self.pick('0', '1', '-1')}, {v})",
        )()

    def aggregate(self, depth):
        v = self.vector(depth - 1)
        grouping = self.pick("", "", f" by ({self.names()})", f" without ({self.names()})")
        return self.pick(
            lambda: f"{self.rng.choice(AGGREGATES)}{grouping} ({v})",
            lambda: f"{self.rng.choice(AGGREGATES)}({v}){grouping}",
            lambda: f"{self.pick('topk', 'bottomk')}{grouping} ({self.pick('1', '2', '3', '0', '100')}, {v})",
            lambda: f"quantile{grouping} ({self.pick('0.5', '0.9', '0', '1', '-0.1', '1.1', 'NaN')}, {v})",
            lambda: f'count_values{grouping} ("value", clamp(round({v}), -1e6, 1e6))',
        )()

    def binary(self, depth):
        left, right = self.vector(depth - 1), self.vector(depth - 1)
        modifier = self.pick("", "", "", f" on ({self.names()})", f" ignoring ({self.names()})")
        if modifier and self.rng.random() < 0.5:
            modifier += f" {self.pick('group_left', 'group_right')}({self.pick('', 'version', 'env')})"
        roll = self.rng.random()
        if roll < 0.2:
            modifier = self.pick("", f" on ({self.names()})", f" ignoring ({self.names()})")
            return f"{left} {self.pick('and', 'or', 'unless')}{modifier} {right}"
        if roll < 0.5:
            left, right = self.pick((left, self.scalar(depth - 1)), (self.scalar(depth - 1), right))
            modifier = ""
        if self.rng.random() < 0.45:
            return f"{left} {self.rng.choice(COMPARISONS)}{self.pick('', ' bool')}{modifier} {right}"
        return f"{left} {self.rng.choice(ARITHMETIC)}{modifier} {right}"

    def vector(self, depth):
        if depth <= 0 or self.rng.random() < 0.15:
            return self.selector() + self.moment()
        roll = self.rng.random()
        if EXPERIMENTAL and roll < 0.2:
            return self.experimental(depth)
        if roll < 0.4:
            return self.call(depth)
        if roll < 0.65:
            return self.aggregate(depth)
        if roll < 0.95:
            return f"({self.binary(depth)})"
        return f"-{self.selector()}"

    def expression(self):
        roll = self.rng.random()
        if roll < 0.06:
            return self.matrix(2)
        if roll < 0.12:
            return self.scalar(3)
        return self.vector(self.rng.choice([1, 2, 2, 3]))


def ambiguous(expression):
    """Whether rows of equal value may be chosen from at will."""
    return re.search(r"topk|bottomk", expression) is not None


def fixed():
    with open(os.path.join(HERE, "promql_queries.txt")) as f:
        return [line.rstrip("\n") for line in f if line.strip() and not line.startswith("#")]


def run(expressions, what):
    failures, asked, skipped = [], 0, {}
    version = BOTH.oracle.version
    for expression in expressions:
        why = newer_than(version, expression)
        if why:
            skipped[why] = skipped.get(why, 0) + 1
            continue
        asked += 1
        found = BOTH.compare(expression)
        if found and ambiguous(expression) and found.startswith(("rows", "order", "value", "times")):
            skipped["ties"] = skipped.get("ties", 0) + 1
        elif found:
            failures.append(f"{expression}\n    {found}")
    print(f"# {what}: {asked} compared with Prometheus {version[0]}.{version[1]}, "
          f"{sum(skipped.values())} not asked or not decidable")
    for why, n in sorted(skipped.items()):
        print(f"#   {n}: {why}")
    if failures:
        shown = "\n".join(failures[:int(os.environ.get("PROMQL_DIFF_SHOW", "20"))])
        raise AssertionError(f"{len(failures)} differ:\n{shown}")


@case
def the_fixed_queries_get_the_answers_of_prometheus():
    run(fixed(), "fixed")


TOKEN = re.compile(r'"[^"]*"|\w+(?:\.\d+)?|[=!<>]=|=~|!~|\s+|.')
STRAY = ["(", ")", "[", "]", "{", "}", ",", ":", "by", "on", "bool", "offset", "@", "+", "-", "sum", "x", "5m",
         "1", '"s"', "=", "==", "=~", "!", "group_left", "ignoring", "and", "rate", "start", "#", "%", "start()",
         "without", "by (job)", "topk", "[5m]", "[5m:]", "offset 5m", "@ 5", "atan2", "inf", "0x", "é", "'"]


def mangled(generator):
    """An expression with a token too many, too few, or another one."""
    tokens = TOKEN.findall(generator.expression())
    for _ in range(generator.pick(1, 1, 1, 2)):
        at = generator.rng.randrange(len(tokens))
        tokens[at:at + generator.pick(0, 1, 1)] = [
            [], [f" {generator.rng.choice(STRAY)} "], [generator.rng.choice(STRAY)]][generator.rng.randrange(3)]
        if not tokens:
            break
    return "".join(tokens)


# What we refuse on our own account, or while parsing rather than evaluating.
OURS = re.compile(r"histogram_(count|sum|avg|stddev|stdvar)\(|</|>/|@ Inf|label_replace|deeply|0\.0001|step\(|count_values\(""|offset[ (+-]*NaN")


def broken():
    """The expressions that do not parse, of the unit tests' case files."""
    directory = os.path.join(HERE, "..", "data", "promql")
    for name in sorted(os.listdir(directory)):
        with open(os.path.join(directory, name)) as f:
            lines = f.read().split("\n")
        for line, after in zip(lines, lines[1:]):
            found = re.match(r"fail \S+ (.*[^\\])$", line)
            if found and "parse error" in after and not OURS.search(line):
                yield found.group(1)


@case
def what_does_not_parse_gets_the_message_of_prometheus():
    run(broken(), "broken")


@case
def mangled_queries_fail_or_work_as_with_prometheus():
    queries = [mangled(Generator(SEED + n)) for n in range(COUNT)]
    run([q for q in queries if q.strip() and not OURS.search(q)], "mangled")


@case
def random_queries_get_the_answers_of_prometheus():
    run([Generator(SEED + n).expression() for n in range(COUNT)], "random")


if __name__ == "__main__":
    if not PROMETHEUS or not shutil.which(PROMETHEUS):
        print("1..0 # SKIP no prometheus to compare with (PROMETHEUS)")
        sys.exit(0)
    with Both() as BOTH:
        main()
