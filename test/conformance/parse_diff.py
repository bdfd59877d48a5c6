#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares what we take from expositions with a scrape by a real Prometheus.

PROMETHEUS is the oracle; without one the tests are skipped.  A server on
loopback offers each body of test/data/parse and random mutations of them
under a path of its own; Prometheus scrapes them all, and tells of each whether
it was good and which samples it had.  `scalebridge parse` reads the same.

    PARSE_DIFF_COUNT  how many mutations (300)
    PARSE_DIFF_SEED   where they start (1)

We follow Prometheus 3; what an older oracle does otherwise is in OLDER.
"""
import http.server
import json
import math
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from tap import PROGRAM, case, clean_env, main  # noqa: E402

PROMETHEUS = os.environ.get("PROMETHEUS", "")
COUNT = int(os.environ.get("PARSE_DIFF_COUNT", "300"))
SEED = int(os.environ.get("PARSE_DIFF_SEED", "1"))
DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "parse")
TYPES = {"prom": "text/plain; version=0.0.4", "om": "application/openmetrics-text; version=1.0.0"}

# (version, bytes that must stand in the body, format): before that version the
# oracle refuses what we accept.
OLDER = [
    ((3, 0), re.compile(rb'[{,]\s*"|^[ \t]*#[ \t]*(?:HELP|TYPE|UNIT)[ \t]+"', re.M), None),
    ((3, 0), re.compile(rb"^[ \t]+[^ \t\n#]", re.M), "prom"),  # a blank before a name
    ((2, 43), re.compile(rb" # \{"), "om"),  # an exemplar on any sample
    ((3, 0), re.compile(rb",\}"), "om"),
    ((3, 0), re.compile(rb"\A\Z"), None),
]
# What no mutation is judged by: a NUL byte (lexers made by golex take it for
# the end of a token or of the body, depending on where it stands), and labels
# that the scrape itself adds.
LEFT_OUT = re.compile(rb"\0|instance|job|exported_")


# A hexadecimal float of Go, which needs an exponent.
GO_HEX = re.compile(r"[+-]?0[xX](_?[0-9a-fA-F])*\.?([0-9a-fA-F](_?[0-9a-fA-F])*)?[pP][+-]?[0-9](_?[0-9])*")
PASSED_OVER = []


def cases():
    for name in sorted(os.listdir(DATA)):
        if ".strict." in name or ".lint." in name or not name.endswith((".prom", ".om")):
            continue
        with open(os.path.join(DATA, name), "rb") as f:
            yield name, f.read()


TOKENS = [b" ", b"\t", b"\n", b'"', b"{", b"}", b",", b"=", b"#", b"\\", b"1", b"-", b"+", b".", b"e", b"_",
          b"NaN", b"+Inf", b"0x1", b"1e400", b"# EOF\n", b"# TYPE a gauge\n", b"# HELP a b\n", b'a="b"', b',b="c"',
          b"\xff", b"\xc3\xa9", b"\r", b' # {a="b"} 1', b" 1", b'"} ', b"le=\"1\"", b"x", b":", b"\\n", b'\\"']


NUMBERS = [b"0", b"1", b"-2", b"+3.5", b"1e3", b".25", b"5.", b"007", b"NaN", b"-Inf", b"1e-400", b"12345678901234567890"]
WORDS = [b"x", b"\xc3\xa9", b"\\\\", b"\\n", b'\\"', b" ", b"{}", b",", b"#", b"=", b"\\x", b"\t"]


def gentle(rng, kind, line):
    """A change of a line after which a good one is mostly good."""
    if line.startswith(b"#"):
        return line + rng.choice(WORDS) if line.startswith(b"# HELP ") else line
    way = rng.randrange(6)
    if way == 0:
        return re.sub(rb"(?<=[}\w] )[^ {}\"]+(?=( \d+)?$)", lambda m: rng.choice(NUMBERS), line, count=1)
    if way == 1:
        return line.replace(b'="', b'="' + rng.choice(WORDS), 1)
    if way == 2:
        return line.replace(b"{", b"{" + rng.choice([b'z="1",', b'y="",', b'_="a b",']), 1)
    if way == 3 and b"{" not in line:
        return re.sub(rb"^([\w:]+) ", lambda m: m.group(1) + rng.choice([b'{w="1"} ', b"{} "]), line)
    if way == 4 and re.search(rb"[}\w] [^ ]+$", line):
        return line + rng.choice([b" 1", b" 0", b" 1700000000000"] + ([b" -1.5"] if kind == "om" else [b" ", b"\t7"]))
    if way == 5 and kind == "prom":
        return re.sub(rb"([{},=])", lambda m: rng.choice([b" ", b"\t", b""]) + m.group(1) + b" ", line, count=1)
    return line


def rough(rng, body):
    body = bytearray(body)
    at = rng.randrange(len(body) + 1)
    kind = rng.randrange(4)
    if kind == 0:
        body[at:at] = rng.choice(TOKENS)
    elif kind == 1:
        del body[at:at + rng.choice([1, 1, 2, 5])]
    elif kind == 2:
        body[at:at + 1] = rng.choice(TOKENS)
    else:
        to = min(len(body), at + rng.randrange(1, 30))
        body[at:at] = body[at:to]
    return bytes(body)


def mutate(rng, kind, body):
    lines = body.split(b"\n")
    for _ in range(rng.choice([1, 2, 3])):
        i = rng.randrange(len(lines))
        lines[i] = gentle(rng, kind, lines[i])
    body = b"\n".join(lines)
    for _ in range(rng.choice([0, 0, 1, 1, 2])):
        body = rough(rng, body)
    return body


def bodies():
    fixed = [(name, name.rsplit(".", 1)[1], body) for name, body in cases()]
    yield from fixed
    rng = random.Random(SEED)
    grown = [f for f in fixed if 0 < len(f[2]) < 1500]
    made = 0
    while made < COUNT:
        name, kind, body = rng.choice(grown)
        if name.startswith("bad_") and rng.random() < 0.95:
            continue
        body = mutate(rng, kind, body)
        if LEFT_OUT.search(body):
            continue
        made += 1
        yield f"mutation {made} of {name}", kind, body


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Oracle:
    def __init__(self, directory, pages):
        self.pages = pages
        oracle = self

        class Page(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                _, kind, body = oracle.pages[int(self.path[1:])]
                self.send_response(200)
                self.send_header("Content-Type", TYPES[kind])
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, request, client_address):
                pass  # the oracle hung up: it shows as a target that is down

        self.server = Server(("127.0.0.1", 0), Page)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.start(directory)

    def start(self, directory):
        address = f"127.0.0.1:{self.server.server_address[1]}"
        targets = "".join(f"""
      - targets: ["{address}"]
        labels: {{instance: "{i}", __metrics_path__: "/{i}"}}""" for i in range(len(self.pages)))
        config = os.path.join(directory, "prometheus.yml")
        with open(config, "w") as f:
            f.write(f"""scrape_configs:
  - job_name: diff
    scrape_interval: 4s
    scrape_timeout: 4s
    honor_timestamps: false
    static_configs:{targets}
