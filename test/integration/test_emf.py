# SPDX-License-Identifier: Apache-2.0
"""What the emf sink writes on standard output, judged by rules written here
from the specification of the embedded metric format, and a standard output
that is broken."""
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from fakes.membrane import Membrane  # noqa: E402
from lib.tap import (LIMIT, PROGRAM, Running, case, clean_env, config_file,  # noqa: E402
                     equal, expect, holds, main)

DAY = 86400
SIZES = [first + rest for rest in ("", "/Second")
         for first in ("Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes",
                       "Bits", "Kilobits", "Megabits", "Gigabits", "Terabits")]
UNITS = {*SIZES, "Seconds", "Microseconds", "Milliseconds", "Percent", "Count",
         "Count/Second", "None"}


def text(value, most):
    assert isinstance(value, str) and 1 <= len(value) <= most, value
    return value


def number(value):
    assert type(value) in (int, float) and abs(value) <= 1.174271e108, value
    return value


def members(pairs):
    """An object; a name that stands twice in it is a fault."""
    names = [name for name, _ in pairs]
    assert len(set(names)) == len(names), names
    return dict(pairs)


def nothing_else(value):
    raise AssertionError(f"{value} is no JSON")


def metrics_of(event, directive):
    """The metrics of one directive, as {name: (values, definition)}."""
    assert set(directive) == {"Namespace", "Dimensions", "Metrics"}, directive
    text(directive["Namespace"], 255)
    assert len(directive["Dimensions"]) >= 1
    keys = set()
    for dimension_set in directive["Dimensions"]:
        assert len(dimension_set) <= 30, dimension_set
        for key in dimension_set:
            text(event[text(key, 250)], 1024)
            keys.add(key)
    assert 1 <= len(directive["Metrics"]) <= 100
    found = {}
    for definition in directive["Metrics"]:
        assert set(definition) <= {"Name", "Unit", "StorageResolution"}, definition
        name = text(definition["Name"], 255)
        assert name not in keys and name not in found and name != "_aws", name
        assert definition.get("Unit", "None") in UNITS, definition
        assert definition.get("StorageResolution", 60) in (1, 60), definition
        values = event[name]
        values = values if isinstance(values, list) else [values]
        assert 1 <= len(values) <= 100, values
        found[name] = ([number(v) for v in values], definition)
    return found


def read(line):
    """One event, checked: its metrics, dimensions, namespace and time."""
    assert len(line.encode()) < 256 * 1024
    assert line == line.strip() and "\n" not in line
    event = json.loads(line, object_pairs_hook=members, parse_constant=nothing_else)
    about = event["_aws"]
    equal(set(about), {"Timestamp", "CloudWatchMetrics"})
    stamp = about["Timestamp"]
    assert type(stamp) is int, stamp
    assert time.time() - 14 * DAY < stamp / 1000 < time.time() + 7200, stamp
    directive, = about["CloudWatchMetrics"]  # all of ours have one
    found = metrics_of(event, directive)
    dimensions = {key: event[key] for key in directive["Dimensions"][0]}
    equal(set(event), {"_aws", *dimensions, *found})
    return {"metrics": found, "dimensions": dimensions, "time": stamp,
            "namespace": directive["Namespace"]}


def events(out):
    return [read(line) for line in out.splitlines() if line.startswith('{"_aws"')]


def values(event, name):
    return event["metrics"][name][0]


def env(membrane, **more):
    return {**membrane.env(), "SCALEBRIDGE_SINKS": "emf",
            "SCALEBRIDGE_CAPACITY_INSTANT_TASKS_WORKER": "fixed:6",
            "SCALEBRIDGE_DELIVER_RETRY_MIN": "20ms",
            "SCALEBRIDGE_DELIVER_RETRY_MAX": "100ms", **more}


QUICK = {"SCALEBRIDGE_SCRAPE_INTERVAL": "1s", "SCALEBRIDGE_PUBLISH_INTERVAL": "2s"}


@case
def once_writes_all_metrics_as_one_valid_line():
    with Membrane() as membrane:
        result = expect(0, "run", "--once", env=env(membrane))
    event, = events(result.out)
    equal(len(event["metrics"]), 11)
    equal(event["dimensions"], {})
    equal(event["namespace"], "Membrane")
    equal(values(event, "JobsPerWorker"), [7])
    equal(values(event, "QueuedTasksWorkersRequiredPercent"), [325])
    equal(event["metrics"]["QueuedTasksWorkersRequiredPercent"][1]["Unit"], "Percent")
    holds(result.out, "11 points accepted")


