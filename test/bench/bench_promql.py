# SPDX-License-Identifier: Apache-2.0
"""1,000 rules over 100,000 series: ours beside Prometheus' own evaluation.

bench_promql.py BENCH_PROMQL [PROMETHEUS]: prints a table.  Prometheus gets the
same samples as blocks and the same rules as one group; its figure is the
rule_group_last_duration_seconds that it gives itself (wall clock, and it may
use all cores); ours is CPU time of one thread.
"""
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

METRICS, EACH, SAMPLES, STEP = 1000, 100, 21, 15
SHAPES = [
    "sum(m{n})", "sum by (job) (m{n})", "avg without (pod) (m{n})", "max(m{n}) / clamp_min(count(m{n}), 1)",
    "sum by (job) (rate(m{n}[5m]))", "increase(m{n}[5m])", "m{n} > 50", "m{n} * 2 + 1",
    "m{n} / on (pod) m{o}", "topk(3, m{n})", "quantile(0.9, m{n})", "max_over_time(m{n}[2m])",
    "histogram_quantile(0.9, sum by (le) (m{n}))", 'label_replace(m{n}, "host", "$1", "pod", "p(.*)")',
    'sum(m{n}{{job=~"j[0-4]"}})', "m{n} unless m{o} > 50", "ceil(sum(m{n}) / 5)", "count(m{n} > 10) or vector(0)",
]


def rules():
    return [SHAPES[n % len(SHAPES)].format(n=n, o=(n + 1) % METRICS) for n in range(METRICS)]


def samples(path, end):
    with open(path, "w") as f:
        for n in range(METRICS):
            f.write(f"# TYPE m{n} unknown\n")
            for i in range(EACH):
                labels = f'job="j{i % 10}",le="{i + 1}.0",pod="p{i}"'
                for s in range(SAMPLES):
                    value = (i * 7 + n + s * (i % 5)) % 101 if n % 3 else s * (i + 1)
                    f.write(f"m{n}{{{labels}}} {value} {end - (SAMPLES - 1 - s) * STEP}\n")
        f.write("# EOF\n")


def ours(bench, directory, path, end):
    file = os.path.join(directory, "rules.txt")
    with open(file, "w") as f:
        f.write("\n".join(rules()) + "\n")
    out = subprocess.run([bench, path, file, str(end), "5"], check=True, stdout=subprocess.PIPE).stdout
    return json.loads(out)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def theirs(prometheus, directory, path):
    data = os.path.join(directory, "data")
    folder, name = os.path.split(prometheus)
    tool = os.environ.get("PROMTOOL") or os.path.join(folder, name.replace("prometheus", "promtool"))
    subprocess.run([tool, "tsdb", "create-blocks-from", "openmetrics", path, data], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with open(os.path.join(directory, "rules.yml"), "w") as f:
        f.write("groups:\n- name: g\n  interval: 1s\n  rules:\n")
        for n, rule in enumerate(rules()):
            f.write(f"  - {{record: 'r{n}', expr: {json.dumps(rule)}}}\n")
    config = os.path.join(directory, "prometheus.yml")
    with open(config, "w") as f:
        f.write("rule_files: [rules.yml]\n")
    port = free_port()
    process = subprocess.Popen(
        [prometheus, f"--config.file={config}", f"--storage.tsdb.path={data}",
         f"--web.listen-address=127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        best = None
        for _ in range(30):
            time.sleep(1)
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as r:
                    text = r.read().decode()
            except OSError:
                continue
            found = re.search(r"^prometheus_rule_group_last_duration_seconds\{.*\} (\S+)$", text, re.M)
            if found and float(found[1]) > 0.01:
                best = min(best or 1e9, float(found[1]))
            done = re.search(r"^prometheus_rule_group_iterations_total\{.*\} (\S+)$", text, re.M)
            if done and float(done[1]) >= 6:
                break
        return best
    finally:
        process.terminate()
        process.wait(60)


def main():
    bench = sys.argv[1]
    prometheus = sys.argv[2] if len(sys.argv) > 2 else os.environ.get("PROMETHEUS", "")
    directory = tempfile.mkdtemp(prefix="bench-promql-")
    try:
        end = int(time.time()) - 5
        path = os.path.join(directory, "metrics.txt")
        samples(path, end)
        result = ours(bench, directory, path, end)
        print(f"| {result['rules']} rules over {result['series']} series, {SAMPLES} samples each | seconds |")
        print("|---|---|")
        print(f"| scalebridge: parsing them once | {result['parse_seconds']:.4f} |")
        print(f"| scalebridge: one evaluation of all, {result['rows']} rows, "
              f"{result['arena_bytes'] / 1e6:.1f} MB of arena | {result['eval_seconds']:.4f} |")
        if prometheus and shutil.which(prometheus):
            seconds = theirs(prometheus, directory, path)
            print(f"| Prometheus: one evaluation of the group | {seconds} |")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


main()
