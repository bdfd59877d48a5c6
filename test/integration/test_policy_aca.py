# SPDX-License-Identifier: Apache-2.0
"""policy aca: the script is run by sh with a stand-in `az`, documents are parsed,
and each rule is held against the fields that KEDA's scalers take.

KEDA is not here: KEDA_FIELDS is its documentation's list, and read_rule() does
what its two scalers do when they read a rule's metadata.
"""
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from fakes.membrane import Membrane  # noqa: E402
from lib.tap import (LIMIT, Running, case, clean_env, config_file, equal, expect,  # noqa: E402
                     holds, lacks, main)

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
RESOURCE = (f"/subscriptions/{SUBSCRIPTION}/resourceGroups/membrane-rg/providers/"
            "Microsoft.App/containerApps/membrane-workers")
ENV = {"SCALEBRIDGE_API_URL": "http://127.0.0.1:1",
       "SCALEBRIDGE_CUSTOM_CODE_RUNNER_URL": "http://127.0.0.1:2",
       "SCALEBRIDGE_SINKS": "azure_monitor",
       "SCALEBRIDGE_SINKS_AZURE_MONITOR_RESOURCE_ID": RESOURCE,
       "SCALEBRIDGE_SINKS_AZURE_MONITOR_REGION": "westeurope"}
API = ["--url", "https://agent.example.com/", "--resource-group", "rg"]
MONITOR = ["--rule", "azure-monitor", "--tenant", "tenant-1"]
# (required, optional, from secrets)
KEDA_FIELDS = {
    "metrics-api": ({"url", "valueLocation", "targetValue"},
                    {"format", "authMode", "activationTargetValue"}, {"token"}),
    "azure-monitor": ({"resourceURI", "tenantId", "subscriptionId", "resourceGroupName",
                       "metricName", "metricNamespace", "metricAggregationType",
                       "targetValue"},
                      {"metricAggregationInterval", "metricFilter", "activationTargetValue"},
                      {"activeDirectoryClientId", "activeDirectoryClientPassword"})}
ODD = """it's "50%" $(id) `id` ${HOME} \\ [concat('x')]"""
ODD_FILE = """scrape: {jobs: [{name: api, targets: ["http://127.0.0.1:1"]}]}
publish: {dimensions: {Environment: %s}}
sinks: {azure_monitor: {resource_id: %s, region: westeurope, namespace: Membrane}}
""" % (json.dumps(ODD.replace("${", "$${")), RESOURCE)


def policy(*args, status=0, env=None):
    return expect(status, "policy", "aca", *args, env=ENV if env is None else env)


def read_rule(kind, metadata, auth):
    required, optional, secrets = KEDA_FIELDS[kind]
    equal(required - set(metadata), set())
    equal(set(metadata) - required - optional, set())
    equal(set(auth), secrets)
    for value in metadata.values():
        equal(type(value), str)
    assert float(metadata["targetValue"]) > 0
    if kind == "metrics-api":
        assert re.fullmatch(r"https://[^/]+/api/v1/metrics/\w+", metadata["url"]), metadata["url"]
        equal((metadata["authMode"], metadata["valueLocation"]), ("bearer", "value"))
    else:
        equal(len(metadata["resourceURI"].split("/")), 3)
        assert metadata["metricAggregationType"] in ("Average", "Maximum", "Minimum"), metadata
        assert re.fullmatch(r"\d+:\d+:\d+", metadata["metricAggregationInterval"])
    return metadata


def read_scale(scale, kind):
    """As template.scale: bounds, times, and its one rule's metadata."""
    equal(set(scale), {"minReplicas", "maxReplicas", "pollingInterval", "cooldownPeriod", "rules"})
    [rule] = scale["rules"]
    equal(set(rule), {"name", "custom"})
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", rule["name"]), rule["name"]
    custom = rule["custom"]
    equal((set(custom), custom["type"]), ({"type", "metadata", "auth"}, kind))
    auth = {a["triggerParameter"]: a["secretRef"] for a in custom["auth"]}
    return read_rule(kind, custom["metadata"], auth)


def run_script(script, **secrets):
    """The calls of `az` in it."""
    with tempfile.TemporaryDirectory(prefix="scalebridge-test-") as folder:
        record, az = os.path.join(folder, "calls"), os.path.join(folder, "az")
        with open(az, "w", encoding="utf-8") as file:
            file.write(f"#!{sys.executable}\nimport json, sys\nopen({record!r}, 'a').write("
                       "json.dumps(sys.argv[1:]) + '\\n')\n")
        os.chmod(az, 0o755)
        env = {**clean_env({}), **secrets}
        env["PATH"] = folder + ":" + env["PATH"]
        done = subprocess.run(["sh"], input=script.encode(), env=env, cwd=folder,
                              timeout=LIMIT, capture_output=True, check=False)
        equal((done.returncode, done.stderr), (0, b""))
        with open(record, encoding="utf-8") as file:
            return [json.loads(line) for line in file]


def options(words):
    """Each option with the list of its words."""
    found, values = {}, []
    for word in words:
        if word.startswith("--"):
            equal(word in found, False, word)
            values = found[word] = []
        else:
            values.append(word)
    return found


