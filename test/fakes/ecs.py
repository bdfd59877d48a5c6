# SPDX-License-Identifier: Apache-2.0
"""A strict Amazon ECS on loopback: DescribeServices, ListTasks, DescribeTasks
as AWS JSON 1.1, and the task metadata endpoint, version 4.

Signatures are verified by botocore's code; what is asked is checked against
botocore's model of the service, and so is what is answered.  Limits are those
of the API reference: ten services, a hundred tasks a call and a page.

As a program it prints one JSON line with its URLs and lives until its standard
input ends.  Tests in another process control it by HTTP (service.py), and
also by

    POST /_fake/service   {"cluster", "name", "running"?, "desired"?, "pending"?,
                           "status"?, "deployments"?: [[status, running, desired], ...]}
    POST /_fake/tasks     {"cluster", "service", "tasks": [{"address"?, "last"?,
                           "desired"?, "health"?, "container"?}, ...]}
    POST /_fake/metadata  what GET .../task answers; null: 404
"""
import argparse
import json
import os
import sys

import botocore.loaders
import botocore.model
import botocore.validate

if __name__ == "__main__":
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from fakes.service import Service  # noqa: E402
from fakes.sigv4 import KEY_ID, SECRET, Refused, verify  # noqa: E402

JSON_TYPE = "application/x-amz-json-1.1"
PREFIX = "AmazonEC2ContainerServiceV20141113."
ACCOUNT = "123456789012"
OPERATIONS = ("DescribeServices", "ListTasks", "DescribeTasks")
MODEL = botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model("ecs", "service-2"))
METADATA = "/v4/task-1"


def short(name):
    return name.rsplit("/", 1)[-1]


def check_shape(params, shape):
    report = botocore.validate.ParamValidator().validate(params, shape)
    return report.generate_report() if report.has_errors() else None


