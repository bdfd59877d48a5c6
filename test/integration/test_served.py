# SPDX-License-Identifier: Apache-2.0
"""The agent's own HTTP side: values for scalers, queries, /metrics, health; a
value that cannot be trusted is never a number."""
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from fakes.membrane import API, Membrane  # noqa: E402
from fakes.tls import Authority  # noqa: E402
from lib.tap import (LIMIT, Running, Skip, case, equal, expect, holds, lacks,  # noqa: E402
                     main)

CANARY = "canary-6f1d2c9e-token"


def env(membrane, **more):
    return {**membrane.env(), "SCALEBRIDGE_SINKS": "none",
            "SCALEBRIDGE_CAPACITY_INSTANT_TASKS_WORKER": "fixed:6",
            "SCALEBRIDGE_SCRAPE_INTERVAL": "1s", "SCALEBRIDGE_PUBLISH_INTERVAL": "1s",
            "SCALEBRIDGE_LISTEN_ADDRESS": "127.0.0.1:0", **more}


class Client:
    def __init__(self, agent, scheme="http", context=None, token=None):
        line = agent.await_log("event=listening")
        self.base = f"{scheme}://127.0.0.1:{re.search(r'port=([0-9]+)', line).group(1)}"
        self.context, self.token = context, token

    def get(self, path, method="GET", data=None, **headers):
        if self.token:
            headers.setdefault("Authorization", "Bearer " + self.token)
        ask = urllib.request.Request(self.base + path, data, headers, method=method)
        try:
            answer = urllib.request.urlopen(ask, timeout=LIMIT, context=self.context)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, answer.read().decode(), answer.headers

    def await_status(self, path, status):
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            got = self.get(path)
            if got[0] == status:
                return got
            time.sleep(0.05)
        raise AssertionError(f"{path}: {got[0]}, not {status}: {got[1]}")

    def query(self, text, post=False):
        form = urllib.parse.urlencode({"query": text})
        if post:
            return self.get("/api/v1/query", "POST", form.encode())
        return self.get("/api/v1/query?" + form)


@case
def a_value_is_a_number_while_it_can_be_trusted_and_an_error_else():
    with Membrane() as membrane, Running(env=env(membrane)) as agent:
        client = Client(agent)
        body = client.await_status("/api/v1/metrics/JobsPerWorker", 200)[1]
        equal(json.loads(body), {"value": 7})
        for replica in membrane.api:
            replica.set(API, "no exposition {")
        body = client.await_status("/api/v1/metrics/JobsPerWorker", 503)[1]
        equal(list(json.loads(body)), ["error"])
        status, body, _ = client.query("JobsPerWorker")
        equal((status, json.loads(body)["status"]), (503, "error"))
        status, body, _ = client.query("max(instant_tasks_jobs_waiting)")
        equal((status, json.loads(body)["errorType"]), (503, "unavailable"))
        holds(client.get("/readyz")[1], "target http://127.0.0.1:")
        lacks(client.get("/metrics")[1], "\nscalebridge_jobs_per_worker")
        equal(agent.stop(), 0)


@case
def what_there_is_not_is_told():
    with Membrane() as membrane, Running(env=env(membrane)) as agent:
        client = Client(agent)
        client.await_status("/readyz", 200)
        status, body, _ = client.get("/api/v1/metrics/JobPerWorker")
        equal(status, 404)
        holds(body, "JobsPerWorker")
        equal(client.get("/nowhere")[0], 404)
        equal(client.get("/metrics", "POST", b"x=1")[0], 405)
        equal(client.get("/metrics", "DELETE")[0], 405)
        equal(client.get("/api/v1/query", "POST", b"x" * 100000)[0], 413)
        status, body, headers = client.get("/healthz", "HEAD")
        equal((status, body, headers["Content-Length"]), (200, "", "3"))


