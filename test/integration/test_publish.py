# SPDX-License-Identifier: Apache-2.0
"""From Membrane's pages to CloudWatch: the right numbers arrive, whatever the
cloud answers, signed so that botocore's code agrees."""
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from fakes.cloudwatch import KEY_ID, SECRET, CloudWatch  # noqa: E402
from fakes.membrane import API, Answer, Membrane, api_page  # noqa: E402
from fakes.tls import Authority  # noqa: E402
from lib.tap import Running, case, config_file, equal, expect, holds, lacks, main  # noqa: E402

QUICK = {"SCALEBRIDGE_SCRAPE_INTERVAL": "1s", "SCALEBRIDGE_PUBLISH_INTERVAL": "1s",
         "SCALEBRIDGE_DELIVER_RETRY_MIN": "20ms", "SCALEBRIDGE_DELIVER_RETRY_MAX": "100ms"}


def env(membrane, cloud, **more):
    return {**membrane.env(), **cloud.env(), "SCALEBRIDGE_SINKS": "cloudwatch",
            "SCALEBRIDGE_CAPACITY_INSTANT_TASKS_WORKER": "fixed:6", **QUICK, **more}


def newest(cloud):
    with cloud.news:
        return {d["metric"]: d for d in cloud.data}


def number(datum):
    """Its newest value; "values" are pairs of a value and how often it was seen."""
    return datum["values"][-1][0]


@case
def once_publishes_every_metric_with_its_number_and_unit():
    with Membrane() as membrane, CloudWatch() as cloud:
        result = expect(0, "run", "--once", env=env(membrane, cloud))
        data = newest(cloud)
    want = {"JobsPerWorker": 7, "JobQueueLength": 42, "InstantTasksWorkersRequired": 9,
            "QueuedTasksWorkersRequired": 13, "QueuedTasksWorkersRequiredPercent": 325,
            "QueuedTasksWorkersBusyRatio": 0.75, "CustomCodeRunnerCapacityRate": 0.6,
            "CustomCodeRunnerSpacesUsed": 54, "CustomCodeRunnersRequired": 4}
    equal({k: number(data[k]) for k in want}, want)
    equal({d["namespace"] for d in data.values()}, {"Membrane"})
    equal(data["JobsPerWorker"]["unit"], "Count")
    equal(data["JobsPerWorker"]["dimensions"], {})
    equal(data["QueuedTasksWorkersRequiredPercent"]["unit"], "Percent")
    assert "ScalebridgeDataAge" in data, data
    holds(result.out, "11 points accepted")


@case
def once_works_over_tls_with_a_session_token_and_dimensions():
    authority = Authority()
    keys = {KEY_ID: {"secret": SECRET, "token": "FwoGZXIvYXdzEXAMPLETOKEN//"}}
    with Membrane() as membrane, CloudWatch(authority.context(), keys=keys) as cloud:
        expect(0, "run", "--once", env=env(
            membrane, cloud, SCALEBRIDGE_SINKS_CLOUDWATCH_CA_FILE=authority.certificate,
            SCALEBRIDGE_PUBLISH_DIMENSIONS="Environment=prod,Cluster=a b"))
        data = newest(cloud)
    equal(data["JobsPerWorker"]["dimensions"], {"Environment": "prod", "Cluster": "a b"})


@case
def an_unknown_authority_is_refused_and_told_with_the_mend():
    authority = Authority()
    with Membrane() as membrane, CloudWatch(authority.context()) as cloud:
        with Running("run", env=env(membrane, cloud)) as agent:
            line = agent.await_log("sink_failed")
            agent.signal(signal.SIGTERM)
            agent.await_log("ending")
            agent.signal(signal.SIGTERM)
            agent.wait()
        equal(newest(cloud), {})
    holds(line, "certificate", "CA file")


@case
def the_agent_publishes_on_and_on_and_every_evaluation_counts():
    with Membrane() as membrane, CloudWatch() as cloud:
        more = {"SCALEBRIDGE_PUBLISH_INTERVAL": "2s"}
        with Running("run", env=env(membrane, cloud, **more)) as agent:
            data = cloud.await_data("JobsPerWorker", 3)
            equal(agent.stop(), 0)
    equal({number(d) for d in data}, {7})
    counts = [sum(count for _, count in d["values"]) for d in data]
    assert max(counts) >= 2, counts  # two evaluations between two publishes
    times = [d["timestamp"] for d in data]
    equal(times, sorted(times))


