# SPDX-License-Identifier: Apache-2.0
"""The command line as a user meets it: demo, help, faults, exit statuses."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib.tap import PROGRAM, Running, case, clean_env, config_file, equal, expect, holds, lacks, main  # noqa: E402


def metric(report, name):
    return next(m for m in report["metrics"] if m["name"] == name)


@case
def the_demo_scrapes_nine_replicas_and_computes_every_metric():
    report = expect(0, "demo", "--output", "json").json()
    equal(len(report["targets"]), 9)
    equal({t["job"] for t in report["targets"]},
          {"api", "custom-code-runner", "queued-tasks-worker"})
    assert all(t["up"] and t["samples"] > 30 for t in report["targets"]), report["targets"]
    equal(len(report["metrics"]), 11)
    assert all(m["value"] is not None and not m["off"] for m in report["metrics"])
    workers = report["workers"][0]["count"]
    inputs = {i["name"]: i["value"] for i in metric(report, "JobsPerWorker")["inputs"]}
    jobs = inputs["instant_tasks_jobs_active"] + inputs["instant_tasks_jobs_waiting"]
    equal(metric(report, "JobQueueLength")["value"], jobs)
    equal(metric(report, "JobsPerWorker")["value"], jobs / workers)


@case
def the_demos_day_has_quiet_and_busy_hours():
    night = expect(0, "demo", "--at", "05:00", "--output", "json").json()
    morning = expect(0, "demo", "--at", "10:30", "--output", "json").json()
    quiet, busy = (metric(r, "JobQueueLength")["value"] for r in (night, morning))
    assert busy > 5 * quiet, (quiet, busy)
    page = expect(0, "demo").out
    holds(page, "THE SIMULATED DAY", "TARGETS (9 of 9 up)", "JobsPerWorker = ", "would send 1 request")


@case
def the_served_demo_can_be_scraped_by_a_real_agent():
    with Running("demo", "--serve", "--at", "10:30") as demo:
        with demo.news:
            assert demo.news.wait_for(lambda: any("sinks:" in (line or "") for line in demo.out), 60)
            text = "\n".join(line for line in demo.out if line is not None)
        report = expect(0, "--dry-run", "--output", "json",
                        env={"SCALEBRIDGE_CONFIG_CONTENT": text}).json()
        equal(demo.stop(), 0)
    equal(len(report["targets"]), 9)
    assert metric(report, "JobsPerWorker")["value"] > 0


@case
def every_command_has_help_that_names_its_options():
    listing = expect(0, "help").out
    for name in ("run", "check-config", "check-auth", "parse", "eval", "policy", "demo", "help", "version"):
        holds(listing, f"\n  {name} ")
        told = expect(0, "help", name).out
        holds(told, f"usage: scalebridge {name}")
        equal(expect(0, name, "--help").out, told)
    holds(expect(0, "help", "run").out, "--dry-run", "--once", "--output", "--requests")
    equal(expect(0, "--help").out, listing)
    holds(expect(0, "--version").out, "scalebridge ")


@case
def wrong_usage_is_told_with_the_nearest_right_one():
    holds(expect(2, "parze").err, '"parze"', '"parse"')
    holds(expect(2, "--dryrun").err, "--dry-run")
    holds(expect(2, "run", "--output").err, "--output", "wants a value")
    holds(expect(2, "--dry-run", "--output", "xml").err, "table, json, prometheus")
    holds(expect(2, "run", "--once=1").err, "takes no value")
    holds(expect(2, "run", "extra").err, "one argument too many")
    holds(expect(2, "parse").err, "an argument is missing")
    holds(expect(2, "demo", "--at", "25:00").err, "--at")


@case
def all_faults_of_a_file_are_told_at_once_with_their_places():
    path = config_file("""scrape:
  intervall: 15s
  timeout: soon
  jobs:
    - name: api
      targets: ["ftp://x"]
