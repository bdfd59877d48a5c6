# SPDX-License-Identifier: Apache-2.0
"""policy ecs: what it prints is run, parsed and validated as AWS would take it.

The script is run by sh with a stand-in `aws` that records its arguments, so
that quoting is proven; the calls, the template's resources and the terms of
Terraform are held against botocore's models and against each other.  Where
moto is installed, its Application Auto Scaling takes the same calls.
GOLDEN_UPDATE=1 writes test/data/policy anew.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

import botocore.session
import yaml
from botocore import xform_name
from botocore.validate import ParamValidator

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from fakes.membrane import Membrane  # noqa: E402
from lib.moto import Moto  # noqa: E402
from lib.tap import (LIMIT, case, clean_env, config_file, equal, expect,  # noqa: E402
                     holds, lacks, main)

GOLDEN = os.path.join(HERE, "..", "data", "policy")
SESSION = botocore.session.get_session()
SCALING, CLOUDWATCH = "application-autoscaling", "cloudwatch"
ENV = {"SCALEBRIDGE_API_URL": "http://127.0.0.1:1",
       "SCALEBRIDGE_CUSTOM_CODE_RUNNER_URL": "http://127.0.0.1:2",
       "SCALEBRIDGE_CAPACITY_INSTANT_TASKS_WORKER": "6",
       "SCALEBRIDGE_SINKS": "cloudwatch", "AWS_REGION": "eu-west-1"}
# Everything that shells, JSON and templates of Terraform would stumble over.
ODD = """it's "50%" $(id) `id` ${HOME} %{if} \\ \\n $HOME ; & | < > * ? ! # ~"""
ODD_FILE = """scrape:
  jobs: [{name: api, targets: ["http://127.0.0.1:1"]}]
metrics:
  - name: %s
    expr: a / b
    running: b
    target: 2.5
    unit: Percent
    min_replicas: 1
    max_replicas: 7
    dimensions: {Own: pod}
publish: {dimensions: {Environment: %s}}
sinks: {cloudwatch: {region: eu-west-1, namespace: %s}}
""" % ((json.dumps(ODD.replace("${", "$${")),) * 3)
FAST_FILE = """scrape:
  interval: 10s
  jobs:
    - {name: api, targets: ["http://127.0.0.1:1"]}
capacity: {instant-tasks-worker: {fixed: 2}}
metrics: [{name: JobsPerWorker, resolution: 1}]
publish: {interval: 10s, dimensions: {Stage: prod}}
sinks: {cloudwatch: {region: eu-west-1, namespace: Membrane/Scaling}}
"""
FORMATS = {"aws-cli": "sh", "cloudformation": "json", "terraform": "tf"}


def policy(*args, env=None, status=0, cluster="membrane-cluster"):
    where = ["--cluster", cluster] if cluster else []
    return expect(status, "policy", "ecs", *where, *args, env=ENV if env is None else env)


# What is asked for: name, arguments, configuration (None: the variables above).
def scenarios():
    return [("default", [], None),
            ("from-zero", ["--metric", "JobsPerWorker", "--min", "0", "--max", "9"], None),
            ("queued-from-zero", ["--metric", "QueuedTasksWorkersRequiredPercent", "--min", "0",
                                  "--service", "q-workers"], None),
            ("utilization", ["--metric", "InstantTasksUtilization"], None),
            ("high-resolution", ["--high-resolution"], FAST_FILE),
            ("odd", ["--metric", ODD, "--service", "worker_1", "--dimension", "Own=a 'b'"],
             ODD_FILE)]


def configured(args, text):
    return args if text is None else ["--config", config_file(text), *args]


def output(args, text, form):
    return policy(*configured(args, text), "--format", form,
                  env=None if text is None else {}).out


# ---- the script, run

STAND_IN = """#!%s
import json, sys
with open(%r, "a", encoding="utf-8") as file:
    file.write(json.dumps(sys.argv[1:]) + "\\n")
if "--query" in sys.argv:
    print("arn:aws:autoscaling:eu-west-1:123456789012:scalingPolicy:1")
"""


