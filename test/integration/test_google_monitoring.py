# SPDX-License-Identifier: Apache-2.0
"""Ratios in a strict fake of Cloud Monitoring, by each way to a token that needs
no other service; tokens are verified by PyJWT."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from fakes.google_monitoring import MAIL, PROJECT, Monitoring  # noqa: E402
from fakes.membrane import Membrane  # noqa: E402
from fakes.tls import Authority  # noqa: E402
from lib.tap import (Running, Skip, case, config_file, equal, holds, lacks,  # noqa: E402
                     main)

QUICK = {"SCALEBRIDGE_SCRAPE_INTERVAL": "1s", "SCALEBRIDGE_PUBLISH_INTERVAL": "1s",
         "SCALEBRIDGE_CAPACITY_INSTANT_TASKS_WORKER": "fixed:6",
         "SCALEBRIDGE_DELIVER_RETRY_MIN": "10ms"}
STATE = {}


def key():
    """A service account's key file, and its public half."""
    try:
        import cryptography  # noqa: F401
        import jwt  # noqa: F401
    except ImportError as missing:
        raise Skip(f"tokens cannot be verified: {missing}") from None
    if not STATE:
        authority = Authority()
        private, public = authority.path("sa.key"), authority.path("sa.pub")
        authority.openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048",
                          "-out", private)
        authority.openssl("rsa", "-in", private, "-pubout", "-out", public)
        with open(private, encoding="ascii") as file, open(public, encoding="ascii") as other:
            STATE.update(authority=authority, private=file.read(), public=other.read())
    return STATE


def by_key(fake):
    path = STATE["authority"].path("key.json")
    with open(path, "w", encoding="ascii") as file:
        json.dump({"type": "service_account", "project_id": PROJECT, "private_key_id": "k1",
                   "private_key": STATE["private"], "client_email": MAIL,
                   "token_uri": fake.url + "/token"}, file)
    return {"GOOGLE_APPLICATION_CREDENTIALS": path}


def publish(fake, env, *more):
    """Until JobsPerWorker is in; the log of it."""
    path = config_file("sinks:\n  google_monitoring:\n" + "".join(
        f"    {line}\n" for line in (f"endpoint: '{fake.url}'", "task_id: instant", *more)))
    with Membrane() as membrane:
        with Running("run", "--config", path, env={**membrane.env(), **QUICK, **env}) as agent:
            wait(fake, agent)
            equal(agent.stop(), 0)
            lacks(agent.log(), "ya29", "PRIVATE KEY", "eyJ")
            return agent.log()


def wait(fake, agent):
    for _ in range(300):
        if jobs(fake):
            return
        try:
            agent.process.wait(0.1)
        except Exception:
            continue
        break
    raise AssertionError(f"no points: {fake.refused}\n{agent.log()}")


def jobs(fake):
    return [p for p in fake.points if p[0] == "custom.googleapis.com/membrane/JobsPerWorker"]


@case
def what_a_key_signs_is_the_token():
    with Monitoring(key()["public"]) as fake:
        publish(fake, by_key(fake))
        equal(fake.tokens, 0)
        equal(jobs(fake)[0][2], 7)
        equal(jobs(fake)[0][3]["resource"]["labels"],
              {"project_id": PROJECT, "location": "global", "namespace": "membrane",
               "job": "scalebridge", "task_id": "instant"})
        equal(fake.refused, [])


@case
def a_key_is_exchanged_where_that_is_wanted():
    with Monitoring(key()["public"]) as fake:
        publish(fake, by_key(fake), "exchange: true")
        equal(fake.tokens, 1)


@case
def the_metadata_server_tells_token_project_and_region():
    with Monitoring() as fake:
        fake.metadata_faults = 2
        publish(fake, {"GCE_METADATA_HOST": fake.url})
        equal(fake.tokens, 1)
        equal(jobs(fake)[0][3]["resource"]["labels"]["location"], "us-east1")


@case
def trouble_of_the_service_passes():
    with Monitoring() as fake:
        fake.faults = [(500, "Internal error encountered."), (429, "Quota exceeded.")]
        log = publish(fake, {"GCE_METADATA_HOST": fake.url})
        holds(log, "sink_failed", "500 INTERNAL", "sink_recovered")


@case
def a_missing_role_is_told_by_name():
    with Monitoring() as fake:
        fake.faults = [(403, "Permission monitoring.timeSeries.create denied "
                        "(or the resource may not exist).")] * 9
        path = config_file(f"sinks:\n  google_monitoring: {{endpoint: '{fake.url}', "
                           f"project: {PROJECT}}}\n")
        with Membrane() as membrane:
            env = {**membrane.env(), **QUICK, "GCE_METADATA_HOST": fake.url}
            with Running("run", "--config", path, env=env) as agent:
                holds(agent.await_log("sink_failed"), "roles/monitoring.metricWriter",
                      "project my-project")
        equal(fake.points, [])


@case
def a_revoked_token_is_fetched_anew():
    with Monitoring() as fake:
        fake.faults = [(401, "Request had invalid authentication credentials.")]
        publish(fake, {"GCE_METADATA_HOST": fake.url})
        equal(fake.tokens, 2)


if __name__ == "__main__":
    main()
