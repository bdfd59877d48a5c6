# SPDX-License-Identifier: Apache-2.0
"""Running workers and targets as Amazon ECS tells them: right, or with the
reason why not; over HTTP, signed so that botocore's code agrees."""
import os
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from fakes.ecs import Ecs  # noqa: E402
from fakes.membrane import Membrane  # noqa: E402
from fakes.sigv4 import KEY_ID, SECRET  # noqa: E402
from lib.tap import (Running, case, config_file, equal, expect, holds, lacks,  # noqa: E402
                     main)

QUICK = {"SCALEBRIDGE_SCRAPE_INTERVAL": "1s", "SCALEBRIDGE_PUBLISH_INTERVAL": "1s"}


def env(membrane, ecs, where="ecs:prod/instant", metadata=False, **more):
    return {**membrane.env(), **ecs.env(metadata), "SCALEBRIDGE_SINKS": "none",
            "SCALEBRIDGE_CAPACITY_INSTANT_TASKS_WORKER": where, **more}


def dry(membrane, ecs, status=0, args=(), **more):
    return expect(status, "--dry-run", "--output", "json", *args,
                  env=env(membrane, ecs, **more)).json()


def metric(report, name="JobsPerWorker"):
    return next(m for m in report["metrics"] if m["name"] == name)


def workers(report, service="instant-tasks-worker"):
    return next(w for w in report["workers"] if w["service"] == service)


@case
def the_running_tasks_of_a_service_are_the_denominator():
    with Membrane() as membrane, Ecs() as ecs:
        ecs.service("prod", "instant", running=3, desired=5, pending=2)
        report = dry(membrane, ecs)
        equal(ecs.asked("DescribeServices"), [{"cluster": "prod", "services": ["instant"]}])
    equal(metric(report)["value"], 14)  # 42 jobs
    said = workers(report)
    equal((said["count"], said["desired"], said["source"]), (3, 5, "ecs prod/instant"))


@case
def a_service_without_running_tasks_is_a_true_zero():
    with Membrane() as membrane, Ecs() as ecs:
        ecs.service("prod", "instant", running=0, desired=0)
        report = dry(membrane, ecs)
    equal(metric(report)["value"], 42)  # over one at least
    equal(workers(report)["count"], 0)


@case
def expressions_can_read_what_ecs_heads_for():
    with Membrane() as membrane, Ecs() as ecs:
        ecs.service("prod", "instant", running=3, desired=5)
        path = config_file("""
metrics:
  - name: WorkersToCome
    expr: sum(scalebridge_desired_workers) - sum(scalebridge_running_workers)
""")
        report = dry(membrane, ecs, args=("--config", path))
    equal(metric(report, "WorkersToCome")["value"], 2)


@case
def a_rolling_deployment_counts_old_tasks_unless_only_new_ones_are_wanted():
    with Membrane() as membrane, Ecs() as ecs:
        ecs.service("prod", "instant", running=7, desired=6,
                    deployments=[["PRIMARY", 2, 6], ["ACTIVE", 5, 0]])
        path = config_file("""
capacity:
  instant-tasks-worker: {ecs: {cluster: prod, service: instant, primary_only: true}}
""")
        variables = env(membrane, ecs)
        equal(metric(dry(membrane, ecs))["value"], 6)
        del variables["SCALEBRIDGE_CAPACITY_INSTANT_TASKS_WORKER"]
        report = expect(0, "--dry-run", "--output", "json", "--config", path,
                        env=variables).json()
    equal(metric(report)["value"], 21)
    equal(workers(report)["source"], "ecs prod/instant, primary deployment")


@case
def services_of_one_cluster_share_a_call():
    with Membrane() as membrane, Ecs() as ecs:
        for i in range(3):
            ecs.service("prod", f"s{i}", running=i)
        report = dry(membrane, ecs, where="ecs:prod/s2",
                     SCALEBRIDGE_CAPACITY_A="ecs:prod/s0", SCALEBRIDGE_CAPACITY_B="ecs:prod/s1")
        equal([sorted(said["services"]) for said in ecs.asked("DescribeServices")],
              [["s0", "s1", "s2"]])
    equal([workers(report, s)["count"] for s in ("a", "b", "instant-tasks-worker")], [0, 1, 2])