def run_script(script):
    """The calls of `aws` in it, each as its list of arguments."""
    with tempfile.TemporaryDirectory(prefix="scalebridge-test-") as folder:
        record, aws = os.path.join(folder, "calls"), os.path.join(folder, "aws")
        with open(aws, "w", encoding="utf-8") as file:
            file.write(STAND_IN % (sys.executable, record))
        os.chmod(aws, 0o755)
        env = clean_env({"HOME": "/nowhere"})
        env["PATH"] = folder + ":" + env["PATH"]
        done = subprocess.run(["sh"], input=script.encode(), env=env, cwd=folder, timeout=LIMIT,
                              capture_output=True, check=False)
        equal((done.returncode, done.stderr, done.stdout), (0, b"", b""))
        equal(sorted(os.listdir(folder)), ["aws", "calls"])
        with open(record, encoding="utf-8") as file:
            return [json.loads(line) for line in file]


def value_of(shape, text):
    if shape.type_name == "structure":
        return json.loads(text)
    if shape.type_name == "list":
        return [text]
    return int(text) if shape.type_name in ("integer", "long") else text


def call_of(words):
    """(service, operation, parameters) as the AWS CLI reads them; validated."""
    service, command, *rest = words
    model = SESSION.get_service_model(service)
    operation = next(model.operation_model(name) for name in model.operation_names
                     if xform_name(name, "-") == command)
    members = {"--" + xform_name(name, "-"): (name, shape)
               for name, shape in operation.input_shape.members.items()}
    params, options = {}, dict(zip(rest[::2], rest[1::2]))
    equal(len(rest), 2 * len(options), "an option twice, or a word too many")
    equal(options.pop("--region"), "eu-west-1")
    equal(options.pop("--output", "text"), "text")
    equal(options.pop("--query", "PolicyARN"), "PolicyARN")
    params.update(json.loads(options.pop("--cli-input-json", "{}")))
    for option, text in options.items():
        name, shape = members[option]
        params[name] = value_of(shape, text)
    valid(service, operation.name, params)
    return service, operation.name, params


def valid(service, operation, params):
    shape = SESSION.get_service_model(service).operation_model(operation).input_shape
    report = ParamValidator().validate(params, shape)
    assert not report.has_errors(), report.generate_report()
    known(params, shape)


def known(value, shape):
    """Values of enumerations as well, which botocore leaves to the service."""
    if shape.type_name == "structure":
        for name, item in value.items():
            known(item, shape.members[name])
    elif shape.type_name == "list":
        for item in value:
            known(item, shape.member)
    elif shape.type_name == "string" and shape.enum:
        assert value in shape.enum, (value, shape.enum)


def calls(script):
    return [call_of(words) for words in run_script(script)]


# ---- the template, as the same calls

def template_calls(text):
    resources = yaml.safe_load(text)["Resources"]
    equal(resources, json.loads(text)["Resources"])
    told = []
    for name, resource in resources.items():
        assert re.fullmatch("[A-Za-z0-9]+", name), name
        p = dict(resource["Properties"])
        if resource["Type"] == "AWS::ApplicationAutoScaling::ScalableTarget":
            told.append((SCALING, "RegisterScalableTarget", p))
        elif resource["Type"] == "AWS::ApplicationAutoScaling::ScalingPolicy":
            target = resources[p.pop("ScalingTargetId")["Ref"]]["Properties"]
            p.update({k: target[k] for k in ("ServiceNamespace", "ScalableDimension", "ResourceId")})
            told.append((SCALING, "PutScalingPolicy", p))
        else:
            equal(resource["Type"], "AWS::CloudWatch::Alarm")
            for ref in p.get("AlarmActions", []):
                equal(resources[ref["Ref"]]["Type"], "AWS::ApplicationAutoScaling::ScalingPolicy")
            if "AlarmActions" in p:
                p["AlarmActions"] = ["arn:aws:autoscaling:eu-west-1:123456789012:scalingPolicy:1"]
            told.append((CLOUDWATCH, "PutMetricAlarm", p))
    for call in told:
        valid(*call)
    return told