@case
def queries_are_answered_as_prometheus_answers_them():
    with Membrane() as membrane, Running(env=env(membrane)) as agent:
        client = Client(agent)
        client.await_status("/api/v1/metrics/JobsPerWorker", 200)
        client.await_status("/api/v1/query?query=max(instant_tasks_jobs_waiting)", 200)
        for post in (False, True):
            for text, want in (("JobsPerWorker", "7"), ("scalebridge_jobs_per_worker", "7"),
                               ("JobsPerWorker * 6 + 0", "42"),
                               ("max(instant_tasks_jobs_waiting)", "25")):
                status, body, _ = client.query(text, post)
                said = json.loads(body)
                equal((status, said["status"], said["data"]["resultType"]),
                      (200, "success", "vector"), text)
                equal([r["value"][1] for r in said["data"]["result"]], [want], text)
        for text, kind in (("sum(", "bad_data"), ("", "bad_data"), ("misspelt", "execution"),
                           ("JobsPerWorker + up", "execution")):
            status, body, _ = client.query(text)
            equal((status // 100, json.loads(body)["status"], json.loads(body)["errorType"]),
                  (4, "error", kind), text)
        equal(client.get("/api/v1/query")[0], 400)


@case
def the_token_is_asked_for_and_never_shown():
    with Membrane() as membrane:
        variables = env(membrane, SCALEBRIDGE_LISTEN_TOKEN=CANARY)
        with Running("--log-level", "debug", env=variables) as agent:
            right, wrong = Client(agent, token=CANARY), Client(agent, token="wrong")
            right.await_status("/api/v1/metrics/JobsPerWorker", 200)
            said = "".join(str(right.get(path)) for path in
                           ("/metrics", "/readyz", "/nowhere", "/api/v1/query?query=up"))
            bare = Client(agent)
            status, body, headers = bare.get("/metrics")
            equal((status, headers["WWW-Authenticate"]), (401, 'Bearer realm="scalebridge"'))
            equal([bare.get("/healthz")[0], bare.get("/readyz")[0]], [200, 200])
            answers = [wrong.get("/api/v1/metrics/JobsPerWorker") for _ in range(6)]
            equal([a[0] for a in answers], [401] * 5 + [429])
            holds(str(answers[-1][2]), "Retry-After")
            equal(right.get("/metrics")[0], 200)  # behind an ingress all have one address
            lacks(said + str(answers) + body, CANARY)
            equal(agent.stop(), 0)
            lacks(agent.log(), CANARY)
        lacks(expect(0, "check-config", "--show", env=variables).out, CANARY)


@case
def an_address_beyond_loopback_needs_a_token_or_a_word():
    with Membrane() as membrane:
        result = expect(2, "check-config",
                        env=env(membrane, SCALEBRIDGE_LISTEN_ADDRESS="0.0.0.0:9464"))
        holds(result.err, "listen.address", "listen.token")
        for more in ({"SCALEBRIDGE_LISTEN_OPEN": "true"}, {"SCALEBRIDGE_LISTEN_TOKEN": CANARY}):
            expect(0, "check-config",
                   env=env(membrane, SCALEBRIDGE_LISTEN_ADDRESS="0.0.0.0:9464", **more))
        result = expect(2, "check-config", env=env(membrane, SCALEBRIDGE_LISTEN_KEY="/k.pem"))
        holds(result.err, "go together")


@case
def values_and_health_are_served_over_https():
    authority = Authority()
    authority.context()
    tls = {"SCALEBRIDGE_LISTEN_CERTIFICATE": authority.path("s.pem"),
           "SCALEBRIDGE_LISTEN_KEY": authority.path("s.key")}
    with Membrane() as membrane:
        with Running(env=env(membrane, **tls)) as agent:
            context = ssl.create_default_context(cafile=authority.certificate)
            client = Client(agent, "https", context)
            body = client.await_status("/api/v1/metrics/JobsPerWorker", 200)[1]
            equal(json.loads(body), {"value": 7})
            port = client.base.rsplit(":", 1)[1]
            holds(expect(0, "health", env=env(
                membrane, SCALEBRIDGE_LISTEN_ADDRESS="127.0.0.1:" + port, **tls)).out, "ok")
        tls["SCALEBRIDGE_LISTEN_KEY"] = authority.certificate
        holds(expect(1, "run", env=env(membrane, **tls)).err, "certificate and key")


@case
def health_tells_by_its_exit_status():
    with Membrane() as membrane:
        with Running(env=env(membrane)) as agent:
            client = Client(agent)
            client.await_status("/readyz", 200)
            where = env(membrane, SCALEBRIDGE_LISTEN_ADDRESS=client.base[len("http://"):])
            expect(0, "health", env=where)
            holds(expect(0, "health", "--ready", env=where).out, "ready")
            equal(agent.stop(), 0)
        expect(1, "health", env=where)
        holds(expect(2, "health", env=env(membrane, SCALEBRIDGE_LISTEN_ADDRESS="")).err,
              "listen.address")


@case
def the_metrics_page_passes_promtool():
    tool = shutil.which("promtool")
    if not tool:
        raise Skip("promtool is not installed")
    with Membrane() as membrane, Running(env=env(membrane)) as agent:
        client = Client(agent)
        client.await_status("/api/v1/metrics/JobsPerWorker", 200)
        page = client.get("/metrics")[1]
    done = subprocess.run([tool, "check", "metrics"], input=page.encode(), timeout=LIMIT,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    equal((done.returncode, done.stdout.decode()), (0, ""))


@case
def both_forms_of_the_metrics_page_are_read_without_a_fault():
    with Membrane() as membrane, Running(env=env(membrane)) as agent:
        client = Client(agent)
        client.await_status("/api/v1/metrics/JobsPerWorker", 200)
        _, text, headers = client.get("/metrics")
        holds(headers["Content-Type"], "text/plain; version=0.0.4")
        expect(0, "parse", "--strict", "--format", "prometheus", "-", stdin=text.encode())
        _, page, headers = client.get(
            "/metrics", Accept="application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
        holds(headers["Content-Type"], "application/openmetrics-text; version=1.0.0")
    expect(0, "parse", "--strict", "--format", "openmetrics", "-", stdin=page.encode())
    holds(text, "\nscalebridge_jobs_per_worker 7\n", "\nscalebridge_scrapes_total{job=",
          'verdict="accepted"', "\nscalebridge_build_info{version=")
    try:
        from prometheus_client.openmetrics.parser import text_string_to_metric_families
    except ImportError:
        return
    families = {f.name: f for f in text_string_to_metric_families(page)}
    equal(families["scalebridge_jobs_per_worker"].samples[0].value, 7)
    equal(families["scalebridge_scrapes"].type, "counter")


@case
def prometheus_scrapes_the_metrics_page():
    program = shutil.which("prometheus")
    if not program:
        raise Skip("prometheus is not installed")
    with Membrane() as membrane, Running(env=env(membrane, SCALEBRIDGE_LISTEN_TOKEN=CANARY)) as agent, \
            socket.socket() as free, tempfile.TemporaryDirectory() as folder:
        client = Client(agent, token=CANARY)
        client.await_status("/api/v1/metrics/JobsPerWorker", 200)
        path = os.path.join(folder, "prometheus.yml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"""
scrape_configs:
  - job_name: scalebridge
    scrape_interval: 1s
    authorization: {{credentials: {CANARY}}}
    static_configs: [{{targets: ["{client.base[len("http://"):]}"]}}]
""")
        free.bind(("127.0.0.1", 0))
        where = f"127.0.0.1:{free.getsockname()[1]}"
        free.close()
        server = subprocess.Popen([program, "--config.file", path, "--storage.tsdb.path",
                                   os.path.join(folder, "tsdb"), "--web.listen-address", where],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            ask = f"http://{where}/api/v1/query?query=scalebridge_jobs_per_worker"
            end, found = time.monotonic() + LIMIT, []
            while not found and time.monotonic() < end:
                time.sleep(0.1)
                try:
                    with urllib.request.urlopen(ask, timeout=LIMIT) as answer:
                        found = json.load(answer)["data"]["result"]
                except OSError:
                    pass  # it does not listen yet
            equal([r["value"][1] for r in found], ["7"])
        finally:
            server.kill()
            server.wait()


if __name__ == "__main__":
    main()
