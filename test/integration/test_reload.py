# SPDX-License-Identifier: Apache-2.0
"""SIGHUP: new settings whole, or the old ones go on; what did not change keeps
its state."""
import os
import re
import signal
import sys
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from fakes.cloudwatch import CloudWatch  # noqa: E402
from fakes.membrane import API, Membrane, Replica, api_page  # noqa: E402
from lib.tap import Running, case, config_file, equal, holds, lacks, main  # noqa: E402


def text(targets, cloud, workers="fixed: 6", more="", sinks=None):
    sinks = sinks or f"sinks: {{cloudwatch: {{region: eu-west-1, endpoint: {cloud.url}}}}}"
    return f"""
scrape:
  interval: 1s
  jobs:
    - {{name: api, targets: [{", ".join(r.url(API) for r in targets)}]}}
capacity: {{instant-tasks-worker: {{{workers}}}}}
publish: {{interval: 1s}}
deliver: {{retry_min: 20ms, retry_max: 100ms}}
{sinks}
{more}
"""


def write(path, content):
    """Whole or not at all, as editors and config maps do it."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(content)
    os.replace(path + ".new", path)


def environment(cloud):
    env = cloud.env()
    del env["AWS_ENDPOINT_URL_CLOUDWATCH"]
    return env


def published(cloud, metric, value, limit=60):
    """Waits until this value of the metric has arrived."""
    def there():
        return any(d["metric"] == metric and d["values"][-1][0] == value for d in cloud.data)
    with cloud.news:
        if not cloud.news.wait_for(there, limit):
            raise AssertionError(f"no {metric} of {value}: {cloud.data}")


class Reloading(Running):
    """The agent with a file that can be replaced."""

    def __init__(self, content, cloud):
        self.path = config_file(content)
        super().__init__("run", "--config", self.path, env=environment(cloud))
        self.await_log("event=started")

    def count(self, event):
        with self.news:
            return self.count_locked(event)

    def reload(self, content, event="reloaded"):
        """Gives the log's lines of this event after this reload."""
        before = self.count(event)
        write(self.path, content)
        self.signal(signal.SIGHUP)
        with self.news:
            if not self.news.wait_for(lambda: self.count_locked(event) > before, 60):
                raise AssertionError(f"no {event}: {[l for l in self.lines if l]}")
        return [l for l in self.log().splitlines() if f"event={event} " in l + " "][before:]

    def count_locked(self, event):
        return sum(1 for line in self.lines if line and f"event={event} " in line + " ")


@case
def a_changed_count_of_workers_and_a_new_metric_are_published():
    with Membrane() as membrane, CloudWatch() as cloud:
        with Reloading(text(membrane.api, cloud), cloud) as agent:
            published(cloud, "JobsPerWorker", 7)
            more = "metrics: [{name: Doubled, expr: 2 * max(instant_tasks_jobs_active)}]"
            agent.reload(text(membrane.api, cloud, workers="fixed: 3", more=more))
            published(cloud, "JobsPerWorker", 14)
            published(cloud, "Doubled", 34)
            holds(agent.log(), "event=worker_counts_reloaded added=0 changed=1")
            lacks(agent.log(), "jobs_reloaded", "sinks_reloaded")
            equal(agent.stop(), 0)


@case
def a_bad_file_is_refused_with_its_place_and_the_old_settings_go_on():
    with Membrane() as membrane, CloudWatch() as cloud:
        good = text(membrane.api, cloud)
        with Reloading(good, cloud) as agent:
            published(cloud, "JobsPerWorker", 7)
            for bad, why in (("scrape: {intervall: 1s}", "did you mean"),
                             (good.replace("fixed: 6", "fixed: six"), "capacity.instant-tasks-worker.fixed"),
                             (good + "metrics: [{name: A, expr: sum(}]", "parse error"),
                             ("\t- x", "tab")):
                lines = agent.reload(bad, "reload_refused")
                holds(lines[0], "scalebridge.yml:")
                holds(" ".join(lines), why)
            os.unlink(agent.path)
            before = agent.count("reload_refused")
            agent.signal(signal.SIGHUP)
            with agent.news:
                assert agent.news.wait_for(
                    lambda: agent.count_locked("reload_refused") > before, 60), agent.lines
            seen = len(cloud.await_data("JobsPerWorker"))
            cloud.await_data("JobsPerWorker", seen + 2)
            equal({d["values"][-1][0] for d in cloud.await_data("JobsPerWorker")}, {7})
            lacks(agent.log(), "event=reloaded")
            agent.reload(good)
            equal(agent.stop(), 0)


@case
def points_that_wait_for_a_dead_cloud_outlive_a_reload():
    with Membrane() as membrane, CloudWatch() as cloud:
        with Reloading(text(membrane.api, cloud), cloud) as agent:
            published(cloud, "JobsPerWorker", 7)
            with cloud.news:
                cloud.faults.extend([{"status": 503}] * 1000)
                asked = len(cloud.requests)
                assert cloud.news.wait_for(lambda: len(cloud.requests) >= asked + 3, 60)
                arrived = len(cloud.data)
            agent.reload(text(membrane.api, cloud, more="metrics: [{name: X, expr: vector(1)}]"))
            lacks(agent.log(), "sinks_reloaded")
            with cloud.news:
                cloud.faults.clear()
            published(cloud, "X", 1)
            equal(agent.stop(), 0)
            late = [d for d in cloud.data[arrived:] if d["metric"] == "JobsPerWorker"]
            times = [d["timestamp"] for d in cloud.data if d["metric"] == "JobsPerWorker"]
    assert len(late) >= 2, late
    equal(len(times), len(set(times)))
    log = [l for l in agent.log().splitlines() if "event=sink_ended" in l]
    holds(log[0], "lost=0")


