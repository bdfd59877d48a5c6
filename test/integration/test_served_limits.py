# SPDX-License-Identifier: Apache-2.0
"""What the agent's HTTP side bears: strangers, wrong tokens, bad certificates,
slow and rude clients, and series of which a part is not known."""
import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from fakes.membrane import API, Answer, Membrane  # noqa: E402
from fakes.tls import Authority  # noqa: E402
from lib.tap import (LIMIT, Running, case, config_file, equal, expect, holds, lacks,  # noqa: E402
                     main)

TOKEN = "canary-4f1c9d0e-token"


class Agent(Running):
    """One that serves on a free port of loopback, asked over a connection a
    request."""

    def __init__(self, membrane, *args, token=TOKEN, context=None, config=None, **more):
        env = {**membrane.env(), "SCALEBRIDGE_SINKS": "none",
               "SCALEBRIDGE_CAPACITY_INSTANT_TASKS_WORKER": "fixed:3",
               "SCALEBRIDGE_SCRAPE_INTERVAL": "1s", "SCALEBRIDGE_PUBLISH_INTERVAL": "1s",
               "SCALEBRIDGE_LISTEN_ADDRESS": "127.0.0.1:0"}
        if token:
            env["SCALEBRIDGE_LISTEN_TOKEN"] = token
        if config:
            args += ("--config", config_file(config))
        env.update(more)
        self.env = {name: value for name, value in env.items() if value is not None}
        self.token, self.context = token, context
        super().__init__(*args, env=self.env)
        self.port = int(re.search(r"port=(\d+)", self.await_log("listening"))[1])

    def connect(self):
        if self.context:
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=LIMIT,
                                               context=self.context)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)

    def ask(self, path, method="GET", token=True, body=None, headers=None):
        headers = dict(headers or {})
        if token and self.token:
            headers["Authorization"] = f"Bearer {self.token if token is True else token}"
        connection = self.connect()
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.text = answer.read().decode()
            return answer
        finally:
            connection.close()

    def until(self, wanted, path, **more):
        """The first answer that is wanted; the agent needs a scrape for it."""
        end = time.monotonic() + LIMIT
        while True:
            answer = self.ask(path, **more)
            if wanted(answer):
                return answer
            if time.monotonic() > end:
                raise AssertionError(f"{path}: {answer.status} {answer.text}\n{self.log()}")
            threading.Event().wait(0.05)

    def ready(self):
        self.until(lambda answer: answer.status == 200, "/api/v1/metrics/JobsPerWorker")
        return self

    def query(self, expression, **more):
        answer = self.ask("/api/v1/query?" + urllib.parse.urlencode({"query": expression}), **more)
        return answer.status, json.loads(answer.text)


def numbers(answer):
    status, body = answer
    equal((status, body["status"]), (200, "success"), str(body))
    return [float(row["value"][1]) for row in body["data"]["result"]]


@case
def a_metric_that_is_off_is_503_with_the_reason_and_other_paths_404():
    with Membrane() as membrane, Agent(membrane, config="""
metrics:
  - name: Off
    expr: sum(scalebridge_running_workers{service="nobody"})
""") as agent:
        answer = agent.ready().ask("/api/v1/metrics/Off")
        equal(answer.status, 503)
        holds(answer.text, "nobody")
        for path in ("/", "/api/v1/", "/api/v1/metrics/..%2f", "/metrics/", "//metrics"):
            equal(agent.ask(path).status, 404, path)


@case
def rows_are_told_apart_by_their_labels():
    with Membrane(api=2) as membrane, Agent(
            membrane, config="""
metrics:
  - name: PerTarget
    expr: max by (instance) (instant_tasks_jobs_active)
    dimensions: {Instance: instance}
""") as agent:
        agent.until(lambda a: a.status == 400, "/api/v1/metrics/PerTarget")
        instance = f"127.0.0.1:{membrane.api[1].port}"
        path = "/api/v1/metrics/PerTarget?" + urllib.parse.urlencode({"instance": instance})
        equal(json.loads(agent.ask(path).text), {"value": 17})
        equal(agent.ask("/api/v1/metrics/PerTarget?instance=other").status, 503)