@case
def a_missing_service_is_told_and_never_a_zero():
    with Membrane() as membrane, Ecs() as ecs:
        ecs.service("prod", "other", running=3)
        report = dry(membrane, ecs, status=3)
        equal(metric(report)["value"], None)
        holds(metric(report)["reason"], "there is no service instant in cluster prod", "MISSING")
        ecs.service("prod", "instant", running=0, status="INACTIVE", deployments=[])
        holds(workers(dry(membrane, ecs, status=3))["reason"], "INACTIVE")
        report = dry(membrane, ecs, status=3, where="ecs:nowhere/instant")
        holds(workers(report)["reason"], "ClusterNotFoundException")


@case
def throttling_is_waited_out():
    with Membrane() as membrane, Ecs() as ecs:
        ecs.service("prod", "instant", running=3)
        ecs.script({"status": 400, "code": "ThrottlingException", "message": "Rate exceeded"},
                   {"status": 500, "code": "ServerException"})
        equal(metric(dry(membrane, ecs))["value"], 14)
        ecs.script(*[{"status": 400, "code": "ThrottlingException",
                      "message": "Rate exceeded"}] * 3)
        report = dry(membrane, ecs, status=3)
    holds(workers(report)["reason"], "ThrottlingException: Rate exceeded")


@case
def a_missing_permission_is_named():
    with Membrane() as membrane, Ecs(keys={KEY_ID: {"secret": SECRET, "denied": True}}) as ecs:
        ecs.service("prod", "instant", running=3)
        report = dry(membrane, ecs, status=3)
    holds(workers(report)["reason"],
          "grant this identity ecs:DescribeServices on arn:aws:ecs:eu-west-1:*:service/prod/instant")


@case
def a_wrong_secret_and_none_at_all_are_told():
    with Membrane() as membrane, Ecs() as ecs:
        ecs.service("prod", "instant", running=3)
        report = dry(membrane, ecs, status=3, AWS_SECRET_ACCESS_KEY="wrong")
        holds(workers(report)["reason"], "InvalidSignatureException", "secret key")
        report = dry(membrane, ecs, status=3, AWS_SECRET_ACCESS_KEY="", AWS_ACCESS_KEY_ID="",
                     AWS_EC2_METADATA_DISABLED="true")
    holds(workers(report)["reason"], "no AWS credentials")


@case
def a_clock_that_is_half_an_hour_off_is_corrected():
    for offset in (-1800, 1800):
        with Membrane(api=1, runners=1, workers=1) as membrane, Ecs() as ecs:
            ecs.service("prod", "instant", running=3)
            ecs.offset = offset
            equal(metric(dry(membrane, ecs))["value"], 14)


@case
def a_black_hole_ends_at_the_deadline():
    with Membrane() as membrane, Ecs() as ecs, socket.create_server(("127.0.0.1", 0)) as hole:
        path = config_file("""
capacity:
  instant-tasks-worker:
    ecs: {cluster: prod, service: instant, endpoint: "http://127.0.0.1:%d"}
    timeout: 300ms
""" % hole.getsockname()[1])
        variables = env(membrane, ecs)
        del variables["SCALEBRIDGE_CAPACITY_INSTANT_TASKS_WORKER"]
        report = expect(3, "--dry-run", "--output", "json", "--config", path,
                        env=variables).json()
    holds(workers(report)["reason"], "127.0.0.1")
    equal(metric(report, "JobQueueLength")["value"], 42)


@case
def the_task_tells_where_it_runs():
    with Membrane() as membrane, Ecs() as ecs:
        ecs.service("prod", "instant", running=3)
        for arn in (True, False):
            ecs.run_inside("prod", "instant", arn)
            equal(metric(dry(membrane, ecs, where="ecs:instant", metadata=True))["value"], 14)
        ecs.run_inside("prod")
        path = config_file("capacity: {instant-tasks-worker: {ecs: {}}}")
        variables = env(membrane, ecs, metadata=True)
        del variables["SCALEBRIDGE_CAPACITY_INSTANT_TASKS_WORKER"]
        report = expect(3, "--dry-run", "--output", "json", "--config", path,
                        env=variables).json()
        holds(workers(report)["reason"], "Fargate")
        ecs.run_inside("prod", "instant")
        report = expect(0, "--dry-run", "--output", "json", "--config", path,
                        env=variables).json()
        equal(workers(report)["count"], 3)


