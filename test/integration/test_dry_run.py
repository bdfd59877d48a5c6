# SPDX-License-Identifier: Apache-2.0
"""--dry-run over HTTP and TLS: the right numbers, their inputs, the doubts."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from fakes.membrane import (API, RUNNER, Answer, Membrane, Replica, api_page,  # noqa: E402
                            busy_page, runner_page)
from fakes.tls import Authority  # noqa: E402
from lib.tap import case, config_file, equal, expect, holds, lacks, main, scalebridge  # noqa: E402

WORKERS = {"SCALEBRIDGE_CAPACITY_INSTANT_TASKS_WORKER": "fixed:6"}
CLOUD = {"SCALEBRIDGE_SINKS": "cloudwatch", "AWS_REGION": "eu-west-1"}


def values(report):
    return {m["name"]: m["value"] for m in report["metrics"] if not m.get("off")}


def metric(report, name):
    return next(m for m in report["metrics"] if m["name"] == name)


def dry_run(env, *args, status=0):
    return expect(status, "--dry-run", "--output", "json", *args, env=env).json()


@case
def every_built_in_metric_has_the_number_of_its_formula():
    with Membrane(api=2, runners=3, workers=4) as membrane:
        report = dry_run({**membrane.env(), **WORKERS, **CLOUD})
    got = values(report)
    equal(got["JobsPerWorker"], 7)  # (17 + 25) / 6: two replicas, one queue
    equal(got["JobQueueLength"], 42)
    equal(got["InstantTasksWorkersRequired"], 9)  # ceil(42 / 5)
    equal(round(got["InstantTasksUtilization"], 9), round(17 / 6, 9))
    equal(got["QueuedTasksWorkersRequired"], 13)  # 10 + 0.3 * 10
    equal(got["QueuedTasksWorkersRequiredPercent"], 325)  # 100 * 13 / 4
    equal(got["QueuedTasksWorkersBusyRatio"], 0.75)
    equal(got["CustomCodeRunnerCapacityRate"], 0.6)  # (90 - 36) / 90
    equal(got["CustomCodeRunnerSpacesUsed"], 54)
    equal(got["CustomCodeRunnersRequired"], 4)  # ceil(54 / (0.45 * 30))
    assert 0 <= got["ScalebridgeDataAge"] < 60, got
    equal(metric(report, "JobsPerWorker")["implied_replicas"], 9)
    equal(metric(report, "JobsPerWorker")["target"], 5)


@case
def each_value_tells_the_samples_it_came_from():
    with Membrane() as membrane:
        report = dry_run({**membrane.env(), **WORKERS, **CLOUD})
        instances = {f"127.0.0.1:{r.port}" for r in membrane.api}
    inputs = metric(report, "JobsPerWorker")["inputs"]
    active = [i for i in inputs if i["name"] == "instant_tasks_jobs_active"]
    equal({i["instance"] for i in active}, instances)
    equal({i["value"] for i in active}, {17})
    workers = [i for i in inputs if i["name"] == "scalebridge_running_workers"]
    equal([i["value"] for i in workers], [6])
    assert all(0 <= i["age_seconds"] < 60 for i in inputs), inputs


@case
def the_request_for_cloudwatch_is_shown_whole_and_nothing_is_sent():
    with Membrane() as membrane:
        report = dry_run({**membrane.env(), **WORKERS, **CLOUD})
    sink = next(s for s in report["sinks"] if s["name"] == "cloudwatch")
    request = sink["requests"][0]
    equal(request["method"], "POST")
    equal(request["url"], "https://monitoring.eu-west-1.amazonaws.com/")
    holds(request["body"], '"Namespace":"Membrane"', '"MetricName":"JobsPerWorker"')
    headers = {k.lower(): v for k, v in request["headers"].items()}
    equal(headers["x-amz-target"], "GraniteServiceVersion20100801.PutMetricData")


@case
def it_needs_no_credentials_and_shows_none():
    secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    with Membrane() as membrane:
        env = {**membrane.env(), **WORKERS, **CLOUD,
               "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": secret}
        result = expect(0, "--dry-run", "--requests", env=env)
    lacks(result.out + result.err, secret)
    holds(result.out, "JobsPerWorker", "would send 1 request")


@case
def one_silent_replica_makes_its_own_figures_unknown_and_leaves_the_shared_ones():
    with Membrane() as membrane:
        membrane.api[0].set(API, Answer("no", status=503))
        membrane.runners[1].set(RUNNER, Answer("no", status=503))
        report = dry_run({**membrane.env(), **WORKERS, **CLOUD}, status=3)
        broken = membrane.runners[1].url()
    got = values(report)
    equal(got["JobsPerWorker"], 7)  # the other API replica knows the queue
    equal(got["CustomCodeRunnerCapacityRate"], None)  # two of three is not all
    rate = metric(report, "CustomCodeRunnerCapacityRate")
    equal(rate["complete"], False)
    holds(rate["reason"], "custom-code-runner", broken, "503")
    target = next(t for t in report["targets"] if t["url"].startswith(broken))
    equal(target["up"], False)
    holds(target["error"], "503")


@case
def the_age_of_data_that_was_never_read_is_unknown_not_zero():
    with Membrane() as membrane:
        for replica in membrane.api:
            replica.set(API, Answer("no", status=503))
        report = dry_run({**membrane.env(), **WORKERS, **CLOUD}, status=3)
    equal(values(report)["ScalebridgeDataAge"], None)
    holds(metric(report, "ScalebridgeDataAge")["reason"], "JobsPerWorker", "not read")


@case
def no_worker_and_waiting_jobs_give_the_number_of_jobs():
    with Membrane() as membrane:
        report = dry_run({**membrane.env(), **CLOUD,
                          "SCALEBRIDGE_CAPACITY_INSTANT_TASKS_WORKER": "fixed:0"})
    equal(values(report)["JobsPerWorker"], 42)


@case
def no_worker_and_no_job_give_zero():
    with Membrane() as membrane:
        for replica in membrane.api:
            replica.set(API, api_page(active=0, waiting=0))
        report = dry_run({**membrane.env(), **CLOUD,
                          "SCALEBRIDGE_CAPACITY_INSTANT_TASKS_WORKER": "fixed:0"})
    equal(values(report)["JobsPerWorker"], 0)


@case
def nan_and_division_by_zero_are_missing_with_a_reason_and_never_sent():
    with Membrane(runners=1) as membrane:
        membrane.runners[0].set(RUNNER, runner_page(total=0, remaining=0))
        for replica in membrane.api:
            replica.set(API, api_page(required="NaN"))
        report = dry_run({**membrane.env(), **WORKERS, **CLOUD}, status=3)
    got = values(report)
    equal(got["QueuedTasksWorkersRequired"], None)
    equal(got["CustomCodeRunnerCapacityRate"], None)
    holds(metric(report, "QueuedTasksWorkersRequired")["reason"], "NaN")
    body = report["sinks"][0]["requests"][0]["body"]
    lacks(body, "NaN", "CustomCodeRunnerCapacityRate", "QueuedTasksWorkersRequired")
    holds(body, "JobsPerWorker")


@case
def a_metric_whose_job_is_not_configured_is_off_and_no_failure():
    with Membrane() as membrane:
        env = {k: v for k, v in membrane.env().items() if k == "SCALEBRIDGE_API_URL"}
        report = dry_run({**env, **WORKERS, **CLOUD})
    off = {m["name"] for m in report["metrics"] if m["off"]}
    equal(off, {"QueuedTasksWorkersBusyRatio", "CustomCodeRunnerCapacityRate",
                "CustomCodeRunnerSpacesUsed", "CustomCodeRunnersRequired"})


@case
def the_whole_way_works_over_tls_with_a_ca_of_ones_own():
    authority = Authority()
    with Membrane(context=authority.context()) as membrane:
        path = config_file(f"""
