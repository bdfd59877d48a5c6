# SPDX-License-Identifier: Apache-2.0
"""From Membrane's pages to Azure Monitor's custom metrics, over TLS, with a
managed identity; and what is done about each answer."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from fakes.azure_monitor import RESOURCE, AzureMonitor  # noqa: E402
from fakes.entra import HEADER, Entra  # noqa: E402
from fakes.membrane import API, Membrane, api_page  # noqa: E402
from fakes.tls import Authority  # noqa: E402
from lib.tap import Running, case, equal, expect, holds, lacks, main, scalebridge  # noqa: E402

QUICK = {"SCALEBRIDGE_SCRAPE_INTERVAL": "1s", "SCALEBRIDGE_DELIVER_RETRY_MIN": "20ms",
         "SCALEBRIDGE_DELIVER_RETRY_MAX": "100ms", "SCALEBRIDGE_SHUTDOWN_TIMEOUT": "2s",
         "SCALEBRIDGE_CAPACITY_INSTANT_TASKS_WORKER": "fixed:6"}
OPTION = "SCALEBRIDGE_SINKS_AZURE_MONITOR_"
AUTHORITY = Authority()
CONTEXT = AUTHORITY.context()


class World:
    """A Membrane, who gives tokens, and Azure Monitor over TLS."""

    def __init__(self, **more):
        self.membrane = Membrane(**more)
        self.entra = Entra()
        self.cloud = AzureMonitor(self.entra, CONTEXT)

    def env(self, **more):
        return {**self.membrane.env(), **self.cloud.env(), **QUICK,
                OPTION + "CA_FILE": AUTHORITY.certificate,
                "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential", **more}

    def once(self, status=0, **more):
        return expect(status, "run", "--once", env=self.env(**more))

    def values(self):
        with self.cloud.news:
            return {d["metric"]: d["sum"] for d in self.cloud.data}

    def __enter__(self):
        self.membrane.__enter__()
        return self

    def __exit__(self, *words):
        self.cloud.close()
        self.entra.close()
        self.membrane.__exit__(*words)


@case
def once_publishes_every_metric_with_its_number():
    with World() as w:
        result = w.once()
        got = w.values()
        want = {"JobsPerWorker": 7, "JobQueueLength": 42, "InstantTasksWorkersRequired": 9,
                "QueuedTasksWorkersRequired": 13, "QueuedTasksWorkersRequiredPercent": 325,
                "QueuedTasksWorkersBusyRatio": 0.75, "CustomCodeRunnerCapacityRate": 0.6,
                "CustomCodeRunnerSpacesUsed": 54, "CustomCodeRunnersRequired": 4}
        equal({k: got[k] for k in want}, want)
        equal(len(got), 11)
        equal({d["count"] for d in w.cloud.data}, {1})
        equal({d["namespace"] for d in w.cloud.data}, {"Membrane"})
        equal([r["status"] for r in w.cloud.requests], [200])
        equal(w.cloud.requests[0]["headers"]["content-type"], "application/x-ndjson")
        equal(w.cloud.requests[0]["headers"]["content-encoding"], "gzip")
    holds(result.out, "11 points accepted")
    lacks(result.out + result.err, w.entra.tokens[0], HEADER)


@case
def an_idle_membrane_is_written_as_zero():
    with World() as w:
        for replica in w.membrane.api:
            replica.set(API, api_page(active=0, waiting=0, required=0))
        w.once()
        got = w.values()
    equal([got[n] for n in ("JobQueueLength", "JobsPerWorker", "QueuedTasksWorkersRequired")],
          [0, 0, 0])


@case
def a_document_a_request_with_dimensions_and_another_namespace():
    with World() as w:
        w.once(**{OPTION + "FORMAT": "json", OPTION + "COMPRESS": "false",
                  OPTION + "NAMESPACE": "my metrics",
                  "SCALEBRIDGE_PUBLISH_DIMENSIONS": "Environment=prod,Pool=a b"})
        equal([r["status"] for r in w.cloud.requests], [200] * 11)
        equal({r["headers"]["content-type"] for r in w.cloud.requests}, {"application/json"})
        equal(w.cloud.data[0]["dimensions"], {"Environment": "prod", "Pool": "a b"})
        equal({d["namespace"] for d in w.cloud.data}, {"my metrics"})


@case
def every_evaluation_is_posted_once_with_its_own_second():
    with World(api=1, runners=1, workers=1) as w:
        with Running("run", env=w.env(SCALEBRIDGE_PUBLISH_INTERVAL="1m")) as agent:
            data = w.cloud.await_data("JobQueueLength", 4)
            equal(agent.stop(), 0)
        times = [d["time"] for d in data]
        equal(times, sorted(set(times)))
        equal({(d["sum"], d["count"]) for d in data}, {(42, 1)})
        equal(w.cloud.twice, [])
        equal(w.cloud.bucket("JobQueueLength", times[0] // 60)[:3], (42, 42, 42))


FAULTS = {
    "unknown yet": {"status": 404, "code": "ResourceNotFound", "message": "not known"},
    "a timeout": {"status": 408},
    "an internal error": {"status": 500, "code": "InternalServerError", "message": "oops"},
    "unavailable": {"status": 503, "body": "<html>busy</html>",
                    "headers": {"Content-Type": "text/html"}},
    "throttled": {"status": 429, "headers": {"Retry-After": "1"}},
    "a closed connection": {"close": True},
    "no HTTP": {"garbage": True},
    "a captive portal": {"status": 200, "body": "<html>log in</html>",
                         "headers": {"Content-Type": "text/html"}},
    "too large": {"status": 413},
}


@case
def whatever_can_pass_is_tried_again_until_all_is_in():
    with World(api=1, runners=1, workers=1) as w:
        for what, fault in FAULTS.items():
            w.cloud.data.clear()
            w.cloud.script(fault)
            w.once()
            equal(len(w.values()), 11, what)
        equal(w.cloud.twice, [])


@case
def a_point_that_spoils_its_request_is_found_and_told_and_the_rest_is_in():
    with World(api=1, runners=1, workers=1) as w:
        w.cloud.poison = {"JobsPerWorker"}
        result = w.once(3)
        got = w.values()
        equal(len(got), 10)
        equal("JobsPerWorker" in got, False)
        equal(w.cloud.twice, [])
    holds(result.err, "azure_monitor answered 400 BadRequest: 'JobsPerWorker' is refused")


@case
def another_region_is_told_with_its_mend_and_nothing_is_cut():
    with World(api=1, runners=1, workers=1) as w:
        w.cloud.region = "westus"
        result = w.once(3)
        equal(len(w.cloud.requests), 1)
    holds(result.err, "RegionMismatch", "westus.monitoring.azure.com does not accept",
          f"az resource show --ids {RESOURCE} --query location")


@case
def a_missing_role_is_told_with_its_scope_and_pauses():
    with World(api=1, runners=1, workers=1) as w:
        w.cloud.denied = True
        result = w.once(3)
        equal([r["status"] for r in w.cloud.requests], [403])
    holds(result.err, "Monitoring Metrics Publisher", "scope " + RESOURCE)


@case
def a_token_that_is_refused_in_mid_life_is_fetched_anew():
    with World(api=1, runners=1, workers=1) as w:
        with Running("run", env=w.env()) as agent:
            w.cloud.await_data("JobQueueLength", 1)
            w.cloud.revoked.update(w.entra.tokens)
            seen = len(w.cloud.data)
            agent.await_log("sink_failed", "401", "InvalidToken")
            agent.await_log("sink_recovered")
            equal(agent.stop(), 0)
        assert len(w.cloud.data) > seen
        equal(len(w.entra.tokens), 2)
        equal(w.cloud.twice, [])


@case
def a_clock_that_is_off_is_corrected():
    with World(api=1, runners=1, workers=1) as w:
        w.cloud.offset = 3600
        w.entra.offset = 3600
        w.once()
        equal(len(w.values()), 11)


@case
def what_would_be_sent_is_shown_without_credentials():
    with World(api=1, runners=1, workers=1) as w:
        env = w.env()
        for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
            del env[name]
        report = expect(0, "run", "--dry-run", "--output", "json", env=env).json()
        equal(w.cloud.requests, [])
    request = report["sinks"][0]["requests"][0]
    equal(request["url"], w.cloud.url + RESOURCE + "/metrics")
    holds(request["body"], '"metric":"JobQueueLength"', '"min":42,"max":42,"sum":42,"count":1')


@case
def who_we_are_and_what_is_missing_where_is_told():
    with World(api=1, runners=1, workers=1) as w:
        result = expect(0, "check-auth", env=w.env())
    holds(result.out, "azure_monitor", "Monitoring Metrics Publisher on " + RESOURCE)


@case
def what_azure_cannot_take_is_refused_at_the_start():
    with World(api=1, runners=1, workers=1) as w:
        group = RESOURCE.partition("/providers/")[0]
        result = scalebridge("check-config", env=w.env(**{OPTION + "RESOURCE_ID": group}))
        equal(result.status, 2)
        holds(result.err, "resource_id", "cannot carry custom metrics")
        many = ",".join(f"d{i}=x" for i in range(11))
        result = scalebridge("check-config", env=w.env(SCALEBRIDGE_PUBLISH_DIMENSIONS=many))
        equal(result.status, 2)
        holds(result.err, "has 11 dimensions; azure_monitor takes 10")


if __name__ == "__main__":
    main()