@case
def the_last_count_stands_for_a_stated_time():
    with Membrane(api=1, runners=1, workers=1) as membrane, Ecs() as ecs:
        ecs.service("prod", "instant", running=3)
        path = config_file("""
capacity:
  instant-tasks-worker: {ecs: {cluster: prod, service: instant}, refresh: 10s, keep: 1s}
""")
        variables = {**env(membrane, ecs), **QUICK}
        del variables["SCALEBRIDGE_CAPACITY_INSTANT_TASKS_WORKER"]
        with Running("run", "--config", path, env=variables) as agent:
            ecs.await_requests(1)
            with ecs.news:
                ecs.keys[KEY_ID]["denied"] = True
            line = agent.await_log("capacity_failed")
            holds(line, "ecs:DescribeServices", "ecs prod/instant")
            agent.await_log("metric_", "JobsPerWorker", "ecs:DescribeServices")
            with ecs.news:
                del ecs.keys[KEY_ID]["denied"]
            agent.await_log("capacity_known", "running=3")
            equal(agent.stop(), 0)


#
# Targets.
#
def addresses(*replicas):
    return [{"address": "127.0.0.1"} for _ in replicas]


@case
def tasks_that_run_are_scraped_and_no_others():
    with Membrane(runners=1) as membrane, Ecs() as ecs:
        port = membrane.runners[0].port
        ecs.page = 1
        ecs.tasks("prod", "runner", [
            {"address": "127.0.0.1"}, {"container": "127.0.0.1"},
            {"address": "127.9.9.1", "last": "PENDING"},
            {"address": "127.9.9.2", "desired": "STOPPED"},
            {"address": "127.9.9.3", "health": "UNHEALTHY"}])
        report = dry(membrane, ecs, where="fixed:6",
                     SCALEBRIDGE_CUSTOM_CODE_RUNNER_URL=f"ecs+http://prod/runner:{port}")
        equal(len(ecs.asked("ListTasks")), 4)
    urls = [t["url"] for t in report["targets"] if t["job"] == "custom-code-runner"]
    equal(urls, [f"http://127.0.0.1:{port}/api/v2/prometheus"])
    assert metric(report, "CustomCodeRunnerCapacityRate")["value"] is not None


@case
def a_job_can_name_its_service_in_the_file():
    with Membrane(runners=1) as membrane, Ecs() as ecs:
        ecs.tasks("prod", "runner", [{"address": "127.0.0.1"}])
        path = config_file("""
scrape:
  jobs:
    - name: custom-code-runner
      ecs: {cluster: prod, service: runner, port: %d}
""" % membrane.runners[0].port)
        variables = env(membrane, ecs, where="fixed:6")
        del variables["SCALEBRIDGE_CUSTOM_CODE_RUNNER_URL"]
        report = expect(0, "--dry-run", "--output", "json", "--config", path,
                        env=variables).json()
    assert metric(report, "CustomCodeRunnerCapacityRate")["value"] is not None


@case
def what_hinders_finding_tasks_makes_their_figures_unknown():
    with Membrane(runners=1) as membrane, Ecs() as ecs:
        ecs.tasks("prod", "runner", [{"address": "127.0.0.1"}])
        url = f"ecs+http://prod/runner:{membrane.runners[0].port}"

        def why(**more):
            report = dry(membrane, ecs, status=3, where="fixed:6",
                         SCALEBRIDGE_CUSTOM_CODE_RUNNER_URL=more.get("url", url))
            found = metric(report, "CustomCodeRunnerCapacityRate")
            equal(found["value"], None)
            return found["reason"]

        holds(why(url=url.replace("runner:", "gone:")), "ServiceNotFoundException")
        ecs.keys[KEY_ID]["denied"] = ["ecs:DescribeTasks"]
        holds(why(), "grant this identity ecs:ListTasks and ecs:DescribeTasks")
        ecs.keys[KEY_ID]["denied"] = []
        ecs.tasks("prod", "runner", [{}])
        holds(why(), "network mode awsvpc")


@case
def no_secret_is_ever_written():
    keys = {KEY_ID: {"secret": SECRET, "token": "FwoGZXIvYXdzEXAMPLETOKENsecret"}}
    with Membrane() as membrane, Ecs(keys=keys) as ecs:
        ecs.service("prod", "instant", running=3)
        ecs.script({"status": 403, "code": "ExpiredTokenException"}, {"garbage": True})
        result = expect(0, "--dry-run", "--log-level", "debug", env=env(membrane, ecs))
    lacks(result.out + result.err, SECRET, "EXAMPLETOKEN", "Signature=")


if __name__ == "__main__":
    main()
