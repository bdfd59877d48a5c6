# SPDX-License-Identifier: Apache-2.0
"""The fake ECS takes what the official SDK sends, and refuses the rest."""
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from fakes.ecs import METADATA, Ecs  # noqa: E402
from fakes.sigv4 import KEY_ID, SECRET  # noqa: E402
from lib.tap import case, clean_env, equal, holds, main  # noqa: E402


def client(fake, key=KEY_ID, secret=SECRET, token=None, region="eu-west-1"):
    """botocore's own serializer, signer and parser."""
    os.environ["NO_PROXY"] = "*"
    session = botocore.session.Session()
    session.set_credentials(key, secret, token)
    return session.create_client("ecs", region_name=region, endpoint_url=fake.url,
                                 config=Config(retries={"max_attempts": 0}, read_timeout=30))


def error(call, **said):
    try:
        call(**said)
    except ClientError as e:
        return e.response["ResponseMetadata"]["HTTPStatusCode"], e.response["Error"]["Code"]
    raise AssertionError("it was accepted")


@case
def services_are_described_and_missing_ones_are_failures_of_a_200():
    with Ecs() as fake:
        fake.service("prod", "instant", running=3, desired=5, pending=1,
                     deployments=[["PRIMARY", 1, 5], ["ACTIVE", 2, 0]])
        got = client(fake).describe_services(cluster="prod", services=["instant", "gone"])
    equal([s["serviceName"] for s in got["services"]], ["instant"])
    service = got["services"][0]
    equal([service[k] for k in ("status", "runningCount", "desiredCount", "pendingCount")],
          ["ACTIVE", 3, 5, 1])
    equal([(d["status"], d["runningCount"]) for d in service["deployments"]],
          [("PRIMARY", 1), ("ACTIVE", 2)])
    equal(got["failures"], [{"arn": "arn:aws:ecs:eu-west-1:123456789012:service/prod/gone",
                             "reason": "MISSING"}])


@case
def names_may_be_arns():
    with Ecs() as fake:
        fake.service("prod", "instant", running=3)
        got = client(fake).describe_services(cluster=fake.arn("cluster", "prod"),
                                             services=[fake.arn("service", "prod", "instant")])
    equal(got["services"][0]["runningCount"], 3)


@case
def tasks_are_listed_in_pages_and_described():
    with Ecs() as fake:
        fake.page = 2
        fake.service("prod", "runner", running=5)
        fake.tasks("prod", "runner", [{"address": f"10.0.0.{i}"} for i in range(5)]
                   + [{"address": "10.0.0.9", "desired": "STOPPED"}])
        made = client(fake)
        pages = list(made.get_paginator("list_tasks").paginate(cluster="prod",
                                                               serviceName="runner"))
        arns = [arn for page in pages for arn in page["taskArns"]]
        got = made.describe_tasks(cluster="prod", tasks=arns + [fake.arn("task", "prod", "old")])
    equal([len(p["taskArns"]) for p in pages], [2, 2, 1])
    equal([{d["name"]: d["value"] for d in t["attachments"][0]["details"]}["privateIPv4Address"]
           for t in got["tasks"]], [f"10.0.0.{i}" for i in range(5)])
    equal(got["failures"][0]["reason"], "MISSING")


@case
def limits_and_unknown_names_are_refused():
    with Ecs() as fake:
        fake.service("prod", "instant", running=3)
        made = client(fake)
        equal(error(made.describe_services, cluster="other", services=["instant"]),
              (400, "ClusterNotFoundException"))
        equal(error(made.describe_services, cluster="prod", services=[f"s{i}" for i in range(11)]),
              (400, "InvalidParameterException"))
        equal(error(made.describe_tasks, cluster="prod", tasks=["t"] * 101),
              (400, "InvalidParameterException"))
        equal(error(made.list_tasks, cluster="prod", serviceName="gone"),
              (400, "ServiceNotFoundException"))
        equal(error(made.list_tasks, cluster="prod", nextToken="x"),
              (400, "InvalidParameterException"))


@case
def keys_permissions_and_regions_are_checked():
    with Ecs(region="eu-west-1", keys={KEY_ID: {"secret": SECRET, "token": "t",
                                                "denied": ["ecs:ListTasks"]}}) as fake:
        fake.service("prod", "instant", running=3)
        good = client(fake, token="t")
        equal(len(good.describe_services(cluster="prod", services=["instant"])["services"]), 1)
        equal(error(good.list_tasks, cluster="prod"), (400, "AccessDeniedException"))
        for bad in (client(fake, token="t", secret="other"),
                    client(fake, token="t", region="us-east-1")):
            equal(error(bad.describe_services, cluster="prod", services=["instant"]),
                  (403, "InvalidSignatureException"))
        equal(error(client(fake).list_tasks, cluster="prod"), (403, "UnrecognizedClientException"))
        fake.keys[KEY_ID]["expired"] = True
        equal(error(good.list_tasks, cluster="prod"), (403, "ExpiredTokenException"))
        fake.keys[KEY_ID]["expired"] = False
        fake.offset = 3600
        equal(error(good.list_tasks, cluster="prod"), (403, "InvalidSignatureException"))


@case
def faults_are_answered_in_the_words_of_the_service():
    with Ecs() as fake:
        fake.service("prod", "instant", running=3)
        fake.script({"status": 400, "code": "ThrottlingException", "message": "Rate exceeded"},
                    {"status": 500, "code": "ServerException"})
        made = client(fake)
        for want in ((400, "ThrottlingException"), (500, "ServerException")):
            equal(error(made.describe_services, cluster="prod", services=["instant"]), want)
        made.describe_services(cluster="prod", services=["instant"])


@case
def the_metadata_endpoint_tells_the_task():
    with Ecs() as fake:
        try:
            urllib.request.urlopen(fake.url + METADATA + "/task")
            raise AssertionError("there was no metadata to tell")
        except urllib.error.HTTPError as e:
            equal(e.code, 404)
        fake.run_inside("prod", "instant")
        with urllib.request.urlopen(fake.url + METADATA + "/task") as answer:
            said = json.load(answer)
    equal((said["Cluster"], said["ServiceName"]),
          ("arn:aws:ecs:eu-west-1:123456789012:cluster/prod", "instant"))


@case
def it_runs_as_a_program():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fakes", "ecs.py")
    with subprocess.Popen([sys.executable, path, "--service", "prod/instant=4"],
                          env=clean_env(), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        said = json.loads(run.stdout.readline())

        class There:
            url = said["url"]
        got = client(There).describe_services(cluster="prod", services=["instant"])
        run.stdin.close()
        equal(run.wait(30), 0)
    equal(got["services"][0]["runningCount"], 4)
    holds(said["metadata"], METADATA)


if __name__ == "__main__":
    main()