@case
def a_number_that_changes_arrives_changed():
    with Membrane() as membrane, CloudWatch() as cloud:
        with Running("run", env=env(membrane, cloud)) as agent:
            cloud.await_data("JobsPerWorker", 1)
            for replica in membrane.api:
                replica.set(API, api_page(active=6, waiting=54))
            with cloud.news:
                assert cloud.news.wait_for(
                    lambda: any(d["metric"] == "JobsPerWorker" and number(d) == 10
                                for d in cloud.data), 60)
            equal(agent.stop(), 0)


FAULTS = {
    "throttled with 400": {"status": 400, "code": "Throttling", "message": "Rate exceeded"},
    "throttled with 429": {"status": 429, "headers": {"Retry-After": "1"}},
    "an internal fault": {"status": 500, "code": "InternalServiceFault"},
    "unavailable": {"status": 503, "body": "<html>busy</html>"},
    "a timeout with nothing in it": {"status": 408},
    "a closed connection": {"close": True},
    "no HTTP": {"garbage": True},
    "a captive portal": {"status": 200, "body": "<html>log in</html>",
                         "headers": {"Content-Type": "text/html"}},
    "an expired token": {"status": 403, "code": "ExpiredTokenException",
                         "message": "The security token included in the request is expired"},
}


@case
def whatever_can_pass_is_tried_again_until_it_is_in():
    for what, fault in FAULTS.items():
        with Membrane(api=1, runners=1, workers=1) as membrane, CloudWatch() as cloud:
            cloud.script(fault, fault)
            more = {"SCALEBRIDGE_PUBLISH_INTERVAL": "3s"}
            with Running("run", env=env(membrane, cloud, **more)) as agent:
                agent.await_log("sink_failed")
                data = cloud.await_data("JobsPerWorker", 1)
                agent.await_log("sink_recovered")
                equal(agent.stop(), 0, what)
            equal(number(data[0]), 7, what)


@case
def a_body_that_is_too_large_is_cut_until_it_fits():
    with Membrane() as membrane, CloudWatch() as cloud:
        cloud.script({"status": 413}, {"status": 413})
        result = expect(0, "run", "--once", env=env(membrane, cloud))
        equal(len(newest(cloud)), 11)
    holds(result.out, "11 points accepted")


@case
def members_that_the_cloud_names_are_dropped_and_the_rest_is_sent_again():
    with Membrane() as membrane, CloudWatch() as cloud:
        cloud.script({"status": 400, "code": "InvalidParameterValueException",
                      "message": "The parameter MetricData.member.2.Value is refused."})
        result = expect(3, "run", "--once", env=env(membrane, cloud))
        equal(len(newest(cloud)), 10)
    holds(result.out, "10 points accepted", "1 not delivered")


@case
def a_clock_that_is_half_an_hour_off_is_corrected():
    for offset in (-1800, 1800):
        with Membrane(api=1, runners=1, workers=1) as membrane, CloudWatch() as cloud:
            cloud.offset = offset
            with Running("run", env=env(membrane, cloud)) as agent:
                agent.await_log("clock_corrected")
                cloud.await_data("JobsPerWorker", 1)
                equal(agent.stop(), 0)


@case
def a_missing_permission_is_named_and_nothing_is_forgotten():
    with Membrane(api=1, runners=1, workers=1) as membrane, CloudWatch() as cloud:
        with cloud.news:
            cloud.keys[KEY_ID]["denied"] = True
        with Running("run", env=env(membrane, cloud)) as agent:
            line = agent.await_log("sink_failed")
            holds(line, "cloudwatch:PutMetricData", "Membrane")
            agent.signal(signal.SIGTERM)
            agent.await_log("ending")
            with cloud.news:
                del cloud.keys[KEY_ID]["denied"]
            agent.wait()


@case
def without_credentials_once_says_what_to_set_and_dry_run_needs_none():
    with Membrane() as membrane, CloudWatch() as cloud:
        bare = {k: v for k, v in env(membrane, cloud).items()
                if not k.startswith("AWS_ACCESS") and not k.startswith("AWS_SECRET")}
        result = expect(3, "run", "--once", env={**bare, "SCALEBRIDGE_DELIVER_MAX_AGE": "1m"})
        holds(result.err, "AWS_ACCESS_KEY_ID")
        expect(0, "--dry-run", env=bare)
        equal(cloud.requests, [])


