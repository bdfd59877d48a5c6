# SPDX-License-Identifier: Apache-2.0
"""check-policy: what a user wrote, in each notation, and every fault of it."""
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib.tap import case, config_file, equal, expect, holds, lacks, main  # noqa: E402

SUBSCRIPTION = "/subscriptions/s/resourceGroups/g/providers/Microsoft.App/containerApps/w"
ENV = {"SCALEBRIDGE_API_URL": "http://127.0.0.1:1", "SCALEBRIDGE_SINKS": "azure_monitor",
       "SCALEBRIDGE_SINKS_AZURE_MONITOR_RESOURCE_ID": SUBSCRIPTION,
       "SCALEBRIDGE_SINKS_AZURE_MONITOR_REGION": "westeurope"}
# As Membrane's guide has it.
GUIDE = """az containerapp update --scale-rule-type azure-monitor \\
  --scale-rule-metadata metricName=JobQueueLength \\
  metricResourceId=/subscriptions/.../resourceGroups/membrane-rg targetValue=5
"""
GOOD = {"tenantId": "t", "subscriptionId": "s", "resourceGroupName": "g",
        "resourceURI": "Microsoft.App/containerApps/w", "metricName": "JobQueueLength",
        "metricNamespace": "Membrane", "metricAggregationType": "Maximum", "targetValue": "5"}
AUTH = [{"secretRef": "a", "triggerParameter": "activeDirectoryClientId"},
        {"secretRef": "b", "triggerParameter": "activeDirectoryClientPassword"}]


def check(text, status=1):
    """The faults, as (line, text), of a text in a file."""
    path = config_file(text)
    out = expect(status, "check-policy", path).out
    found = re.findall(r"^(.*?):(\d+):\d+: (.*)$", out, re.M)
    equal({name for name, _, _ in found} - {path}, set())
    return [(int(line), said) for _, line, said in found]


def rule(metadata, auth=None, kind="azure-monitor", **more):
    custom = {"type": kind, "metadata": metadata, "auth": AUTH if auth is None else auth, **more}
    return json.dumps({"properties": {"template": {"scale": {"rules": [
        {"name": "r", "custom": custom}]}}}}, indent=1)


def faults(*args, **more):
    return "\n".join(said for _, said in check(rule(*args, **more)))


@case
def the_command_of_the_guide_gets_each_of_its_faults_with_its_place():
    found = check(GUIDE)
    equal([said.split(":")[0] for line, said in found if line == 3], ["metricResourceId"] * 2)
    equal({said.split(":")[0] for line, said in found if line == 1},
          {"--scale-rule-name", "--name", "--resource-group", "tenantId", "subscriptionId",
           "resourceGroupName", "resourceURI", "metricNamespace", "metricAggregationType",
           "activeDirectoryClientId", "activeDirectoryClientPassword"})
    holds("\n".join(said for _, said in found), "drops the whole rule", "a resource group")


@case
def what_policy_aca_prints_has_no_fault():
    ways = (["--url", "https://a.example", "--resource-group", "g"],
            ["--rule", "azure-monitor", "--tenant", "t"])
    for way in ways:
        for form in ("az-cli", "yaml", "arm"):
            text = expect(0, "policy", "aca", *way, "--metric", "JobQueueLength", "--format", form,
                          env=ENV).out
            equal(check(text, 0), [])


@case
def a_good_rule_is_good_and_each_missing_field_is_told():
    equal(check(rule(GOOD), 0), [])
    for name in GOOD:
        said = faults({k: v for k, v in GOOD.items() if k != name})
        equal(said.split(":")[0], name)