# ---- Terraform's language, as far as it is used: blocks, attributes, strings

TOKEN = re.compile(r'\s*(?:#[^\n]*\n\s*)*("(?:[^"\\]|\\.)*"|[A-Za-z_][\w.]*|-?\d[\d.]*|[{}=\[\](),:]|$)')


def tokens(text):
    at, out = 0, []
    while at < len(text.rstrip()):
        found = TOKEN.match(text, at)
        assert found, text[at:at + 80]
        out.append(found.group(1))
        at = found.end()
    return [t for t in out if t]


def literal(token):
    if not token.startswith('"'):
        return {"true": True, "false": False}.get(token, float(token)
                                                  if re.match(r"-?\d", token) else token)
    text = json.loads(token)
    assert not re.search(r"(?<!\$)(?:\$\$)*\$\{|(?<!%)(?:%%)*%\{", text), text
    return text.replace("$${", "${").replace("%%{", "%{")


def body(stream):
    """Attributes and blocks up to the closing brace: [(name, value)]."""
    out = []
    while stream and stream[0] != "}":
        name = literal(stream.pop(0))
        if stream[0] == "=" and stream[1] == "[":
            del stream[:2]
            out.append((name, [stream.pop(0)]))
            equal(stream.pop(0), "]")
        elif stream[0] == "=" and stream[1] != "{":
            out.append((name, literal(stream[1])))
            del stream[:2]
        else:
            while stream[0] != "{":
                stream.pop(0)
            stream.pop(0)
            out.append((name, body(stream)))
            equal(stream.pop(0), "}")
    return out


def resources_of(text):
    stream, out = tokens(text), []
    while stream:
        equal(stream.pop(0), "resource")
        kind, name = literal(stream.pop(0)), literal(stream.pop(0))
        equal(stream.pop(0), "{")
        out.append((kind, name, body(stream)))
        equal(stream.pop(0), "}")
    equal(len({(k, n) for k, n, _ in out}), len(out), "a resource twice")
    return out