""")
        port = free_port()
        self.base = f"http://127.0.0.1:{port}/api/v1/"
        self.log = open(os.path.join(directory, "log"), "w")
        self.process = subprocess.Popen(
            [PROMETHEUS, f"--config.file={config}", f"--storage.tsdb.path={directory}/data",
             f"--web.listen-address=127.0.0.1:{port}"], stdout=self.log, stderr=self.log)

    def get(self, path):
        with urllib.request.urlopen(self.base + path, timeout=30) as r:
            return json.load(r)["data"]

    def wait(self):
        """The targets by number, once each was scraped."""
        for _ in range(600):
            try:
                targets = self.get("targets?state=active")["activeTargets"]
                if len(targets) == len(self.pages) and all(t["health"] != "unknown" for t in targets):
                    return {int(t["labels"]["instance"]): t for t in targets}
            except (urllib.error.URLError, OSError, ValueError):
                pass
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise AssertionError("the oracle did not scrape: " + open(self.log.name).read()[-2000:])

    def version(self):
        words = re.findall(r"\d+", self.get("status/buildinfo")["version"])
        return int(words[0]), int(words[1])

    def samples(self):
        """By target, the samples of its last scrape."""
        query = urllib.parse.urlencode({"query": '{job="diff",__name__!~"up|scrape_.*"}'})
        found = {}
        for row in self.get("query?" + query)["result"]:
            labels = dict(row["metric"])
            target = int(labels.pop("instance"))
            del labels["job"]
            found.setdefault(target, []).append((key(labels), row["value"][1]))
        return found

    def close(self):
        self.process.terminate()
        self.process.wait(30)
        self.log.close()
        self.server.shutdown()
        self.server.server_close()


def bound(name, value):
    """le and quantile are written anew from 3.0 on: compare them as numbers."""
    if name in ("le", "quantile"):
        try:
            return repr(float.fromhex(value.replace("_", "")) if GO_HEX.fullmatch(value) else float(value))
        except (ValueError, OverflowError):
            pass
    return value


def key(labels):
    return tuple(sorted((k, bound(k, v)) for k, v in labels.items()))


def ours(directory, kind, body):
    path = os.path.join(directory, "body")
    with open(path, "wb") as f:
        f.write(body)
    done = subprocess.run(
        [PROGRAM, "parse", "--format", "openmetrics" if kind == "om" else "prometheus", path],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_env(), timeout=60, check=False)
    if done.returncode not in (0, 1) or b"Sanitizer" in done.stderr:
        raise AssertionError(done.stderr.decode("utf-8", "replace"))
    if done.returncode == 1:
        return None, done.stderr.decode("utf-8", "replace").replace(path, "").strip()
    rows = {}
    for line in done.stdout.decode().splitlines():
        row = json.loads(line)
        labels = dict(row["labels"], __name__=row["name"])
        rows.setdefault(key(labels), row["value"])  # the first of a body wins
    return rows, ""


def same(a, b):
    x, y = float(a), float(b)
    return x == y or (math.isnan(x) and math.isnan(y))


def judge(version, kind, body, target, theirs, mine, error):
    """What differs, in words; None where nothing does, or where it may."""
    good = target["health"] == "up"
    if good != (mine is not None):
        if not good and any(version < v and k in (None, kind) and p.search(body) for v, p, k in OLDER):
            PASSED_OVER.append(body)
            return None
        return f"oracle: {target['lastError'] or 'good'}; ours: {error or 'good'}"
    if not good:
        return None
    rest = dict(mine)
    for labels, value in theirs:
        if labels not in rest:
            return f"only the oracle has {labels}"
        if not same(rest.pop(labels), value):
            return f"{labels}: oracle {value}, ours {mine[labels]}"
    return f"only we have {rest}" if rest else None


@case
def what_a_scrape_takes_and_refuses_is_what_we_do():
    pages = list(bodies())
    with tempfile.TemporaryDirectory() as directory:
        oracle = Oracle(directory, pages)
        try:
            targets = oracle.wait()
            samples = oracle.samples()
            version = oracle.version()
        finally:
            oracle.close()
        faults, good, kept = [], 0, 0
        for i, (name, kind, body) in enumerate(pages):
            mine, error = ours(directory, kind, body)
            good += mine is not None
            kept += mine is not None and name.startswith("mutation")
            what = judge(version, kind, body, targets[i], samples.get(i, []), mine, error)
            if what:
                faults.append(f"{name}: {what}\n{body!r}")
    print(f"# {len(pages)} bodies, {good} of them good ({kept} of {COUNT} mutations); oracle {version}, {len(faults)} differ, "
          f"{len(PASSED_OVER)} passed over as known")
    if faults:
        raise AssertionError("\n".join(faults[:20]))


if __name__ == "__main__":
    if not PROMETHEUS:
        print("1..0 # SKIP no Prometheus to compare with")
        sys.exit(0)
    main()