def rules_of(calls, kind):
    """{app: (min, max, metadata)}; each app's secrets are set before its rule."""
    found, secrets = {}, {}
    for call in calls:
        said = options(call)
        [app] = said["--name"]
        if call[:3] == ["containerapp", "secret", "set"]:
            secrets[app] = {s.split("=", 1)[0] for s in said["--secrets"]}
            continue
        equal(call[:2], ["containerapp", "update"])
        equal(said["--scale-rule-type"], [kind])
        equal(len(said["--scale-rule-name"]), 1)
        auth = dict(pair.split("=", 1) for pair in said["--scale-rule-auth"])
        equal(set(auth.values()), secrets[app])
        metadata = dict(pair.split("=", 1) for pair in said["--scale-rule-metadata"])
        found[app] = (said["--min-replicas"][0], said["--max-replicas"][0],
                      read_rule(kind, metadata, auth))
    return found


@case
def each_service_gets_the_rule_of_its_total():
    calls = run_script(policy(*API).out, SCALEBRIDGE_TOKEN="t'o k$n")
    equal(calls[0][-1], "scalebridge-token=t'o k$n")
    rules = rules_of(calls, "metrics-api")
    equal({app: (low, high, m["url"].rsplit("/", 1)[1], m["targetValue"])
           for app, (low, high, m) in rules.items()},
          {"instant-tasks-worker": ("2", "20", "JobQueueLength", "5"),
           "queued-tasks-worker": ("2", "50", "QueuedTasksWorkersRequired", "1"),
           "custom-code-runner": ("2", "20", "CustomCodeRunnersRequired", "1")})


@case
def an_azure_monitor_rule_is_whole():
    calls = run_script(policy(*MONITOR, "--metric", "JobQueueLength").out,
                       SCALEBRIDGE_CLIENT_ID="id", SCALEBRIDGE_CLIENT_SECRET="words")
    equal([options(c)["--resource-group"] for c in calls], [["membrane-rg"]] * 2)
    equal(rules_of(calls, "azure-monitor")["instant-tasks-worker"], ("2", "20", {
        "tenantId": "tenant-1", "subscriptionId": SUBSCRIPTION,
        "resourceGroupName": "membrane-rg",
        "resourceURI": "Microsoft.App/containerApps/membrane-workers",
        "metricName": "JobQueueLength", "metricNamespace": "Membrane",
        "metricAggregationType": "Maximum", "metricAggregationInterval": "0:5:0",
        "targetValue": "5"}))


@case
def a_script_without_its_secret_changes_nothing():
    done = subprocess.run(["sh"], input=policy(*API).out.encode(), env=clean_env({}),
                          capture_output=True, timeout=LIMIT, check=False)
    assert done.returncode != 0
    holds(done.stderr.decode(), "SCALEBRIDGE_TOKEN")


@case
def yaml_and_arm_say_the_same():
    one = ["--metric", "QueuedTasksWorkersRequired", "--max", "9", "--min", "0"]
    for kind, how in (("metrics-api", API), ("azure-monitor", MONITOR)):
        read = yaml.safe_load(policy(*how, *one, "--format", "yaml").out)
        scale = read["properties"]["template"]["scale"]
        read_scale(scale, kind)
        equal((scale["minReplicas"], scale["maxReplicas"]), (0, 9))
        arm = json.loads(policy(*how, *one, "--format", "arm").out)
        equal(set(arm), {"$schema", "contentVersion", "parameters", "variables", "resources"})
        equal({p["type"] for p in arm["parameters"].values()}, {"securestring"})
        equal(arm["variables"], {"QueuedTasksWorkerScale": scale})


def bicep_value(text):
    """Objects, arrays, numbers and strings of Bicep, as Python has them."""
    token = re.compile(r"\s*(?:'((?:[^'\\]|\\.)*)'|(\w+):|(\d+)|([\[\]{}]))")
    at = 0

    def take():
        nonlocal at
        m = token.match(text, at)
        assert m, text[at:at + 40]
        at = m.end()
        return m

    def value(m):
        if m[1] is not None:
            return re.sub(r"\\(.)", r"\1", m[1])
        if m[3] is not None:
            return int(m[3])
        if m[4] == "[":
            items = []
            while (m := take())[4] != "]":
                items.append(value(m))
            return items
        equal(m[4], "{")
        members = {}
        while (m := take())[4] != "}":
            members[m[2]] = value(take())
        return members
    return value(take())


@case
def bicep_says_the_same_as_arm():
    for args in (API, MONITOR):
        bicep = policy(*args, "--format", "bicep").out
        arm = json.loads(policy(*args, "--format", "arm").out)
        read = {name: bicep_value(bicep[at:]) for name, at in
                ((m[1], m.end()) for m in re.finditer(r"^var (\w+Scale) = ", bicep, re.M))}
        equal(read, arm["variables"])
        equal(re.findall(r"@secure\(\)\nparam (\w+) string", bicep), list(arm["parameters"]))
        lacks(bicep[bicep.index("@secure"):], ",")


