# SPDX-License-Identifier: Apache-2.0
"""The real program against moto, which verifies signatures and permissions by
code of its own; what arrived is read back by the AWS CLI.

moto unpacks a gzipped body, and writes a form anew with + for a blank, before
it checks the signature; neither is asked of it here, and test_cloudwatch.py
proves both by botocore's code."""
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from fakes.membrane import Membrane  # noqa: E402
from lib.moto import Moto  # noqa: E402
from lib.tap import case, equal, expect, holds, main  # noqa: E402

WORKER = "ecs:prod/instant"


def publish(moto, status=0, **more):
    with Membrane() as membrane:
        return expect(status, "run", "--once", env={
            **membrane.env(), **moto.env(), "SCALEBRIDGE_SINKS": "cloudwatch",
            "SCALEBRIDGE_CAPACITY_INSTANT_TASKS_WORKER": "fixed:6",
            "SCALEBRIDGE_DELIVER_RETRY_MIN": "10ms", **more})


def service(moto, cluster, name, tasks=0):
    ecs = moto.client("ecs")
    ecs.create_cluster(clusterName=cluster)
    ecs.register_task_definition(family="t", containerDefinitions=[
        {"name": "c", "image": "i", "memory": 128}])
    ecs.create_service(cluster=cluster, serviceName=name, taskDefinition="t",
                       desiredCount=tasks)


@case
def the_aws_cli_reads_back_what_was_published():
    with Moto() as moto:
        for protocol in ("json", "query"):
            publish(moto, SCALEBRIDGE_SINKS_CLOUDWATCH_PROTOCOL=protocol,
                    SCALEBRIDGE_PUBLISH_DIMENSIONS=f"Environment=a+{protocol}")
            now = int(time.time())
            points = moto.aws(
                "cloudwatch", "get-metric-statistics", "--namespace", "Membrane",
                "--metric-name", "JobsPerWorker", "--start-time", str(now - 600),
                "--end-time", str(now + 600), "--period", "60", "--statistics", "Average",
                "SampleCount", "--dimensions", f"Name=Environment,Value=a+{protocol}")
            equal([(p["Average"], p["SampleCount"], p["Unit"]) for p in points["Datapoints"]],
                  [(7.0, 1.0, "Count")], protocol)
        names = {m["MetricName"] for m in moto.aws("cloudwatch", "list-metrics")["Metrics"]}
        equal({"JobsPerWorker", "JobQueueLength", "ScalebridgeDataAge"} <= names, True)


@case
def a_wrong_secret_and_a_missing_permission_are_refused_and_explained():
    with Moto() as moto:
        soon = {"SCALEBRIDGE_SHUTDOWN_TIMEOUT": "500ms"}
        holds(publish(moto, 3, AWS_SECRET_ACCESS_KEY="wrong", **soon).err,
              "403 SignatureDoesNotMatch", "copy both again")
        key, secret = moto.user("mute", {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "ecs:DescribeServices", "Resource": "*"}]})
        holds(publish(moto, 3, AWS_ACCESS_KEY_ID=key, AWS_SECRET_ACCESS_KEY=secret, **soon).err,
              "403 AccessDenied", "cloudwatch:PutMetricData")
        equal(moto.client("cloudwatch").list_metrics()["Metrics"], [])


@case
def check_auth_says_who_the_emulator_says_we_are():
    with Moto() as moto:
        holds(expect(0, "check-auth", env={**moto.env(), "SCALEBRIDGE_SINKS": "cloudwatch"}).out,
              "user/first in account 123456789012")


@case
def workers_are_counted_as_its_ecs_tells_them():
    with Moto() as moto, Membrane() as membrane:
        service(moto, "prod", "instant", 3)
        running = moto.client("ecs").describe_services(
            cluster="prod", services=["instant"])["services"][0]["runningCount"]
        report = expect(0, "--dry-run", "--output", "json", env={
            **membrane.env(), **moto.env(), "SCALEBRIDGE_SINKS": "none",
            "SCALEBRIDGE_CAPACITY_INSTANT_TASKS_WORKER": WORKER}).json()
        equal([w["count"] for w in report["workers"]], [running])
        result = expect(3, "--dry-run", "--output", "json", env={
            **membrane.env(), **moto.env(), "SCALEBRIDGE_SINKS": "none",
            "SCALEBRIDGE_CAPACITY_INSTANT_TASKS_WORKER": "ecs:prod/missing"})
        holds(result.out, "MISSING")


@case
def the_aws_cli_runs_the_policy_and_the_emulator_holds_it():
    with Moto() as moto:
        service(moto, "prod", "instant")
        env = {"SCALEBRIDGE_API_URL": "http://127.0.0.1:1", "SCALEBRIDGE_SINKS": "cloudwatch",
               "AWS_REGION": "eu-west-1", "SCALEBRIDGE_CAPACITY_INSTANT_TASKS_WORKER": WORKER}
        script = expect(0, "policy", "ecs", "--metric", "JobsPerWorker", "--min", "0",
                        "--max", "9", env=env).out
        moto.run(script=script)
        scaling = moto.client("application-autoscaling")
        target = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
        equal([(t["ResourceId"], t["MinCapacity"], t["MaxCapacity"]) for t in target],
              [("service/prod/instant", 0, 9)])
        policies = {p["PolicyName"]: p for p in scaling.describe_scaling_policies(
            ServiceNamespace="ecs")["ScalingPolicies"]}
        tracking = policies["JobsPerWorker-target-tracking"][
            "TargetTrackingScalingPolicyConfiguration"]
        equal((tracking["TargetValue"], tracking["ScaleOutCooldown"],
               tracking["CustomizedMetricSpecification"]["MetricName"]),
              (5.0, 30, "JobsPerWorker"))
        alarms = moto.aws("cloudwatch", "describe-alarms")["MetricAlarms"]
        step = [a for a in alarms if a["AlarmName"].endswith("-from-zero")]
        equal([a["AlarmActions"] for a in step], [[policies["from-zero"]["PolicyARN"]]])


@case
def what_iam_prints_is_a_policy_that_the_emulator_takes():
    env = {"SCALEBRIDGE_API_URL": "http://127.0.0.1:1", "SCALEBRIDGE_SINKS": "cloudwatch",
           "AWS_REGION": "eu-west-1", "SCALEBRIDGE_CAPACITY_INSTANT_TASKS_WORKER": WORKER}
    text = expect(0, "policy", "ecs", "--iam", env=env).out
    with Moto() as moto:
        moto.aws("iam", "put-user-policy", "--user-name", "first", "--policy-name", "q",
                 "--policy-document", text)
        got = moto.aws("iam", "get-user-policy", "--user-name", "first", "--policy-name", "q")
        equal(got["PolicyDocument"], json.loads(text))


if __name__ == "__main__":
    main()
