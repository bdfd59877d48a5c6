#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prometheus' rule files: metrics over what their recording rules write."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from fakes.membrane import API, RUNNER, Answer, Membrane, runner_page  # noqa: E402
from lib.tap import Running, case, config_file, equal, expect, holds, main  # noqa: E402

RULES = """groups:
  - name: runners
    rules:
      - record: runner:spaces:used
        expr: |
          sum by (job) (custom_code_runner_total_job_spaces)
          - sum by (job) (custom_code_runner_remaining_job_spaces)
        labels: {team: tasks}
      - alert: RunnersAreFull
        expr: runner:spaces:used > 80
        for: 5m
        annotations: {summary: 'full'}
      - record: runner:spaces:ratio
        expr: runner:spaces:used / on (job) sum by (job) (custom_code_runner_total_job_spaces)
"""
METRICS = """metrics:
  - name: MyRatio
    expr: max(runner:spaces:ratio)
    dimensions: {}
sinks: {stdout: {}}
"""
QUICK = {"SCALEBRIDGE_SCRAPE_INTERVAL": "1s", "SCALEBRIDGE_PUBLISH_INTERVAL": "1s"}


def write(config, name, text):
    path = os.path.join(os.path.dirname(config), name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def configured(rules=RULES, files="rules.yml", metrics=METRICS):
    path = config_file(f"rule_files: [{files}]\n" + metrics)
    write(path, "rules.yml", rules)
    return path


def metric(report, name):
    return next(m for m in report["metrics"] if m["name"] == name)


def dry_run(membrane, config, status=0):
    return expect(status, "--dry-run", "--output", "json", "--config", config,
                  env=membrane.env()).json()


@case
def a_metric_reads_what_the_rules_of_a_file_recorded():
    with Membrane() as membrane:
        got = metric(dry_run(membrane, configured()), "MyRatio")
    equal(got["value"], 0.6)
    equal(got["complete"], True)
    equal([i["name"] for i in got["inputs"]], ["runner:spaces:ratio"])
    equal(got["inputs"][0]["labels"], {"job": "custom-code-runner"})


@case
def completeness_follows_through_the_recorded_names():
    with Membrane() as membrane:
        membrane.runners[1].set(RUNNER, Answer("no", status=500))
        report = dry_run(membrane, configured(), status=3)
        got = metric(report, "MyRatio")
        equal(got["value"], None)
        equal(got["complete"], False)
        holds(got["reason"], "1 of 3 targets of custom-code-runner did not answer")
        membrane.runners[1].set(RUNNER, runner_page())
        membrane.api[0].set(API, Answer("no", status=500))
        equal(metric(dry_run(membrane, configured()), "MyRatio")["value"], 0.6)


@case
def a_star_in_the_name_finds_the_files_beside_the_configuration():
    path = configured("groups: []\n", "rules/*.yml")
    write(path, "rules/b.yml", "groups: [{name: b, rules: [{record: two, expr: one * 2}]}]\n")
    write(path, "rules/a.yml", "groups: [{name: a, rules: [{record: one, expr: vector(21)}]}]\n")
    write(path, "mine.yml", "")
    with open(path, "a", encoding="utf-8") as f:
        f.write("scrape: {interval: 15s}\n")
    with open(path, encoding="utf-8") as f:
        text = f.read().replace("max(runner:spaces:ratio)", "two")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    with Membrane() as membrane:
        equal(metric(dry_run(membrane, path), "MyRatio")["value"], 42)


@case
def check_config_tells_the_files_and_the_alerts_it_passes_over():
    with Membrane() as membrane:
        result = expect(0, "check-config", configured(), env=membrane.env())
    holds(result.out, "recording rules\n", "rules.yml", "2 in 1 group",
          "1 alerting rule is passed over")


@case
def a_fault_in_a_rule_file_has_its_place_there():
    with Membrane() as membrane:
        result = expect(2, "check-config", configured(
            RULES.replace("expr: runner:spaces:used >", "expression: runner:spaces:used >")
            .replace("team: tasks", "__name__: x").replace("used / on", "used / / on")),
            env=membrane.env())
    holds(result.err, "rules.yml:8:", "rules.yml:10:9: groups[0].rules[1].expression: unknown key",
          "groups[0].rules[2].expr: 1:", "^")


@case
def a_file_that_is_not_there_is_a_fault_and_a_pattern_without_one_a_warning():
    with Membrane() as membrane:
        result = expect(2, "check-config", configured(files="rulez.yml"), env=membrane.env())
        holds(result.err, "scalebridge.yml:1:14: rule_files[0]: ", "rulez.yml: cannot be opened")
        result = expect(0, "check-config", configured(files="nothing*.yml", metrics=METRICS.replace(
            "max(runner:spaces:ratio)", "1")), env=membrane.env())
        holds(result.err, "rule_files[0]: no file matches ", "nothing*.yml")
        result = expect(2, "check-config", configured(files="'*/rules.yml'"), env=membrane.env())
        holds(result.err, "has a * in the name of a folder")


@case
def a_rule_that_fails_is_told_and_its_metric_has_no_value():
    rules = RULES.replace("name: runners", "name: runners\n    limit: 1").replace(
        "- sum by (job) (custom_code_runner_remaining_job_spaces)",
        "or custom_code_runner_total_job_spaces")
    with Membrane() as membrane:
        report = dry_run(membrane, configured(rules, metrics=METRICS.replace(":ratio)", ":used)")), status=3)
    holds(" ".join(report["notes"]),
          "recording rule runner:spaces:used fails: exceeded limit of 1 with 4 series")
    holds(metric(report, "MyRatio")["reason"],
          "runner:spaces:used as recorded: the rule fails: exceeded limit")


@case
def the_daemon_records_before_each_evaluation_and_tells_a_failure_once():
    rules = RULES + "  - name: bad\n    rules: [{record: bad, expr: up * on () group_left () up}]\n"
    with Membrane() as membrane:
        with Running("--config", configured(rules), env={**membrane.env(), **QUICK}) as agent:
            line = agent.await_log("alerting_rules_passed_over")
            holds(line, "rules.yml", "group=runners", "rules=1")
            agent.await_log("recording_failed", "record=bad", "group=bad", "found duplicate series")
            membrane.runners[0].await_requests(5)
            equal(agent.stop(), 0)
            log, out = agent.log(), "\n".join(l for l in agent.out if l)
    equal(log.count("recording_failed"), 1, log)
    holds(out, "MyRatio")


@case
def once_publishes_a_metric_over_a_recorded_series():
    with Membrane() as membrane:
        result = expect(0, "run", "--once", "--config", configured(), env=membrane.env())
    holds(result.out, "MyRatio")


main()