@case
def a_series_of_which_a_part_did_not_answer_is_no_smaller_sum():
    with Membrane(api=2) as membrane, Agent(membrane) as agent:
        agent.ready()
        membrane.api[0].set(API, Answer("no", status=500))
        agent.until(lambda a: a.status != 200,
                    "/api/v1/query?query=sum(instant_tasks_jobs_active)")
        status, body = agent.query("sum(instant_tasks_jobs_active)")
        equal((status, body["status"]), (503, "error"))
        # The queue is shared by the API's replicas, so one is enough for it.
        equal(numbers(agent.query("JobsPerWorker")), [14])


@case
def a_series_whose_targets_cannot_be_found_is_no_empty_one():
    with Membrane() as membrane, Agent(
            membrane, SCALEBRIDGE_CUSTOM_CODE_RUNNER_URL="dns+http://runner.test:80/p",
            SCALEBRIDGE_DNS_SERVERS="127.0.0.1:1") as agent:
        status, body = agent.ready().query(
            "sum(custom_code_runner_total_job_spaces) or vector(0)")
        equal((status, body["status"]), (503, "error"))


@case
def the_right_token_is_served_whatever_strangers_send():
    with Membrane() as membrane, Agent(membrane) as agent:
        agent.ready()
        said = [agent.ask("/metrics", token=TOKEN[:-1]) for _ in range(12)]
        equal([a.status for a in said], [401] * 5 + [429] * 7)
        holds("0123456789", said[-1].headers["Retry-After"][0])
        equal(agent.ask("/metrics").status, 200)
        for value in (f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", "Bearer "):
            equal(agent.ask("/metrics", token=None,
                            headers={"Authorization": value}).status, 429)
        equal(agent.ask("/metrics", token=None).status, 401)
        equal(agent.stop(), 0)
        lacks(agent.log() + "".join(a.text for a in said), TOKEN)


@case
def what_is_wrong_is_told_to_those_who_may_read():
    with Membrane(api=1) as membrane, Agent(membrane) as agent:
        agent.ready()
        membrane.api[0].set(API, Answer("no", status=500))
        where = f"127.0.0.1:{membrane.api[0].port}"
        agent.until(lambda a: where in a.text, "/readyz")
        lacks(agent.ask("/readyz", token=None).text, where)


@case
def https_means_tls_1_2_or_newer():
    authority = Authority()
    authority.context()
    with Membrane() as membrane, Agent(
            membrane, context=ssl.create_default_context(cafile=authority.certificate),
            SCALEBRIDGE_LISTEN_CERTIFICATE=authority.path("s.pem"),
            SCALEBRIDGE_LISTEN_KEY=authority.path("s.key")) as agent:
        for version, good in (("-tls1", False), ("-tls1_1", False), ("-tls1_2", True),
                              ("-tls1_3", True)):
            done = subprocess.run(
                ["openssl", "s_client", "-connect", f"127.0.0.1:{agent.port}", version,
                 "-cipher", "ALL:@SECLEVEL=0"], input=b"", stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, timeout=LIMIT, check=False)
            equal(b"Cipher is (NONE)" not in done.stdout, good, version)
        with socket.create_connection(("127.0.0.1", agent.port), LIMIT) as plain:
            plain.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            lacks(plain.recv(200).decode("latin-1"), "200 OK")
        equal(agent.stop(), 0)


@case
def a_certificate_that_cannot_be_used_stops_the_start():
    authority, other = Authority(), Authority()
    authority.context()
    other.context()
    with Membrane() as membrane:
        env = {**membrane.env(), "SCALEBRIDGE_SINKS": "none",
               "SCALEBRIDGE_LISTEN_ADDRESS": "127.0.0.1:0",
               "SCALEBRIDGE_LISTEN_CERTIFICATE": authority.path("s.pem")}
        holds(expect(2, env=env).err, "key")
        env["SCALEBRIDGE_LISTEN_KEY"] = other.path("s.key")
        holds(expect(1, env=env).err, "certificate")
        env["SCALEBRIDGE_LISTEN_KEY"] = other.path("none.key")
        holds(expect(1, env=env).err, "none.key")


def listening(agent, config, text, *parts):
    """After a reload with this section; what the log says of it."""
    seen = len(agent.lines)
    with open(config, "w", encoding="utf-8") as file:
        file.write(text)
    agent.signal(signal.SIGHUP)
    with agent.news:
        agent.news.wait_for(lambda: any("event=reloaded" in line for line in agent.lines[seen:]
                                        if line), LIMIT)
    said = "\n".join(agent.lines[seen:])
    holds(said, *parts)
    found = re.search(r"event=listening .*port=(\d+)", said)
    if found:
        agent.port = int(found[1])
    return said


@case
def a_certificate_that_cannot_be_used_leaves_the_old_listener_in_force():
    authority, other = Authority(), Authority()
    authority.context()
    other.context()
    secure = ("listen: {address: '127.0.0.1:0', token: " + TOKEN + ", certificate: " +
              authority.path("s.pem") + ", key: ")
    config = config_file("listen: {address: '127.0.0.1:0', token: " + TOKEN + "}\n")
    with Membrane() as membrane, Agent(membrane, "--config", config, token=None,
                                       SCALEBRIDGE_LISTEN_ADDRESS=None) as agent:
        agent.token = TOKEN
        agent.ready()
        said = listening(agent, config, "listen: {address: '127.0.0.1:0', token: other-" + TOKEN +
                         "}\n")
        lacks(said, "event=listening", TOKEN)  # the same listener
        equal(agent.ask("/metrics").status, 401)
        agent.token = "other-" + TOKEN
        equal(agent.ask("/metrics").status, 200)
        listening(agent, config, secure + other.path("s.key") + "}\n", "event=listen_failed")
        equal(agent.ask("/metrics").status, 200)  # the old ones go on
        listening(agent, config, secure + authority.path("s.key") + "}\n", "event=listening")
        agent.context = ssl.create_default_context(cafile=authority.certificate)
        agent.token = TOKEN
        equal(agent.ask("/metrics").status, 200)
        equal(agent.stop(), 0)


@case
def names_and_bare_ports_are_not_taken_for_loopback():
    with Membrane() as membrane:
        env = {**membrane.env(), "SCALEBRIDGE_SINKS": "none"}
        for address in ("[::]:9464", "10.0.0.1:80", ":9464", "localhost:9464"):
            said = expect(2, "check-config", env={**env, "SCALEBRIDGE_LISTEN_ADDRESS": address})
            holds(said.err, "listen.address")
        said = expect(0, "check-config", env={**env, "SCALEBRIDGE_LISTEN_TOKEN": "short"})
        holds(said.err, "guessed")


@case
def slow_clients_hold_up_nobody():
    with Membrane() as membrane, Agent(membrane) as agent:
        slow = [socket.create_connection(("127.0.0.1", agent.port), LIMIT) for _ in range(20)]
        for client in slow:
            client.sendall(b"GET /healthz HTTP/1.1\r\nX-Slow: ")
        equal(json.loads(agent.ready().ask("/api/v1/metrics/JobsPerWorker").text), {"value": 14})
        equal(agent.stop(), 0)
        for client in slow:
            client.close()


@case
def long_heads_and_unknown_methods_are_refused():
    with Membrane() as membrane, Agent(membrane) as agent:
        agent.ready()
        answer = agent.ask("/healthz", headers={"X-Long": "x" * 100000})
        holds("400 413 431", str(answer.status))
        for method, path in (("PUT", "/metrics"), ("OPTIONS", "/api/v1/query")):
            answer = agent.ask(path, method)
            equal(answer.status, 405, f"{method} {path}")
            holds(answer.headers["Allow"], "GET")
        equal(agent.ask("/healthz").status, 200)
        equal(agent.stop(), 0)


if __name__ == "__main__":
    main()