class Ecs(Service):
    """Runs from construction to close(); usable in a with statement."""

    def __init__(self, context=None, region=None, keys=None, port=0):
        self.clusters = {}  # name: {"services": {name: ...}, "tasks": [...]}
        self.page = 100  # tasks of one ListTasks, at the most
        self.metadata, self.metadata_requests = None, 0
        super().__init__(context, region, keys, port)
        self.where = self.region or "eu-west-1"

    #
    # What is there.
    #
    def arn(self, kind, *names):
        return f"arn:aws:ecs:{self.where}:{ACCOUNT}:{kind}/{'/'.join(names)}"

    def cluster(self, name):
        return self.clusters.setdefault(name, {"services": {}, "tasks": []})

    def service(self, cluster, name, running=0, desired=None, pending=0, status="ACTIVE",
                deployments=None):
        desired = running if desired is None else desired
        if deployments is None:
            deployments = [["PRIMARY", running, desired]]
        with self.news:
            self.cluster(cluster)["services"][name] = {
                "serviceArn": self.arn("service", cluster, name), "serviceName": name,
                "clusterArn": self.arn("cluster", cluster), "status": status,
                "desiredCount": desired, "runningCount": running, "pendingCount": pending,
                "launchType": "FARGATE", "events": [{"id": "1", "message": "steady state"}],
                "deployments": [{"id": f"ecs-svc/{i}", "status": s, "runningCount": r,
                                 "desiredCount": d, "pendingCount": 0, "failedTasks": 0,
                                 "rolloutState": "IN_PROGRESS"}
                                for i, (s, r, d) in enumerate(deployments)]}

    def tasks(self, cluster, service, tasks):
        """In place of those the service had."""
        with self.news:
            at = self.cluster(cluster)
            at["services"].setdefault(service, {})
            kept = [t for t in at["tasks"] if t["group"] != "service:" + service]
            at["tasks"] = kept + [self.task(cluster, service, i, **t)
                                  for i, t in enumerate(tasks)]

    def task(self, cluster, service, number, address=None, last="RUNNING", desired="RUNNING",
             health="UNKNOWN", container=None):
        made = {"taskArn": self.arn("task", cluster, f"{service}-{number:04}"),
                "clusterArn": self.arn("cluster", cluster), "group": "service:" + service,
                "lastStatus": last, "desiredStatus": desired, "healthStatus": health,
                "attachments": [], "containers": [{"name": "worker", "lastStatus": last}]}
        if address:
            made["attachments"].append({
                "id": "eni-1", "type": "ElasticNetworkInterface", "status": "ATTACHED",
                "details": [{"name": "subnetId", "value": "subnet-1"},
                            {"name": "privateDnsName", "value": "ip.internal"},
                            {"name": "privateIPv4Address", "value": address}]})
        if container:
            made["containers"][0]["networkInterfaces"] = [{"attachmentId": "eni-1",
                                                           "privateIpv4Address": container}]
        return made

    def env(self, metadata=False):
        """The variables that lead the agent here."""
        key, words = next(iter(self.keys.items()))
        env = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": words["secret"],
               "AWS_ENDPOINT_URL_ECS": self.url}
        if words.get("token"):
            env["AWS_SESSION_TOKEN"] = words["token"]
        if metadata:
            env["ECS_CONTAINER_METADATA_URI_V4"] = self.url + METADATA
        else:
            env["AWS_REGION"] = self.where
        return env

    def run_inside(self, cluster, service=None, arn=True):
        """The metadata of a task of this service; Fargate leaves the service out."""
        self.metadata = {"Cluster": self.arn("cluster", cluster) if arn else cluster,
                         "TaskARN": self.arn("task", cluster, "0123456789abcdef"),
                         "Family": "worker", "Revision": "7", "DesiredStatus": "RUNNING",
                         "KnownStatus": "RUNNING", "LaunchType": "EC2" if service else "FARGATE",
                         "Containers": []}
        if service:
            self.metadata["ServiceName"] = service

    #
    # What is asked.
    #
    def understand(self, request):
        if request.method != "POST" or request.path != "/":
            raise Refused(404, "UnknownOperationException", "")
        if request.headers.get("content-type") != JSON_TYPE:
            raise Refused(404, "UnknownOperationException", "")
        if "expect" in request.headers or "transfer-encoding" in request.headers:
            raise Refused(400, "SerializationException", "Expect is not wanted")
        _, keys = verify(request, self, "ecs")
        operation = request.headers.get("x-amz-target", "").removeprefix(PREFIX)
        if operation not in OPERATIONS:
            raise Refused(400, "UnknownOperationException", "")
        try:
            said = json.loads(request.body.decode("utf-8"))
        except ValueError as e:
            raise Refused(400, "SerializationException", str(e)) from None
        fault = check_shape(said, MODEL.operation_model(operation).input_shape)
        if fault:
            raise Refused(400, "SerializationException", fault)
        denied = keys.get("denied") or ()
        if denied is True or "ecs:" + operation in denied:
            raise Refused(400, "AccessDeniedException",
                          f"User: arn:aws:iam::{ACCOUNT}:user/test is not authorized to perform: "
                          f"ecs:{operation} on resource: * because no identity-based policy "
                          f"allows the ecs:{operation} action")
        with self.news:
            answer = getattr(self, operation)(self.find_cluster(said), said)
        fault = check_shape(answer, MODEL.operation_model(operation).output_shape)
        if fault:
            raise AssertionError(fault)
        return operation, said, answer

    def find_cluster(self, said):
        name = said.get("cluster", "default")
        if name not in self.clusters and not name.startswith(self.arn("cluster", "")):
            raise Refused(400, "ClusterNotFoundException", "Cluster not found.")
        if short(name) not in self.clusters:
            raise Refused(400, "ClusterNotFoundException", "Cluster not found.")
        return short(name), self.clusters[short(name)]

    def DescribeServices(self, where, said):
        name, cluster = where
        if not 1 <= len(said["services"]) <= 10:
            raise Refused(400, "InvalidParameterException",
                          "Services cannot be empty or more than 10.")
        found, failures = [], []
        for asked in said["services"]:
            service = cluster["services"].get(short(asked))
            if service:
                found.append(service)
            else:
                failures.append({"arn": self.arn("service", name, short(asked)),
                                 "reason": "MISSING"})
        return {"services": found, "failures": failures}

    def ListTasks(self, where, said):
        _, cluster = where
        service, most = said.get("serviceName"), said.get("maxResults", 100)
        if service and short(service) not in cluster["services"]:
            raise Refused(400, "ServiceNotFoundException", "Service not found.")
        if not 1 <= most <= 100:
            raise Refused(400, "InvalidParameterException", "maxResults must be 1 to 100.")
        wanted = said.get("desiredStatus", "RUNNING")
        arns = [t["taskArn"] for t in cluster["tasks"] if t["desiredStatus"] == wanted
                and (not service or t["group"] == "service:" + short(service))]
        try:
            start = int(said.get("nextToken", "page=0").removeprefix("page="))
        except ValueError:
            raise Refused(400, "InvalidParameterException", "Invalid token.") from None
        end = start + min(most, self.page)
        answer = {"taskArns": arns[start:end]}
        if end < len(arns):
            answer["nextToken"] = f"page={end}"
        return answer

    def DescribeTasks(self, where, said):
        _, cluster = where
        if not 1 <= len(said["tasks"]) <= 100:
            raise Refused(400, "InvalidParameterException",
                          "Tasks cannot be empty or more than 100.")
        known = {t["taskArn"]: t for t in cluster["tasks"]}
        return {"tasks": [known[arn] for arn in said["tasks"] if arn in known],
                "failures": [{"arn": arn, "reason": "MISSING"}
                             for arn in said["tasks"] if arn not in known]}

    #
    # What is answered.
    #
    def take(self, request, tree):
        operation, said, answer = tree
        self.note(request, 200, "")
        with self.news:
            self.requests[-1].update(operation=operation, said=said)
        return json.dumps(answer).encode(), {"Content-Type": JSON_TYPE}

    def error(self, request, refused):
        body = {"__type": refused.code, "message": refused.message}
        return json.dumps(body).encode(), {"Content-Type": JSON_TYPE}

    def get(self, handler):
        with self.news:
            self.metadata_requests += 1
            said = self.metadata
        if handler.path != METADATA + "/task" or said is None:
            handler.answer(404, b"")
        else:
            handler.answer(200, json.dumps(said).encode(), {"Content-Type": "application/json"})

    def control(self, what, said):
        if what == "service":
            self.service(said.pop("cluster"), said.pop("name"), **said)
        elif what == "tasks":
            self.tasks(**said)
        elif what == "metadata":
            self.metadata = said
        else:
            return super().control(what, said)
        return {}

    def asked(self, operation):
        """What was said to it in good requests."""
        with self.news:
            return [r["said"] for r in self.requests if r.get("operation") == operation]


def main():
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    words.add_argument("--port", type=int, default=0)
    words.add_argument("--region", help="refuse scopes of other regions")
    words.add_argument("--key-id", default=KEY_ID)
    words.add_argument("--secret", default=SECRET)
    words.add_argument("--service", action="append", default=[], metavar="CLUSTER/SERVICE=RUNNING")
    said = words.parse_args()
    with Ecs(None, said.region, {said.key_id: {"secret": said.secret}}, said.port) as fake:
        for service in said.service:
            name, _, running = service.partition("=")
            fake.service(*name.split("/"), running=int(running or 0))
        print(json.dumps({"url": fake.url, "port": fake.port, "metadata": fake.url + METADATA}),
              flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
