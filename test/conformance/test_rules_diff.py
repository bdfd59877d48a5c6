#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares `scalebridge test-rules` with `promtool test rules`.

The promtool beside PROMETHEUS is the oracle; without one the tests are
skipped.  Every file of test/data/testrules must get the same exit status and
the same verdict for each expression and rule from both; then random files,
whose expectations are all wrong, must show the same rows.

    TEST_RULES_DIFF_COUNT  how many random files (60)
    TEST_RULES_DIFF_SEED   where they start (1)

Known and intended differences, which the files keep clear of:
  - a file that cannot be used is our status 2, promtool's 1;
  - alert_rule_test is passed over, and there is no series ALERTS;
  - NaN is taken for NaN where it is expected (promtool never takes it);
  - a rule whose expression gives a range or a string is refused when the file
    is read, not when the rule is evaluated;
  - groups that group_eval_order does not name come in the order of the files
    (promtool's is any);
  - 2.42 and older: ranges, subqueries and the lookback are closed on the
    left; interval must be written; fuzzy_compare and start_timestamp, and
    query_offset and labels of a group, are not known;
  - metric_test is ours.
"""
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
from tap import LIMIT, case, clean_env, equal, main, scalebridge  # noqa: E402

PROMETHEUS = os.environ.get("PROMETHEUS", "")
PROMTOOL = os.environ.get("PROMTOOL") or os.path.join(
    os.path.dirname(PROMETHEUS), os.path.basename(PROMETHEUS).replace("prometheus", "promtool"))
COUNT = int(os.environ.get("TEST_RULES_DIFF_COUNT", "60"))
SEED = int(os.environ.get("TEST_RULES_DIFF_SEED", "1"))
DATA = os.path.join(HERE, "..", "data", "testrules")


def oracle(path):
    done = subprocess.run([PROMTOOL, "test", "rules", path], env=clean_env(), timeout=LIMIT,
                          stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def ours(path):
    result = scalebridge("test-rules", path)
    return result.status, result.out, result.err


FAILURE = re.compile(r'^    (?:expr: ("(?:[^"\\]|\\.)*"), time: (\w+)|rule: ([^,]+), time:)', re.M)


def verdicts(err):
    """Which expressions and rules have failed, in their order."""
    return [(m.group(3) or m.group(1), m.group(2)) for m in FAILURE.finditer(err)]


def files(folder):
    return sorted(os.path.join(folder, name) for name in os.listdir(folder)
                  if name.endswith(".yml") and not name.startswith("rules_"))


@case
def every_file_gets_the_status_and_the_verdicts_of_promtool():
    failed = 0
    for path in files(DATA):
        (status, out, err), (our_status, our_out, our_err) = oracle(path), ours(path)
        name = os.path.basename(path)
        equal(our_status, status, f"{name}\n{our_err}\n{err}")
        equal(verdicts(our_err), verdicts(err), name)
        equal("SUCCESS" in our_out, "SUCCESS" in out, name)
        equal("FAILED" in our_err, "FAILED" in err, name)
        failed += status != 0
    assert 0 < failed < len(files(DATA)), "some pass and some fail"
    print(f"# {len(files(DATA))} files, {failed} of them fail in both")


@case
def what_promtool_cannot_use_is_not_used():
    for path in files(os.path.join(DATA, "bad")):
        status, _, err = oracle(path)
        equal(status, 1, path)
        equal("FAILED" in err, True, path)
        our_status, _, our_err = ours(path)
        equal(our_status, 2, f"{path}\n{our_err}")
        assert re.search(r"\.yml:\d+:\d+: ", our_err), our_err


# ---- random files ----

# No sample is ever on the border of a range or of the lookback: the first
# value is left out, and up to 20 minutes 59 s meets 60 s at none of these.
INTERVAL, EVALUATION, STEPS = 59, 60, 20
RANGES = [100, 157, 270]
NAMES = ["load", "jobs", "temp"]


class Maker:
    def __init__(self, seed):
        self.rng = random.Random(seed)

    def pick(self, *choices):
        return self.rng.choice(choices)

    def number(self):
        return self.pick(str(self.rng.randint(-9, 40)), str(self.rng.randint(0, 99)), "1e2", ".5", "3.25", "+7")

    def item(self):
        roll = self.rng.random()
        unsigned = self.number().lstrip("+-")
        if roll < 0.3:
            return self.number()
        if roll < 0.5:
            return f"{self.number()}x{self.rng.randint(0, 6)}"
        if roll < 0.75:
            return f"{self.number()}{self.pick('+', '-')}{unsigned}x{self.rng.randint(0, 8)}"
        return self.pick("_", "_", f"_x{self.rng.randint(0, 4)}", "stale", "NaN", "Inf", "-Inf", "0x3")

    def series(self):
        labels = {"queue": self.pick("a", "b", "c"), "pod": self.pick("1", "2", "")}
        text = ", ".join(f'{k}="{v}"' for k, v in labels.items() if v)
        values = self.pick(" ", "  ").join(self.item() for _ in range(self.rng.randint(0, 12)))
        return f"      - {{series: '{self.pick(*NAMES)}{{{text}}}', values: '_ {values}'}}"

    def expression(self, names, depth=2):
        name = self.pick(*names)
        selector = name + self.pick("", "", '{queue="a"}', '{queue=~"a|b"}', '{pod!="1"}')
        if depth == 0:
            return selector
        inner = self.expression(names, depth - 1)
        return self.pick(
            selector,
            f"{self.pick('sum', 'max', 'min', 'count')}({inner})",
            f"{self.pick('sum', 'max', 'count')} by (queue) ({inner})",
            f"sum without (pod) ({inner})",
            f"{self.pick('count', 'last', 'max', 'min', 'present')}_over_time({selector}[{self.pick(*RANGES)}s])",
            f"{inner} {self.pick('+', '-', '*', '>', '>=', '!=')} {self.rng.randint(0, 9)}",
            f"({inner}) or vector({self.rng.randint(0, 9)})",
            f"sum by (queue) ({inner}) / on (queue) count by (queue) ({selector})",
            f"abs({inner})", f"-({inner})", "vector(time())", f"absent({selector})",
            f"timestamp({selector})", f"clamp_max({inner}, 10)",
            f"max_over_time(({inner})[{self.pick(*RANGES)}s:])")

    def rules(self):
        lines, names = ["groups:"], list(NAMES)
        for g in range(self.rng.randint(1, 3)):
            lines += [f"  - name: g{g}", "    rules:"]
            for r in range(self.rng.randint(1, 4)):
                record = f"rule:{g}:{r}"
                labels = self.pick("", "", ", labels: {team: x}", ', labels: {pod: ""}', ", labels: {queue: z}")
                lines.append(f"      - {{record: '{record}', expr: '{self.expression(names)}'{labels}}}")
                names.append(record)
        return "\n".join(lines) + "\n", names

    def test(self, names):
        lines = ["rule_files: [r.yml]", f"evaluation_interval: {EVALUATION}s",
                 "group_eval_order: [g0, g1, g2]", "tests:",
                 f"  - interval: {INTERVAL}s", "    input_series:"]
        lines += [self.series() for _ in range(self.rng.randint(1, 8))]
        lines.append("    promql_expr_test:")
        for name in names[len(NAMES):] + [self.expression(names) for _ in range(6)]:
            at = self.rng.randint(0, STEPS) * EVALUATION + self.pick(0, 0, 13)
            lines.append(f"      - {{expr: '{name}', eval_time: {at}s, exp_samples: [{{labels: wrong, value: 1}}]}}")
        return "\n".join(lines) + "\n"


LABEL = re.compile(r'([\w.:]+)="((?:[^"\\]|\\.)*)"')
ROW = re.compile(r"(?:^|, )([\w:]*)(\{[^}]*\})? (\S+?)(?=, |$)")


def rows(text):
    """`name{a="b"} 1, {} 2` or promtool's {__name__="name", a="b"} 1E+00."""
    found = []
    for name, labels, value in ROW.findall("" if text == "nil" else text):
        named = dict(LABEL.findall(labels))
        if name:
            named["__name__"] = name
        number = float(value)
        found.append((sorted(named.items()), "NaN" if number != number else number))
    return sorted(found, key=repr)


def shown(err):
    """What each expression gave, or that it failed; of rules, that they did."""
    got = []
    for part in re.split(r"^(?=    (?:expr|rule): )", err, flags=re.M)[1:]:
        head = FAILURE.match(part)
        answer = re.search(r"^        got: (.*)$", part, re.M)
        got.append((head.group(3) or head.group(1), head.group(2),
                    rows(answer.group(1)) if answer else "error"))
    return got


@case
def random_files_show_the_rows_that_promtool_shows():
    expressions = failed = 0
    with tempfile.TemporaryDirectory(prefix="scalebridge-test-") as folder:
        path = os.path.join(folder, "t.yml")
        for seed in range(SEED, SEED + COUNT):
            maker = Maker(seed)
            text, names = maker.rules()
            with open(os.path.join(folder, "r.yml"), "w", encoding="utf-8") as f:
                f.write(text)
            with open(path, "w", encoding="utf-8") as f:
                f.write(maker.test(names))
            (status, _, err), (our_status, _, our_err) = oracle(path), ours(path)
            want, have = shown(err), shown(our_err)
            if status != our_status or want != have:
                keep = tempfile.mkdtemp(prefix="scalebridge-differs-")
                shutil.copytree(folder, keep, dirs_exist_ok=True)
                raise AssertionError(f"seed {seed}, kept in {keep}\npromtool:\n{err}\nours:\n{our_err}")
            expressions += len(want)
            failed += any(len(w) > 1 and w[2] == "error" for w in want)
    assert expressions > COUNT, expressions
    print(f"# {COUNT} files, {expressions} answers compared; in {failed} files a rule or an expression failed")


if shutil.which(PROMTOOL) and os.access(PROMTOOL, os.X_OK):
    main()
else:
    print("1..0 # SKIP no promtool beside a prometheus")
