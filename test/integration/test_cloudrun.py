# SPDX-License-Identifier: Apache-2.0
"""Cloud Run's manual instance count, read and set over TLS against a strict
fake of its Admin API."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from fakes.cloudrun import CloudRun  # noqa: E402
from fakes.membrane import Membrane  # noqa: E402
from fakes.tls import Authority  # noqa: E402
from lib.tap import Running, case, config_file, equal, expect, holds, lacks, main  # noqa: E402

AUTHORITY = Authority()
QUICK = {"SCALEBRIDGE_SCRAPE_INTERVAL": "1s", "SCALEBRIDGE_PUBLISH_INTERVAL": "1s",
         "SCALEBRIDGE_SINKS": "none"}


def fake():
    return CloudRun(AUTHORITY.context())


def place(run, what="worker_pool: instant"):
    return f"{{{what}, endpoint: \"{run.url}\", ca_file: {AUTHORITY.certificate}}}"


def actuate(run, what="worker_pool: instant", more=""):
    return config_file(f"""
actuate:
  - name: instant
    metric: InstantTasksWorkersRequired
    cloud_run: {place(run, what)}
    max: 20
    {more}
""")


def capacity(run, what="worker_pool: instant"):
    return config_file(f"""
capacity:
  instant-tasks-worker:
    cloud_run: {place(run, what)}
""")


def dry(path, membrane, run, status=0):
    env = {**membrane.env(), **run.env(), **QUICK}
    return expect(status, "--dry-run", "--output", "json", "--config", path, env=env).json()


@case
def the_manual_count_is_the_denominator():
    with Membrane() as membrane, fake() as run:
        run.put("workerPools", "instant", 6)
        report = dry(capacity(run), membrane, run)
        equal(len(run.asked("GET")), 1)
    workers = report["workers"][0]
    equal((workers["count"], workers["source"]), (6, "cloud_run worker pool instant"))
    jobs = next(m for m in report["metrics"] if m["name"] == "JobsPerWorker")
    equal(jobs["value"], 7)  # 42 jobs


@case
def a_service_that_scales_by_itself_has_no_count_and_is_told_the_mend():
    with Membrane() as membrane, fake() as run:
        run.put("services", "instant", None, scalingMode="AUTOMATIC")
        report = dry(capacity(run, "service: instant"), membrane, run, status=3)
        holds(report["workers"][0]["reason"], "gcloud run services update instant",
              "--region us-east1")
        run.put("services", "instant", 0, scalingMode="MANUAL")
        equal(dry(capacity(run, "service: instant"), membrane, run)["workers"][0]["count"], 0)


@case
def the_pool_is_set_to_what_is_required():
    with Membrane() as membrane, fake() as run:
        run.put("workerPools", "instant", 5)  # 42 jobs of 5 a worker: 9
        env = {**membrane.env(), **run.env(), **QUICK}
        with Running("run", "--config", actuate(run), env=env) as agent:
            line = agent.await_log("actuate_set")
            holds(line, "9 required, 5 now: set 9, as required", "InstantTasksWorkersRequired")
            equal(agent.stop(), 0)
            lacks(agent.log(), "ya29")
        equal(run.count("instant"), 9)
        equal(len(run.asked("PATCH")), 1)


@case
def a_dry_run_shows_the_decision_and_changes_nothing():
    with Membrane() as membrane, fake() as run:
        run.put("workerPools", "instant", 2)
        report = dry(actuate(run), membrane, run)
        equal(run.count("instant"), 2)
        equal([r[2].get("validateOnly") for r in run.asked("PATCH")], ["true"])
    holds("\n".join(report["notes"]), "actuate instant would decide: 9 required, 2 now: set 6, "
          "as far as the step limit allows")


@case
def a_dry_run_of_the_daemon_changes_nothing():
    with Membrane() as membrane, fake() as run:
        run.put("workerPools", "instant", 5)
        env = {**membrane.env(), **run.env(), **QUICK}
        with Running("run", "--config", actuate(run, more="dry_run: true"), env=env) as agent:
            agent.await_log("actuate_set", "dry=true")
            equal(agent.stop(), 0)
        equal(run.count("instant"), 5)


@case
def without_complete_inputs_nothing_is_asked():
    with Membrane() as membrane, fake() as run:
        run.put("workerPools", "instant", 5)
        env = {**membrane.env(), **run.env(), **QUICK,
               "SCALEBRIDGE_API_URL": "http://127.0.0.1:1"}
        with Running("run", "--config", actuate(run), env=env) as agent:
            agent.await_log("actuate_holds")
            equal(agent.stop(), 0)
        equal(run.requests, [])


@case
def refusals_name_what_is_missing():
    with Membrane() as membrane, fake() as run:
        run.put("workerPools", "instant", 5)
        run.fail("PATCH", 403, "Permission 'run.workerpools.update' denied")
        holds("\n".join(dry(actuate(run), membrane, run)["notes"]), "run.workerpools.update",
              "roles/run.developer")
        run.fail("PATCH", 409, "etag is not the newest")
        holds("\n".join(dry(actuate(run), membrane, run)["notes"]), "somebody else")
        run.fail("GET", 429, "Quota exceeded")
        holds("\n".join(dry(actuate(run), membrane, run)["notes"]), "429", "Quota exceeded")
        holds("\n".join(dry(actuate(run, "worker_pool: other"), membrane, run)["notes"]),
              "there is no worker pool other in us-east1 of project my-project")


@case
def its_own_name_is_found_in_the_environment():
    with Membrane() as membrane, fake() as run:
        run.put("workerPools", "mine", 5)
        env = {**membrane.env(), **run.env(), **QUICK, "CLOUD_RUN_WORKER_POOL": "mine"}
        path = actuate(run, "location: us-east1")
        report = expect(0, "--dry-run", "--output", "json", "--config", path, env=env).json()
    holds("\n".join(report["notes"]), "9 required, 5 now: set 9")


@case
def what_cannot_be_meant_is_refused_with_the_reason():
    with Membrane() as membrane, fake() as run:
        def refused(text):
            return expect(2, "check-config", "--config", config_file(text),
                          env=membrane.env()).err
        row = "actuate:\n  - {name: a, metric: %s, max: 9, cloud_run: {worker_pool: w}%s}\n"
        holds(refused(row % ("InstantTasksUtilization", "")), "is a ratio", "use a total")
        holds(refused(row % ("JobQueueLenght", "")), "did you mean \"JobQueueLength\"")
        holds(refused(row % ("JobQueueLength", ", min: 10")), "less than min")
        holds(refused("actuate:\n  - {name: a, metric: JobQueueLength, max: 9}\n"),
              "cloud_run: is not written")
        holds(refused("actuate:\n  - {name: a, metric: JobQueueLength, "
                      "cloud_run: {service: s}}\n"), "max")


if __name__ == "__main__":
    main()