scrape:
  jobs:
    - name: api
      ca_file: {authority.certificate}
      targets: [{membrane.api[0].url(API)}, {membrane.api[1].url(API)}]
capacity:
  instant-tasks-worker: {{fixed: 6}}
sinks:
  stdout: {{}}
""")
        report = dry_run({}, "--config", path)
    equal(values(report)["JobsPerWorker"], 7)


@case
def a_certificate_that_does_not_fit_is_one_clear_line_and_no_value():
    authority = Authority()
    with Membrane(api=1, context=authority.context("DNS:elsewhere.example")) as membrane:
        path = config_file(f"""
scrape:
  jobs:
    - name: api
      ca_file: {authority.certificate}
      targets: [{membrane.api[0].url(API)}]
capacity:
  instant-tasks-worker: {{fixed: 6}}
sinks:
  stdout: {{}}
""")
        report = dry_run({}, "--config", path, status=3)
    equal(values(report)["JobsPerWorker"], None)
    holds(report["targets"][0]["error"], "certificate")


BAD_BODIES = {
    "cut short": Answer(api_page(), compress=False, cut=100),
    "gzip cut short": Answer(api_page(), cut=60),
    "not gzip at all": Answer(api_page(), encoding="gzip"),
    "an unknown encoding": Answer(api_page(), encoding="br"),
    "html": Answer("<html>hello</html>", content_type="text/html; charset=utf-8"),
    "no content type": Answer(api_page(), content_type=None),
    "a grammar fault": Answer(api_page() + "instant_tasks_jobs_active{x=1} 3\n"),
    "no HTTP": Answer(raw=b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    "a redirect": Answer("", status=302, headers=(("Location", "/elsewhere"),)),
    "an endless line": Answer("x" * 3_000_000),
    "too large": Answer("# " + "y" * 1000 + "\n" + ("# " + "z" * 60000 + "\n") * 400),
    "a label bomb": Answer("bomb{" + ",".join(f'l{i}="v"' for i in range(20000)) + "} 1\n"
                           + "bomb" * 400_000),
}


@case
def a_bad_body_fails_its_target_alone_and_is_told_in_one_line():
    for what, answer in BAD_BODIES.items():
        with Membrane(api=1, runners=1, workers=1) as membrane:
            membrane.api[0].set(API, answer)
            report = dry_run({**membrane.env(), **WORKERS, **CLOUD}, status=3)
        target = next(t for t in report["targets"] if t["job"] == "api")
        equal(target["up"], False, what)
        assert target["error"] and "\n" not in target["error"], (what, target)
        got = values(report)
        equal(got["JobsPerWorker"], None, what)
        equal(got["CustomCodeRunnerCapacityRate"], 0.6, what)


@case
def a_target_that_accepts_and_never_answers_is_given_up_at_its_timeout():
    with Membrane(api=1, runners=1, workers=1) as membrane:
        membrane.api[0].set(API, Answer(hang=True))
        report = dry_run({**membrane.env(), **WORKERS, **CLOUD,
                          "SCALEBRIDGE_SCRAPE_TIMEOUT": "3s"}, status=3)
    target = next(t for t in report["targets"] if t["job"] == "api")
    holds(target["error"], "3s")
    equal(values(report)["CustomCodeRunnerCapacityRate"], 0.6)


@case
def a_users_own_metric_stands_beside_the_built_in_ones():
    with Membrane() as membrane:
        path = config_file(f"""
