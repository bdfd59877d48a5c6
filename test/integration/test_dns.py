# SPDX-License-Identifier: Apache-2.0
"""Replicas and workers found by DNS, through the real resolver and program."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from fakes import nameserver  # noqa: E402
from fakes.membrane import API, RUNNER, Replica, api_page, runner_page  # noqa: E402
from fakes.nameserver import A, SRV, srv, v4  # noqa: E402
from lib.tap import case, equal, expect, holds, main  # noqa: E402

PORT = nameserver.start()


def env(**more):
    return {"SCALEBRIDGE_DNS_SERVERS": f"127.0.0.1:{PORT}", "SCALEBRIDGE_SINKS": "none", **more}


def report(status=0, **more):
    return expect(status, "--dry-run", "--output", "json", env=env(**more)).json()


def value(got, name):
    return next(m for m in got["metrics"] if m["name"] == name)


@case
def srv_records_find_every_replica_with_its_own_port():
    replicas = [Replica({RUNNER: runner_page(30, 12)}) for _ in range(3)]
    nameserver.ZONE["_runner._tcp.membrane.test"] = [
        (SRV, 30, srv(r.port, "localhost")) for r in replicas]
    try:
        got = report(SCALEBRIDGE_CUSTOM_CODE_RUNNER_URL="dnssrv+http://_runner._tcp.membrane.test")
    finally:
        for r in replicas:
            r.close()
    equal({(t["url"], t["up"]) for t in got["targets"]},
          {(f"http://localhost:{r.port}/api/v2/prometheus", True) for r in replicas})
    equal(value(got, "CustomCodeRunnerCapacityRate")["value"], 0.6)


@case
def addresses_behind_a_name_are_all_scraped():
    replica = Replica({API: api_page()})
    nameserver.ZONE["api.membrane.test"] = [(A, 30, v4("127.0.0.1"))]
    try:
        got = report(SCALEBRIDGE_API_URL=f"dns+http://api.membrane.test:{replica.port}")
    finally:
        replica.close()
    equal([(t["url"], t["up"]) for t in got["targets"]],
          [(f"http://127.0.0.1:{replica.port}/prometheus", True)])
    equal(value(got, "JobQueueLength")["value"], 42)


@case
def workers_are_counted_by_the_addresses_of_their_name():
    replica = Replica({API: api_page()})
    nameserver.ZONE["worker.membrane.test"] = [(A, 30, v4(f"127.0.1.{i}")) for i in range(1, 7)]
    nameserver.ZONE["crowd.membrane.test"] = [(A, 30, v4(f"127.0.1.{i}")) for i in range(1, 9)]
    try:
        got = report(SCALEBRIDGE_API_URL=replica.url(),
                     SCALEBRIDGE_CAPACITY_INSTANT_TASKS_WORKER="dns:worker.membrane.test")
        cut = report(3, SCALEBRIDGE_API_URL=replica.url(),
                     SCALEBRIDGE_CAPACITY_INSTANT_TASKS_WORKER="dns:crowd.membrane.test")
    finally:
        replica.close()
    equal(got["workers"][0]["count"], 6)
    equal(value(got, "JobsPerWorker")["value"], 7)
    # Cloud Map puts eight addresses at most into an answer: eight is no count.
    equal(cut["workers"][0]["count"], None)
    equal(value(cut, "JobsPerWorker")["value"], None)
    holds(cut["workers"][0]["reason"], "8")
    equal(value(cut, "JobQueueLength")["value"], 42)


@case
def a_name_that_exists_not_has_no_targets_and_no_number():
    got = report(3, SCALEBRIDGE_API_URL="dns+http://nowhere.membrane.test:5000")
    equal(got["targets"], [])
    equal(value(got, "JobQueueLength")["value"], None)


@case
def a_name_server_that_fails_is_told_and_gives_no_number():
    got = report(3, SCALEBRIDGE_API_URL="dns+http://broken.test:5000")
    equal(value(got, "JobQueueLength")["value"], None)
    holds(value(got, "JobQueueLength")["reason"], "broken.test")


if __name__ == "__main__":
    main()