def leaves(value, out):
    """Every number and text in it, but for references."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            leaves(item, out)
    elif isinstance(value, bool):
        pass
    elif isinstance(value, (int, float)):
        out.append(float(value))
    else:
        out.append(value)
    return out


# ---- cases

@case
def every_call_of_the_script_is_one_that_aws_takes_and_so_is_the_template():
    for name, args, text in scenarios():
        told = calls(output(args, text, "aws-cli"))
        equal(template_calls(output(args, text, "cloudformation")), told, name)
        assert told[0][1] == "RegisterScalableTarget", told


@case
def terraform_says_the_same_as_the_calls():
    for name, args, text in scenarios():
        told = resources_of(output(args, text, "terraform"))
        want = calls(output(args, text, "aws-cli"))
        equal(len(told), len(want), name)
        for (kind, _, lines), (_, operation, params) in zip(told, want):
            attributes = dict(lines)
            equal(kind, {"RegisterScalableTarget": "aws_appautoscaling_target",
                         "PutScalingPolicy": "aws_appautoscaling_policy",
                         "PutMetricAlarm": "aws_cloudwatch_metric_alarm"}[operation])
            values = leaves([v for _, v in lines], [])
            skip = {params.get(k) for k in ("ServiceNamespace", "ScalableDimension", "ResourceId")} \
                if operation == "PutScalingPolicy" else set()
            for value in leaves({k: v for k, v in params.items() if k != "AlarmActions"}, []):
                assert value in skip or value in values, (name, value, values)
            if operation == "PutScalingPolicy":
                targets = {"aws_appautoscaling_target." + n for k, n, _ in told
                           if k == "aws_appautoscaling_target"}
                assert attributes["resource_id"][:-len(".resource_id")] in targets, attributes
            if "AlarmActions" in params:
                policies = {f"aws_appautoscaling_policy.{n}.arn" for k, n, _ in told
                            if k == "aws_appautoscaling_policy"}
                assert attributes["alarm_actions"][0] in policies, attributes


@case
def the_output_is_that_of_the_golden_files():
    for name, args, text in scenarios():
        for form, end in FORMATS.items():
            path, got = os.path.join(GOLDEN, f"{name}.{end}"), output(args, text, form)
            if os.environ.get("GOLDEN_UPDATE"):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(got)
            with open(path, encoding="utf-8") as file:
                equal(got, file.read(), path)


@case
def metrics_targets_and_bounds_are_those_of_membranes_guide():
    told = calls(policy().out)
    bounds = {p["ResourceId"]: (p["MinCapacity"], p["MaxCapacity"])
              for _, o, p in told if o == "RegisterScalableTarget"}
    equal(bounds, {"service/membrane-cluster/instant-tasks-worker": (2, 20),
                   "service/membrane-cluster/queued-tasks-worker": (2, 50),
                   "service/membrane-cluster/custom-code-runner": (2, 20)})
    tracked = {}
    for _, operation, p in told:
        if operation == "PutScalingPolicy":
            c = p["TargetTrackingScalingPolicyConfiguration"]
            equal((c["ScaleOutCooldown"], c["ScaleInCooldown"]), (30, 300))
            equal(c["CustomizedMetricSpecification"]["Statistic"], "Average")
            tracked[c["CustomizedMetricSpecification"]["MetricName"]] = c["TargetValue"]
    equal(tracked, {"JobsPerWorker": 5, "QueuedTasksWorkersRequiredPercent": 100,
                    "CustomCodeRunnerCapacityRate": 0.45})
    alarm = told[-1][2]
    equal((alarm["MetricName"], alarm["TreatMissingData"]), ("ScalebridgeDataAge", "breaching"))


@case
def what_a_policy_names_is_exactly_what_is_published():
    with Membrane() as membrane:
        env = {**membrane.env(), "SCALEBRIDGE_SINKS": "cloudwatch", "AWS_REGION": "eu-west-1",
               "SCALEBRIDGE_CAPACITY_INSTANT_TASKS_WORKER": "6",
               "SCALEBRIDGE_SINKS_CLOUDWATCH_NAMESPACE": "Our/Space",
               "SCALEBRIDGE_PUBLISH_DIMENSIONS": "Zone=z,Environment=a b"}
        report = expect(0, "--dry-run", "--output", "json", "--requests", env=env).json()
        sent = json.loads(report["sinks"][0]["requests"][0]["body"])
        told = calls(policy(env=env).out)
    published = {d["MetricName"]: (sent["Namespace"], d.get("Dimensions"), d["Unit"])
                 for d in sent["MetricData"]}
    seen = 0
    for _, operation, p in told:
        spec = p.get("TargetTrackingScalingPolicyConfiguration", {}).get(
            "CustomizedMetricSpecification", p if operation == "PutMetricAlarm" else None)
        if spec:
            equal((spec["Namespace"], spec.get("Dimensions"), spec["Unit"]),
                  published[spec["MetricName"]], spec["MetricName"])
            seen += 1
    equal(seen, 4)


@case
def from_zero_a_step_is_called_by_the_demand_alone_while_nobody_works():
    told = calls(policy("--metric", "JobsPerWorker", "--min", "0").out)
    equal([o for _, o, _ in told], ["RegisterScalableTarget", "PutScalingPolicy",
                                    "PutScalingPolicy", "PutMetricAlarm", "PutMetricAlarm"])
    equal(told[0][2]["MinCapacity"], 0)
    equal(told[2][2]["StepScalingPolicyConfiguration"]["StepAdjustments"],
          [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}])
    alarm = told[3][2]
    equal((alarm["Threshold"], alarm["ComparisonOperator"], alarm["TreatMissingData"]),
          (1, "GreaterThanOrEqualToThreshold", "notBreaching"))
    equal(alarm["Metrics"][0]["MetricStat"]["Metric"]["MetricName"], "JobQueueLength")
    equal(alarm["AlarmActions"], ["arn:aws:autoscaling:eu-west-1:123456789012:scalingPolicy:1"])
    lacks(policy("--metric", "JobsPerWorker", "--min", "1").out, "StepScaling")
    holds(policy("--min", "0", status=2).err, "custom-code-runner", "nobody tells its demand")


@case
def high_resolution_wants_data_of_seconds_and_says_why():
    told = calls(output(["--high-resolution"], FAST_FILE, "aws-cli"))
    alarm, step = told[3][2], told[2][2]["StepScalingPolicyConfiguration"]
    equal((alarm["Period"], alarm["MetricName"], alarm["Threshold"]), (10, "JobsPerWorker", 5))
    equal(alarm["Dimensions"], [{"Name": "Stage", "Value": "prod"}])
    steps = step["StepAdjustments"]
    equal([s["MetricIntervalUpperBound"] for s in steps[:-1]],
          [s["MetricIntervalLowerBound"] for s in steps[1:]])
    assert "MetricIntervalUpperBound" not in steps[-1]
    holds(output(["--high-resolution"], FAST_FILE, "aws-cli"), "reads 60 s periods")
    holds(policy("--high-resolution", status=2).err, "resolution: 1")
    slow = config_file(FAST_FILE.replace("interval: 10s", "interval: 60s"))
    holds(policy("--config", slow, "--high-resolution", env={}, status=2).err,
          "publish.interval and scrape.interval to 10s")


@case
def what_target_tracking_cannot_do_is_refused_with_the_mend():
    for metric, mend in (("InstantTasksWorkersRequired", "--metric JobsPerWorker"),
                         ("JobQueueLength", "--metric JobsPerWorker"),
                         ("QueuedTasksWorkersRequired",
                          "--metric QueuedTasksWorkersRequiredPercent"),
                         ("CustomCodeRunnersRequired", "--metric CustomCodeRunnerCapacityRate")):
        holds(policy("--metric", metric, status=2).err, "absolute number", mend)
    holds(policy("--metric", "CustomCodeRunnerSpacesUsed", status=2).err, "states no target")
    holds(policy("--metric", "JobPerWorker", status=2).err, "unknown", '"JobsPerWorker"')
    holds(policy("--metric", "QueuedTasksWorkersBusyRatio", status=2).err,
          "is off", "SCALEBRIDGE_QUEUED_TASKS_WORKER_URL")
    off = config_file(FAST_FILE.replace("resolution: 1", "enabled: false"))
    holds(policy("--config", off, "--metric", "JobsPerWorker", env={}, status=2).err,
          "switched off", "enabled: false")
    stdout = {**ENV, "SCALEBRIDGE_SINKS": "stdout"}
    holds(policy(env=stdout, status=2).err, "SCALEBRIDGE_SINKS=cloudwatch")
    holds(policy("--iam", env=stdout, status=2).err, "SCALEBRIDGE_SINKS=cloudwatch")
    holds(policy(env={**ENV, "SCALEBRIDGE_SINKS": "emf"}, status=2).err, "choose cloudwatch")
    bare = {k: v for k, v in ENV.items() if "CAPACITY" not in k}
    got = policy(env=bare)
    holds(got.err, "note:", "instant-tasks-worker is not scaled", "JobsPerWorker is off")
    lacks(got.out, "JobsPerWorker")
    holds(policy(*configured(["--metric", ODD, "--service", "w"], ODD_FILE), env={}, status=2).err,
          "--dimension Own=VALUE")


@case
def wrong_usage_is_told():
    holds(policy(cluster=None, status=2).err, "--cluster NAME")
    holds(policy(cluster="a/b", status=2).err, "no name in ECS")
    holds(policy("--service", "worker", status=2).err, "instant-tasks-worker=worker")
    holds(policy("--service", "instant-task-worker=w", status=2).err, '"instant-tasks-worker"?')
    holds(policy("--max", "1", status=2).err, "below the minimum")
    holds(policy("--min", "many", status=2).err, "--min", "many")
    holds(policy("--format", "xml", status=2).err, "cloudformation")
    holds(expect(2, "policy", "gke", env=ENV).err, "knows ecs")
    got = policy("--service", "instant-tasks-worker=w1,custom-code-runner=r2",
                 cluster="arn:aws:ecs:eu-west-1:123456789012:cluster/live").out
    holds(got, "'service/live/w1'", "'service/live/r2'", "'service/live/queued-tasks-worker'")


@case
def the_permissions_are_the_least_and_name_the_namespace():
    doc = json.loads(policy("--iam", cluster=None).out)
    equal(doc, {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "cloudwatch:PutMetricData", "Resource": "*",
         "Condition": {"StringEquals": {"cloudwatch:namespace": "Membrane"}}}]})
    resources = yaml.safe_load(policy("--iam", "--format", "cloudformation").out)["Resources"]
    equal(resources["ScalebridgePublishes"]["Properties"]["PolicyDocument"], doc)
    text = policy("--iam", "--format", "terraform").out
    equal(json.loads(text[text.index("jsonencode(") + 11:text.rindex(")")]), doc)
    odd = json.loads(policy("--config", config_file(ODD_FILE), "--iam", env={}).out)
    equal(odd["Statement"][0]["Condition"]["StringEquals"]["cloudwatch:namespace"],
          ODD.replace("$", "${$}"))


@case
def ecs_that_counts_and_finds_is_allowed_for_its_own_services_and_names_the_cluster():
    env = {**ENV, "AWS_REGION": "cn-north-1",
           "SCALEBRIDGE_CAPACITY_INSTANT_TASKS_WORKER": "ecs:live/worker",
           "SCALEBRIDGE_CUSTOM_CODE_RUNNER_URL": "ecs+http://live/runner:5000"}
    statements = json.loads(policy("--iam", env=env, cluster=None).out)["Statement"]
    equal(statements[1:], [
        {"Effect": "Allow", "Action": "ecs:DescribeServices",
         "Resource": ["arn:aws-cn:ecs:cn-north-1:*:service/live/worker"]},
        {"Effect": "Allow", "Action": ["ecs:ListTasks", "ecs:DescribeTasks"], "Resource": "*",
         "Condition": {"ArnLike": {"ecs:cluster": "arn:aws-cn:ecs:cn-north-1:*:cluster/live"}}}])
    got = policy("--metric", "JobsPerWorker", env=env, cluster=None).out
    holds(got, "--resource-id 'service/live/worker'", "--region 'cn-north-1'")
    holds(policy(env=env, cluster=None).out, "'service/live/custom-code-runner'")


def emulated(moto, told):
    """The calls, given to moto over loopback; gives what it then holds."""
    moto.reset()
    for cluster, service in {tuple(p["ResourceId"].split("/")[1:])
                             for _, _, p in told if "ResourceId" in p}:
        ecs = moto.client("ecs")
        ecs.create_cluster(clusterName=cluster)
        ecs.register_task_definition(family="t", containerDefinitions=[
            {"name": "c", "image": "i", "memory": 128}])
        ecs.create_service(cluster=cluster, serviceName=service, taskDefinition="t",
                           desiredCount=0)
    for service, operation, params in told:
        getattr(moto.client(service), xform_name(operation))(**params)
    scaling = moto.client(SCALING)
    return (scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"],
            scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"])


@case
def an_emulator_takes_the_calls_and_gives_them_back():
    with Moto(signed=False) as moto:
        for name, args, text in scenarios():
            taken_as_told(moto, name, calls(output(args, text, "aws-cli")))


def taken_as_told(moto, name, told):
    targets, policies = emulated(moto, told)
    equal(sorted((t["ResourceId"], t["MinCapacity"], t["MaxCapacity"]) for t in targets),
          sorted((p["ResourceId"], p["MinCapacity"], p["MaxCapacity"])
                 for _, o, p in told if o == "RegisterScalableTarget"), name)
    want = {(p["ResourceId"], p["PolicyName"]): p for _, o, p in told if o == "PutScalingPolicy"}
    equal(len(policies), len(want), name)
    for got in policies:
        p = want[got["ResourceId"], got["PolicyName"]]
        for key in ("TargetTrackingScalingPolicyConfiguration", "StepScalingPolicyConfiguration"):
            equal(got.get(key), p.get(key), name)


if __name__ == "__main__":
    main()