@case
def a_sink_that_is_taken_out_sends_what_it_had():
    with Membrane() as membrane, CloudWatch() as old, CloudWatch() as new:
        with Reloading(text(membrane.api, old), old) as agent:
            published(old, "JobsPerWorker", 7)
            with old.news:
                old.faults.extend([{"status": 503}] * 3)
                asked = len(old.requests)
                assert old.news.wait_for(lambda: len(old.requests) > asked, 60)
            agent.reload(text(membrane.api, new))
            holds(agent.log(), "event=sinks_reloaded added=1 changed=0 removed=1")
            line = agent.await_log("event=sink_ended", "lost=0")
            published(new, "JobsPerWorker", 7)
            with old.news:
                settled = len(old.data)
            new.await_data("JobsPerWorker", 3)
            equal(len(old.data), settled)
            equal(agent.stop(), 0)
    accepted = int(line.split("accepted=")[1].split()[0])
    equal(accepted, settled)


@case
def a_replica_that_is_taken_out_stops_counting_at_once():
    """The highest of shared figures must not be that of a replica that is gone."""
    with Membrane() as membrane, CloudWatch() as cloud:
        first, second = membrane.api
        second.set(API, api_page(active=60, waiting=60))
        with Reloading(text([first, second], cloud), cloud) as agent:
            published(cloud, "JobQueueLength", 120)
            agent.reload(text([first], cloud))
            holds(agent.log(), "event=jobs_reloaded added=0 changed=1 removed=0")
            asked = len(second.requests)
            seen = len(cloud.await_data("JobQueueLength"))
            after = cloud.await_data("JobQueueLength", seen + 4)[seen:]
            # What was evaluated before it may still be in the first of them.
            equal({v for d in after[1:] for v, _ in d["values"]}, {42})
            equal(len(second.requests), asked)
            equal(agent.stop(), 0)


@case
def a_job_that_comes_is_scraped_and_one_that_goes_is_left_alone():
    job = "    - {{name: more, targets: [{}]}}\n"
    extra = Replica({"/m": "# TYPE extra gauge\nextra 5\n"})
    try:
        with Membrane() as membrane, CloudWatch() as cloud:
            one = text(membrane.api, cloud)
            two = one.replace("capacity:", job.format(extra.url("/m")) + "capacity:") + \
                "metrics: [{name: Extra, expr: max(extra)}]\n"
            with Reloading(one, cloud) as agent:
                published(cloud, "JobsPerWorker", 7)
                agent.reload(two)
                holds(agent.log(), "event=jobs_reloaded added=1 changed=0 removed=0")
                published(cloud, "Extra", 5)
                agent.reload(one)
                holds(agent.log(), "event=jobs_reloaded added=0 changed=0 removed=1")
                asked = len(extra.requests)
                seen = len(cloud.await_data("JobsPerWorker"))
                cloud.await_data("JobsPerWorker", seen + 3)
                equal(len(extra.requests), asked)
                equal(agent.stop(), 0)
    finally:
        extra.close()


@case
def the_http_side_comes_and_goes_and_takes_a_new_token():
    def served(token):
        return f'listen: {{address: "127.0.0.1:0", token: {token}}}\n'

    def status(port, token):
        ask = urllib.request.Request(f"http://127.0.0.1:{port}/api/v1/metrics/JobsPerWorker",
                                     headers={"Authorization": f"Bearer {token}"})
        try:
            with urllib.request.urlopen(ask, timeout=60) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    with Membrane() as membrane, CloudWatch() as cloud:
        with Reloading(text(membrane.api, cloud), cloud) as agent:
            published(cloud, "JobsPerWorker", 7)
            agent.reload(text(membrane.api, cloud, more=served("first-token")))
            port = re.search("port=([0-9]+)", agent.await_log("event=listening")).group(1)
            equal(status(port, "first-token"), 200)
            agent.reload(text(membrane.api, cloud, more=served("second-token")))
            equal(status(port, "first-token"), 401)
            equal(status(port, "second-token"), 200)
            agent.reload(text(membrane.api, cloud))
            try:
                status(port, "second-token")
                raise AssertionError("it still listens")
            except urllib.error.URLError as error:
                holds(str(error), "refused")
            lacks(agent.log(), "first-token", "second-token")
            equal(agent.stop(), 0)


@case
def many_reloads_leave_nothing_behind():
    """Descriptors are where they were; the sanitizers watch the memory."""
    def descriptors(agent):
        return len(os.listdir(f"/proc/{agent.process.pid}/fd"))

    with Membrane() as membrane, CloudWatch() as cloud:
        forms = [text(membrane.api[:n % 2 + 1], cloud, workers=f"fixed: {n % 3 + 1}",
                      more=f"metrics: [{{name: M{n % 4}, expr: vector({n})}}]") for n in range(12)]
        with Reloading(forms[0], cloud) as agent:
            published(cloud, "JobsPerWorker", 42)
            before = descriptors(agent)
            for form in forms * 3:
                agent.reload(form)
            published(cloud, "M3", 11)
            assert descriptors(agent) <= before + 4, (before, descriptors(agent))
            equal(agent.stop(), 0)


if __name__ == "__main__":
    main()
