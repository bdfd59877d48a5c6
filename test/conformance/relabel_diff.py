# SPDX-License-Identifier: Apache-2.0
"""Compares what relabel rules make of a target with a real Prometheus.

Each case is a job of its own, with one target that is never reached: what
counts is what Prometheus' targets API tells of its labels, or that it was
dropped.  SEED and CASES may be set in the environment.
"""
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib.tap import Skip, case, main  # noqa: E402

TOOL = os.path.join(os.path.dirname(os.environ.get("SCALEBRIDGE", "./scalebridge")),
                    "test/conformance/relabel_tool")
NAMES = ["a", "b", "zone", "az_1", "new"]
VALUES = ["", "x", "X-1", "api;web", "eu-west-1", "10.0.0.1:80", "Ünï", "true", "a b"]
REGEXES = ["(.*)", "(.+)", "x", "X-(\\d)", "(?i)x.*", "([a-z]+)-([a-z]+)-(?P<n>\\d+)",
           "(.*);(.*)", "[^;]*", ".*1", "", "(a|b|zone)", "(?:eu|us)-.*"]
TEMPLATES = ["$1", "${1}", "$2-$1", "$1x", "${1}x", "", "plain", "$n", "$$", "$0", "${9}"]
ACTIONS = ["replace"] * 5 + ["keep", "drop", "keepequal", "dropequal", "hashmod", "labelmap",
                             "labeldrop", "labelkeep", "lowercase", "uppercase"]


def rule(rng):
    action = rng.choice(ACTIONS)
    made = {"action": action}
    if action in ("labeldrop", "labelkeep"):
        # Without its address a target is a failure, which is not meant here.
        made["regex"] = rng.choice(["a", "b|new", "zone.*", "x"]) if action == "labeldrop" else (
            "__.*|job|case|" + rng.choice(["a", "b|new", "z.*"]))
        return made
    if action == "labelmap":
        made["regex"] = rng.choice(["(a|b)", "(z.*)", "(.)(.*)_1", "nothing"])
        made["replacement"] = rng.choice(["m_$1", "${1}_x"])
        return made
    made["source_labels"] = rng.sample(NAMES, rng.randint(1, 3))
    if action in ("keepequal", "dropequal", "lowercase", "uppercase", "hashmod", "replace"):
        made["target_label"] = rng.choice([n for n in NAMES if n != "az_1"])
    if action == "hashmod":
        made["modulus"] = rng.choice([1, 2, 7, 1000, 2 ** 53])
    if action in ("replace", "keep", "drop"):
        made["regex"] = rng.choice(REGEXES)
    if action == "replace":
        made["replacement"] = rng.choice(TEMPLATES)
    if action not in ("keepequal", "dropequal") and rng.random() < 0.3:
        made["separator"] = rng.choice([";", "", "-", "++"])
    if action in ("lowercase", "uppercase"):  # ASCII alone is promised
        made["source_labels"] = ["az_1"]
    return made


def cases():
    rng = random.Random(int(os.environ.get("SEED", "1")))
    for number in range(int(os.environ.get("CASES", "400"))):
        labels = {n: rng.choice(VALUES) for n in NAMES[:-1]}
        labels["az_1"] = rng.choice(["Ab", "X-1", "q"])
        labels["case"] = str(number)
        yield labels, [rule(rng) for _ in range(rng.randint(1, 4))]


def theirs(made):
    if not shutil.which("prometheus"):
        raise Skip("no Prometheus to compare with")
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    jobs = [{"job_name": f"j{i}", "scrape_interval": "1h", "scrape_timeout": "1s",
             "static_configs": [{"targets": ["127.0.0.1:1"], "labels": labels}],
             "relabel_configs": rules} for i, (labels, rules) in enumerate(made)]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "prometheus.yml")
        with open(path, "w", encoding="utf-8") as f:
            json.dump({"scrape_configs": jobs}, f)
        with subprocess.Popen(
                ["prometheus", f"--config.file={path}", f"--storage.tsdb.path={folder}/data",
                 f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"],
                stdin=subprocess.DEVNULL) as process:
            try:
                return ask(port, len(made))
            finally:
                process.terminate()


def ask(port, count):
    """The labels of each job's target; None where it was dropped."""
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/targets") as answer:
                data = json.load(answer)["data"]
        except OSError:
            data = {"activeTargets": [], "droppedTargets": []}
        kept = {int(t["scrapePool"][1:]): t["labels"] for t in data["activeTargets"]}
        if len(kept) + len(data["droppedTargets"]) == count:
            return {number: kept.get(number) for number in range(count)}
        time.sleep(0.1)
    raise AssertionError(f"Prometheus does not tell of all {count} jobs")


def printed(labels):
    def quoted(value):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return "{" + ", ".join(f"{k}={quoted(v)}" for k, v in sorted(labels.items())) + "}"


@case
def rules_make_of_a_target_what_prometheus_makes_of_it():
    made = list(cases())
    want = theirs(made)
    lines = []
    for number, (labels, rules) in enumerate(made):
        all_labels = {**labels, "job": f"j{number}", "__address__": "127.0.0.1:1"}
        lines.append(json.dumps({"labels": {k: v for k, v in all_labels.items() if v},
                                 "rules": rules}, ensure_ascii=False))
    done = subprocess.run([TOOL], input="\n".join(lines) + "\n", stdout=subprocess.PIPE,
                          check=True, text=True, timeout=60)
    got = done.stdout.splitlines()
    differ = []
    for number, line in enumerate(got):
        labels = want[number]
        expected = "dropped"
        if labels is not None:
            labels = {k: v for k, v in labels.items() if k != "instance"}
            expected = printed({**labels, "__address__": "127.0.0.1:1"})
        if line != expected:
            differ.append(f"{lines[number]}\n  got {line}\n want {expected}")
    if len(got) != len(made) or differ:
        raise AssertionError(f"{len(differ)} of {len(made)} differ\n" + "\n".join(differ[:10]))


if __name__ == "__main__":
    main()