@case
def any_dimension_survives_each_notation():
    path = config_file(ODD_FILE)
    want = "Environment eq '" + ODD.replace("'", "''") + "'"
    args = ["--config", path, *MONITOR, "--metric", "JobQueueLength"]
    calls = run_script(policy(*args, env={}).out, SCALEBRIDGE_CLIENT_ID="i",
                       SCALEBRIDGE_CLIENT_SECRET="s")
    equal(rules_of(calls, "azure-monitor")["instant-tasks-worker"][2]["metricFilter"], want)
    scale = yaml.safe_load(policy(*args, "--format", "yaml", env={}).out)
    scale = scale["properties"]["template"]["scale"]
    equal(read_scale(scale, "azure-monitor")["metricFilter"], want)
    bicep = policy(*args, "--format", "bicep", env={}).out
    holds(bicep, "\\${HOME}")
    scale = bicep_value(bicep[bicep.index("Scale = ") + 8:])
    equal(read_scale(scale, "azure-monitor")["metricFilter"], want)


@case
def what_container_apps_cannot_do_is_refused_with_the_mend():
    for args, parts in (
            ([*API, "--metric", "JobsPerWorker"], ("is a ratio", "--metric JobQueueLength")),
            ([*MONITOR, "--metric", "CustomCodeRunnerCapacityRate"],
             ("is a ratio", "--metric CustomCodeRunnersRequired")),
            (["--rule", "azure-monitor"], ("managed identity", "--tenant")),
            (["--resource-group", "rg"], ("--url",)),
            (["--url", "http://agent.example.com"], ("https",)),
            ([*API, "--min", "0"], ("custom-code-runner",)),
            ([*API, "--max", "1001"], ("0 to 1000",)),
            ([*API, "--metric", "ScalebridgeDataAge"], ("no target",)),
            ([*API, "--format", "yaml"], ("one app a file",)),
            ([*API, "--service", "instant-tasks-worker=Worker"], ("small letters",)),
            ([*API, "--cluster", "c"], ("policy ecs",)),
            ([*API, "--format", "terraform"], ("az-cli",))):
        holds(policy(*args, status=2).err, *parts)


@case
def azure_monitor_rules_need_the_sink_and_a_resource_they_can_name():
    env = {**ENV, "SCALEBRIDGE_SINKS": "none"}
    holds(policy(*MONITOR, status=2, env=env).err, "azure_monitor is not among them")
    env = {**ENV, "SCALEBRIDGE_SINKS_AZURE_MONITOR_RESOURCE_ID": RESOURCE + "/parts/one"}
    holds(policy(*MONITOR, status=2, env=env).err, "PROVIDER/TYPE/NAME")


@case
def the_commands_of_the_guide_print_what_it_says():
    with open(os.path.join(HERE, "..", "..", "docs", "azure.md"), encoding="utf-8") as file:
        text = file.read()
    commands = re.findall(r"^    scalebridge (policy .*?) >scaling\.sh$", text, re.M)
    equal(len(commands), 2)
    for command in commands:
        out = expect(0, *command.split(), env=ENV).out
        calls = run_script(out, SCALEBRIDGE_TOKEN="t", SCALEBRIDGE_CLIENT_ID="i",
                           SCALEBRIDGE_CLIENT_SECRET="s")
        rules = rules_of(calls, "azure-monitor" if "monitor" in command else "metrics-api")
        for row in re.findall(r"^\| (\S+-\S+) \| (\w+) \| (\d+) \| (\d+) to (\d+) \|$", text, re.M):
            low, high, metadata = rules[row[0]]
            equal((metadata["targetValue"], low, high), row[2:])
            equal(metadata.get("metricName", metadata.get("url", "").rsplit("/")[-1]), row[1])


@case
def the_agent_answers_what_the_rule_asks():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    scale = yaml.safe_load(policy(*API, "--metric", "JobQueueLength", "--format", "yaml").out)
    metadata = read_scale(scale["properties"]["template"]["scale"], "metrics-api")
    path = metadata["url"].removeprefix("https://agent.example.com")
    with Membrane() as membrane:
        env = {**membrane.env(), "SCALEBRIDGE_SINKS": "none",
               "SCALEBRIDGE_SCRAPE_INTERVAL": "1s",
               "SCALEBRIDGE_LISTEN_ADDRESS": f"127.0.0.1:{port}",
               "SCALEBRIDGE_LISTEN_TOKEN": "a-token-of-some-length"}
        with Running("run", env=env):
            said = ask(f"http://127.0.0.1:{port}{path}", "a-token-of-some-length")
    value = json.loads(said)[metadata["valueLocation"]]
    equal(-(-value // float(metadata["targetValue"])), 9)  # 42 jobs


def ask(url, token):
    """Until there is a value; KEDA takes no other status than 200."""
    request = urllib.request.Request(url, headers={"Authorization": "Bearer " + token})
    end = time.monotonic() + LIMIT
    while True:
        try:
            with urllib.request.urlopen(request, timeout=3) as answer:
                return answer.read()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


main()