@case
def half_of_the_credentials_is_a_fault_that_names_the_other_half():
    with Membrane() as membrane, CloudWatch() as cloud:
        half = {k: v for k, v in env(membrane, cloud).items() if k != "AWS_SECRET_ACCESS_KEY"}
        result = expect(3, "run", "--once", env=half)
    holds(result.err, "AWS_SECRET_ACCESS_KEY")


@case
def no_secret_is_ever_written_whatever_goes_wrong():
    token = "FwoGZXIvYXdzEXAMPLETOKENsecret"
    keys = {KEY_ID: {"secret": SECRET, "token": token}}
    with Membrane() as membrane, CloudWatch(keys=keys) as cloud:
        cloud.script(*FAULTS.values())
        with Running("run", "--log-level", "debug", env=env(membrane, cloud)) as agent:
            cloud.await_data("JobsPerWorker", 1)
            equal(agent.stop(), 0)
            written = agent.log() + "".join(line or "" for line in agent.out)
    lacks(written, SECRET, token, "Signature=")


@case
def a_termination_delivers_what_waits_and_ends_well():
    with Membrane() as membrane, CloudWatch() as cloud:
        more = {"SCALEBRIDGE_PUBLISH_INTERVAL": "1h"}
        with Running("run", env=env(membrane, cloud, **more)) as agent:
            for replica in membrane.all():
                replica.await_requests(3)
            equal(cloud.data, [])
            equal(agent.stop(), 0)
        equal(number(newest(cloud)["JobsPerWorker"]), 7)


@case
def a_second_signal_ends_at_once():
    with Membrane() as membrane, CloudWatch() as cloud:
        cloud.script({"delay": True})
        with Running("run", env=env(membrane, cloud)) as agent:
            for replica in membrane.all():
                replica.await_requests(3)
            agent.signal(signal.SIGTERM)
            agent.await_log("ending")
            agent.signal(signal.SIGTERM)
            equal(agent.wait(), 1)
            agent.await_log("ended_at_once")


@case
def a_dead_cloud_does_not_delay_another_sink():
    with Membrane() as membrane, CloudWatch() as cloud:
        dead = {"SCALEBRIDGE_SINKS": "cloudwatch,stdout",
                "AWS_ENDPOINT_URL_CLOUDWATCH": "http://127.0.0.1:1",
                "SCALEBRIDGE_SHUTDOWN_TIMEOUT": "1s"}
        with Running("run", env=env(membrane, cloud, **dead)) as agent:
            agent.await_log("sink_failed", "cloudwatch")
            with agent.news:
                assert agent.news.wait_for(
                    lambda: any(line and "JobsPerWorker" in line for line in agent.out), 60)
            equal(agent.stop(), 0)


@case
def a_replica_that_fails_stops_its_own_figures_and_they_come_back():
    with Membrane() as membrane, CloudWatch() as cloud:
        path = config_file("""
metrics:
  - name: CustomCodeRunnerCapacityRate
    missing: {hold: 0s}
""")
        with Running("run", "--config", path, env=env(membrane, cloud)) as agent:
            cloud.await_data("CustomCodeRunnerCapacityRate", 1)
            broken = membrane.runners[0]
            good = broken.pages
            broken.pages = {"/api/v2/prometheus": Answer("no", status=500)}
            agent.await_log("metric_missing", "CustomCodeRunnerCapacityRate")
            with cloud.news:
                before = sum(d["metric"] == "CustomCodeRunnerCapacityRate" for d in cloud.data)
                queue = sum(d["metric"] == "JobQueueLength" for d in cloud.data)
            cloud.await_data("JobQueueLength", queue + 3)
            with cloud.news:
                after = sum(d["metric"] == "CustomCodeRunnerCapacityRate" for d in cloud.data)
            assert after <= before + 2, (before, after)  # in the window, and on its way
            broken.pages = good
            agent.await_log("metric_fresh", "CustomCodeRunnerCapacityRate")
            data = cloud.await_data("CustomCodeRunnerCapacityRate", after + 1)
            equal({number(d) for d in data}, {0.6})
            equal(agent.stop(), 0)


if __name__ == "__main__":
    main()