@case
def namespace_and_dimensions_are_those_of_the_settings():
    with Membrane() as membrane:
        result = expect(0, "run", "--once", env=env(
            membrane, SCALEBRIDGE_SINKS_EMF_NAMESPACE="Membrane/Scaling",
            SCALEBRIDGE_PUBLISH_DIMENSIONS='Environment=a "b" \\ c'))
    event, = events(result.out)
    equal(event["namespace"], "Membrane/Scaling")
    equal(event["dimensions"], {"Environment": 'a "b" \\ c'})


@case
def a_dry_run_shows_the_lines_and_writes_none_of_them():
    with Membrane() as membrane:
        plain = expect(0, "--dry-run", env=env(membrane))
        report = expect(0, "--dry-run", "--output", "json", env=env(membrane)).json()
    holds(plain.out, '{"_aws":{"Timestamp":')
    sink, = report["sinks"]
    request, = sink["requests"]
    body = request["body"]
    line, = (body if isinstance(body, str) else json.dumps(body)).splitlines()
    equal(values(read(line), "JobsPerWorker"), [7])


@case
def the_agent_writes_on_and_on_and_every_evaluation_counts():
    with Membrane() as membrane:
        with Running("run", env=env(membrane, **QUICK)) as agent:
            with agent.news:
                assert agent.news.wait_for(lambda: len(agent.out) >= 3, LIMIT)
            equal(agent.stop(), 0)
    lines = [line for line in agent.out if line]
    seen = [read(line) for line in lines]  # nothing but events
    jobs = [values(e, "JobsPerWorker") for e in seen if "JobsPerWorker" in e["metrics"]]
    equal({v for some in jobs for v in some}, {7})
    assert max(len(some) for some in jobs) >= 2, jobs
    equal([e["time"] for e in seen], sorted(e["time"] for e in seen))


@case
def a_metric_that_is_called_as_a_dimension_is_refused_at_start():
    with Membrane() as membrane:
        path = config_file("metrics:\n  - {name: Environment, expr: vector(1)}\n")
        result = expect(2, "check-config", path, env=env(
            membrane, SCALEBRIDGE_PUBLISH_DIMENSIONS="Environment=prod"))
    holds(result.out + result.err, "Environment", "dimension of the same name")


@case
def a_full_disk_is_told_and_the_agent_lives():
    with Membrane() as membrane, open("/dev/full", "wb") as full:
        with Running("run", env=env(membrane, **QUICK), stdout=full) as agent:
            line = agent.await_log("sink_failed")
            holds(line, "sink=emf", "standard output: No space left on device")
            before = len(membrane.api[0].requests)
            membrane.api[0].await_requests(before + 2)  # it scrapes on
            equal(agent.process.poll(), None)


@case
def a_closed_pipe_is_told_and_the_agent_lives():
    reader, writer = os.pipe()
    os.close(reader)
    with Membrane() as membrane:
        with Running("run", env=env(membrane, **QUICK), stdout=writer) as agent:
            os.close(writer)
            holds(agent.await_log("sink_failed"), "sink=emf", "standard output: Broken pipe")
            before = len(membrane.api[0].requests)
            membrane.api[0].await_requests(before + 2)
            equal(agent.process.poll(), None)


@case
def a_reader_that_sleeps_stops_nothing_and_gets_its_lines_when_it_wakes():
    reader, writer = os.pipe()
    filled = fill(writer)
    with Membrane() as membrane:
        with Running("run", env=env(membrane, **QUICK), stdout=writer) as agent:
            os.close(writer)
            holds(agent.await_log("sink_failed"), "whoever reads it does not keep up")
            before = len(membrane.api[0].requests)
            membrane.api[0].await_requests(before + 2)
            while filled > 0:
                filled -= len(os.read(reader, filled))
            agent.await_log("sink_recovered")
            whole, _, _ = os.read(reader, 65536).decode().rpartition("\n")
            assert all(read(line) for line in whole.splitlines()), whole
            assert whole
    os.close(reader)


@case
def once_says_that_its_points_were_not_written():
    with Membrane() as membrane, open("/dev/full", "wb") as full:
        done = subprocess.run([PROGRAM, "run", "--once"], stdout=full, stderr=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, timeout=LIMIT, check=False,
                              env=clean_env(env(membrane, SCALEBRIDGE_SHUTDOWN_TIMEOUT="1s")))
    assert done.returncode in (1, 3), done
    holds(done.stderr.decode(), "No space left on device")


def fill(writer):
    """All that the pipe takes; gives how much that is."""
    os.set_blocking(writer, False)
    filled = 0
    try:
        while True:
            filled += os.write(writer, b"x" * 4096)
    except BlockingIOError:
        pass
    os.set_blocking(writer, True)
    return filled


if __name__ == "__main__":
    main()
