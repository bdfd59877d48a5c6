# SPDX-License-Identifier: Apache-2.0
"""What the whole process costs, beside a bare process of the same libraries.

bench_agent.py SCALEBRIDGE BARE: prints a table of resident memory when idle,
the time from start to the first report, and the CPU time of 100 scrapes of the
three endpoints.  Everything runs on loopback over TLS with a CA of its own.
"""
import os
import re
import signal
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from fakes.membrane import API, BUSY, RUNNER, Membrane  # noqa: E402
from fakes.tls import Authority  # noqa: E402

PROGRAM, BARE = sys.argv[1:3]
SYSTEM_CA = "/etc/ssl/certs/ca-certificates.crt"


def memory(pid):
    """Resident and anonymous KiB, from the kernel's own sums."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        text = file.read()
    return [int(re.search(rf"^{k}:\s+(\d+) kB", text, re.M).group(1)) for k in ("Rss", "Anonymous")]


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def config(membrane, ca, interval):
    jobs = (("api", membrane.api, API), ("custom-code-runner", membrane.runners, RUNNER),
            ("queued-tasks-worker", membrane.workers, BUSY))
    text = f"scrape:\n  interval: {interval}\n  timeout: {interval}\n  jobs:\n"
    for name, replicas, path in jobs:
        urls = ", ".join(r.url(path) for r in replicas)
        text += f"    - {{name: {name}, ca_file: {ca}, targets: [{urls}]}}\n"
    return text + "capacity: {instant-tasks-worker: {fixed: 6}}\nsinks: {none: {}}\n"


def scrapes(membrane):
    return sum(len(r.requests) for r in membrane.all())


def bundle(authority):
    """The system's certificates and ours: what a real agent loads."""
    path = authority.path("bundle.pem")
    with open(path, "w", encoding="ascii") as out:
        for name in (SYSTEM_CA, authority.certificate):
            with open(name, encoding="ascii") as file:
                out.write(file.read())
    return path


def idle(membrane, ca, wanted=30):
    env = {"PATH": os.environ["PATH"], "SCALEBRIDGE_CONFIG_CONTENT": config(membrane, ca, "1s")}
    before = scrapes(membrane)
    process = subprocess.Popen([PROGRAM, "run"], env=env, stderr=subprocess.DEVNULL)
    try:
        for replica in membrane.all():
            replica.await_requests(3)
        cpu0, n0 = cpu_seconds(process.pid), scrapes(membrane)
        for replica in membrane.all():
            replica.await_requests(len(replica.requests) + wanted)
        cpu, n = cpu_seconds(process.pid) - cpu0, scrapes(membrane) - n0
        rss, anonymous = memory(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    assert scrapes(membrane) > before
    return rss, anonymous, cpu / n * 100


def floor(membrane, ca):
    process = subprocess.Popen([BARE, membrane.api[0].url(API), ca], stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"ready\n"
        return memory(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def first_report(membrane, ca, tries=9):
    """Medians, in ms: start to the first request at a target, and to the end."""
    env = {"PATH": os.environ["PATH"], "SCALEBRIDGE_CONFIG_CONTENT": config(membrane, ca, "5s")}
    first, whole = [], []
    for _ in range(tries):
        before = len(membrane.api[0].requests)
        start = time.monotonic()
        process = subprocess.Popen([PROGRAM, "--dry-run"], env=env, stdout=subprocess.DEVNULL)
        membrane.api[0].await_requests(before + 1)
        first.append((time.monotonic() - start) * 1000)
        assert process.wait(30) == 0
        whole.append((time.monotonic() - start) * 1000)
    return statistics.median(first), statistics.median(whole)


def row(what, value, floor=""):
    print(f"{what:48} {value:>10} {floor:>14}")


def main():
    authority = Authority()
    ca = bundle(authority)
    with Membrane(api=1, runners=1, workers=1, context=authority.context()) as membrane:
        bare_rss, bare_anonymous = floor(membrane, ca)
        rss, anonymous, cpu = idle(membrane, ca)
        tls_first, tls_whole = first_report(membrane, ca)
    with Membrane(api=1, runners=1, workers=1) as membrane:
        plain_first, plain_whole = first_report(membrane, ca)
    row("", "scalebridge", "bare process")
    row("resident memory, idle, HTTPS, KiB", rss, bare_rss)
    row("anonymous memory, idle, HTTPS, KiB", anonymous, bare_anonymous)
    row("CPU seconds for 100 scrapes, HTTPS, kept open", f"{cpu:.4f}")
    row("start to first request, HTTP, ms", f"{plain_first:.1f}")
    row("start to the end of the first report, HTTP, ms", f"{plain_whole:.1f}")
    row("start to first request, HTTPS, ms", f"{tls_first:.1f}")
    row("start to the end of the first report, HTTPS, ms", f"{tls_whole:.1f}")


if __name__ == "__main__":
    main()