scrape:
  jobs:
    - name: api
      targets: [{membrane.api[0].url(API)}]
capacity:
  instant-tasks-worker: {{fixed: 6}}
metrics:
  - name: WaitingShare
    expr: max(instant_tasks_jobs_waiting) / max(instant_tasks_jobs_active + instant_tasks_jobs_waiting)
    unit: None
    target: 0.5
sinks:
  stdout: {{}}
""")
        report = dry_run({}, "--config", path)
    equal(round(values(report)["WaitingShare"], 6), round(25 / 42, 6))


@case
def a_misspelt_metric_name_is_told_with_the_nearest_one():
    with Membrane() as membrane:
        path = config_file(f"""
scrape:
  jobs:
    - name: api
      targets: [{membrane.api[0].url(API)}]
metrics:
  - name: Typo
    expr: max(instant_task_jobs_waiting)
sinks:
  stdout: {{}}
""")
        report = dry_run({}, "--config", path, status=3)
    holds(metric(report, "Typo")["reason"], "instant_tasks_jobs_waiting")


@case
def the_values_can_be_had_as_an_exposition_that_the_parser_takes():
    with Membrane() as membrane:
        out = expect(0, "--dry-run", "--output", "prometheus",
                     env={**membrane.env(), **WORKERS, **CLOUD}).out
    holds(out, "scalebridge_jobs_per_worker 7\n")
    parsed = expect(0, "parse", "--strict", "-", stdin=out.encode())
    holds(parsed.out, '"scalebridge_jobs_per_worker"')


@case
def nothing_configured_is_one_error_that_says_what_to_set():
    result = scalebridge("--dry-run")
    equal(result.status, 2)
    holds(result.err, "SCALEBRIDGE_API_URL")


@case
def a_wrong_certificate_is_believed_only_where_that_is_spelt_out():
    authority = Authority()
    with Membrane(api=1, context=authority.context("DNS:elsewhere.example")) as membrane:
        path = config_file(f"""
scrape:
  jobs:
    - name: api
      targets: [{membrane.api[0].url(API)}]
      authorization: {{credentials: never-told}}
      tls_config: {{insecure_skip_verify: true}}
      relabel_configs:
        - {{source_labels: [__address__], regex: '(.*):.*', target_label: instance}}
capacity:
  instant-tasks-worker: {{fixed: 6}}
sinks:
  stdout: {{}}
""")
        report = dry_run({}, "--config", path)
    equal({i["instance"] for i in metric(report, "JobsPerWorker")["inputs"]
           if "instance" in i and i["name"].startswith("instant")}, {"127.0.0.1"})
    lacks(json.dumps(report), "never-told")


if __name__ == "__main__":
    main()