metrics:
  - name: X
    expr: sum(rate(foo[5m])
sinks:
  cloudwatch: {region: "${NO_SUCH_VARIABLE}"}
""")
    for result in (expect(2, "check-config", path), expect(2, "--config", path, "--dry-run")):
        holds(result.err, f"{path}:2:3:", 'did you mean "interval"?', f"{path}:3:12:",
              f"{path}:6:", "ftp://x", f"{path}:9:", "unclosed left parenthesis",
              f"{path}:11:", "NO_SUCH_VARIABLE")


@case
def a_fault_in_a_variable_names_the_variable():
    env = {"SCALEBRIDGE_API_URL": "http://127.0.0.1:1", "SCALEBRIDGE_SCRAPE_INTERVAL": "soon",
           "SCALEBRIDGE_SCRAP_TIMEOUT": "1s", "SCALEBRIDGE_SINKS": "stdout"}
    told = expect(2, "check-config", env=env).err
    holds(told, "SCALEBRIDGE_SCRAPE_INTERVAL", "soon", "SCALEBRIDGE_SCRAP_TIMEOUT",
          "SCALEBRIDGE_SCRAPE_TIMEOUT")


@case
def a_good_configuration_is_summed_up():
    env = {"SCALEBRIDGE_API_URL": "http://127.0.0.1:1", "SCALEBRIDGE_SINKS": "cloudwatch",
           "AWS_REGION": "eu-west-1", "SCALEBRIDGE_CAPACITY_INSTANT_TASKS_WORKER": "6"}
    out = expect(0, "check-config", env=env).out
    holds(out, "ok: 1 job", "http://127.0.0.1:1", "JobsPerWorker", "cloudwatch")


@case
def a_secret_in_the_file_is_not_shown():
    path = config_file("secret-word\n")
    conf = config_file("""scrape:
  jobs: [{name: api, targets: ["http://127.0.0.1:1"]}]
publish: {dimensions: {Environment: "${file:%s}"}}
sinks: {stdout: {}}
""" % path)
    result = expect(0, "check-config", "--show", conf)
    lacks(result.out + result.err, "secret-word")


@case
def parse_and_eval_keep_their_shapes():
    text = b'up{job="api"} 1 1500\nx{a="\\"q\\""} NaN\n'
    lines = [json.loads(line) for line in expect(0, "parse", "-", stdin=text).out.splitlines()]
    equal(lines, [{"name": "up", "labels": {"job": "api"}, "value": "1", "timestamp": 1.5},
                  {"name": "x", "labels": {"a": '"q"'}, "value": "NaN", "timestamp": None}])
    bad = expect(1, "parse", "-", stdin=b"up 1\nup{ 2\n")
    assert bad.err.startswith("-:2:"), bad
    path = config_file('up{job="api"} 1\nup{job="runner"} 0\n')
    got = expect(0, "eval", "--metrics", path, "--time", "100", "sum(up)").json()
    equal(got, {"resultType": "vector", "result": [{"metric": {}, "value": [100, "1"]}]})
    got = expect(0, "eval", "--metrics", path, "--time", "100.5", "--", "-1.5").json()
    equal(got, {"resultType": "scalar", "result": [100.5, "-1.5"]})
    bad = expect(1, "eval", "--metrics", path, "sum(up")
    holds(bad.err, "1:7: parse error: unclosed left parenthesis")


@case
def standard_streams_that_are_closed_are_no_crash_and_lost_results_are_told():
    for closed, status in (("<&-", 0), ("2>&-", 0), (">&-", 1), ("<&- >&- 2>&-", 1)):
        done = subprocess.run(["sh", "-c", f'exec "$0" demo {closed}', PROGRAM], env=clean_env(),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                              check=False)
        equal(done.returncode, status, closed)
        if closed == ">&-":
            holds(done.stderr.decode(), "standard output")


if __name__ == "__main__":
    main()