@case
def wrong_values_are_told_with_the_mend():
    for change, part in (
            ({"metricAggregationType": "Sum"}, "write Maximum"),
            ({"metricAggregationType": "average"}, "with the capital"),
            ({"metricAggregationType": "Total"}, "grows with every post"),
            ({"resourceURI": SUBSCRIPTION}, "PROVIDER/TYPE/NAME"),
            ({"targetValue": "0"}, "above 0"),
            ({"targetValue": "five"}, "above 0"),
            ({"metricName": "JobsPerWorker"}, "use JobQueueLength"),
            ({"metricFiler": "a eq 'b'"}, "did you mean metricFilter?")):
        said = faults({**GOOD, **change})
        holds(said, part)
        lacks(said, "\n")
    holds(faults(GOOD, identity="system"), "refuses a managed identity")
    holds(faults(GOOD, auth=[]), "activeDirectoryClientId", "activeDirectoryClientPassword")


@case
def metrics_api_and_prometheus_rules_are_read_too():
    api = {"url": "https://a.example/api/v1/metrics/JobQueueLength", "valueLocation": "value",
           "targetValue": "5", "authMode": "bearer"}
    token = [{"secretRef": "s", "triggerParameter": "token"}]
    equal(check(rule(api, token, "metrics-api"), 0), [])
    holds(faults(api, [], "metrics-api"), "no token is given")
    for url, part in (("http://a.example/x", "write https"), ("a.example", "no http or https"),
                      ("https://a.example/api/v1/metrics/JobsPerWorker", "is a ratio")):
        holds(faults({**api, "url": url}, token, "metrics-api"), part)
    prometheus = {"serverAddress": "https://a.example", "query": "x", "threshold": "5"}
    holds(faults(prometheus, [], "prometheus"), "counts as 0")
    equal(check(rule({**prometheus, "ignoreNullValues": "false"}, [], "prometheus"), 0), [])


@case
def a_scaled_object_of_keda_is_read():
    text = """apiVersion: keda.sh/v1alpha1
kind: ScaledObject
spec:
  triggers:
    - type: azure-monitor
      authenticationRef: {name: azure}
      metadata:
        tenantId: t
        subscriptionId: s
        resourceGroupName: g
        resourceURI: Microsoft.App/containerApps/w
        metricName: JobsPerWorker
        metricNamespace: Membrane
        metricAggregationType: Maximum
        targetValue: "5"
"""
    [(line, said)] = check(text)
    equal(line, 12)
    holds(said, "is a ratio", "JobQueueLength")
    equal(check(text.replace("      authentic", "      metricType: Value\n      authentic"), 0), [])


@case
def target_tracking_on_a_total_is_told():
    spec = {"MetricName": "JobsPerWorker", "Namespace": "Membrane", "Statistic": "Average"}
    text = {"TargetValue": 5, "CustomizedMetricSpecification": spec}
    equal(check(json.dumps(text), 0), [])
    for change, part in (({"MetricName": "JobQueueLength"}, "run to the maximum"),
                         ({"Statistic": "Sum"}, "write Average"), ({"Namespace": ""}, "missing")):
        changed = {**text, "CustomizedMetricSpecification": {**spec, **change}}
        holds(check(json.dumps(changed))[0][1], part)


@case
def quotes_comments_and_several_commands_are_read_as_sh_reads_them():
    pairs = " ".join(f"'{k}={v}'" for k, v in GOOD.items())
    command = ("az containerapp update -n w -g g --srn r --srt=azure-monitor \\\n --srm " + pairs +
               " \\\n --sra activeDirectoryClientId=a \"activeDirectoryClientPassword\"=b")
    equal(check("# --scale-rule-type x\n" + command + "\n", 0), [])
    equal(check(command.replace("-n w ", "") + "; " + command + "\n"),
          [(1, "--name: is missing; which container app is it?")])


@case
def what_holds_no_rule_is_an_error_and_no_success():
    for text, status in (("", 2), ("a: b\n", 2), ("echo hello\n", 2), ("\\", 2), ("\0", 1),
                         ("'", 1)):
        lacks(expect(status, "check-policy", config_file(text)).out, "no error")
    expect(2, "check-policy", "/nowhere/rule.yml")


main()
