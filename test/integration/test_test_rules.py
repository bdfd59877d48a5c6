#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`scalebridge test-rules`: what it prints, its exit status, and metric_test.
How it compares with promtool is in test/conformance/test_rules_diff.py."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib.tap import case, config_file, equal, expect, holds, lacks, main  # noqa: E402

RULES = """groups:
  - name: runners
    interval: 1m
    rules:
      - record: runner:used
        expr: sum(custom_code_runner_total_job_spaces) - sum(custom_code_runner_remaining_job_spaces)
"""
CONFIG = """scrape:
  jobs:
    - {name: api, targets: [http://api:5000]}
    - {name: custom-code-runner, targets: [http://runner:5000]}
    - {name: queued-tasks-worker, targets: [http://worker:5000]}
capacity:
  instant-tasks-worker: {fixed: 6}
  others: {up: queued-tasks-worker}
rule_files: [rules.yml]
metrics:
  - name: Used
    expr: runner:used
    missing: {hold: 2m}
  - name: PerQueue
    expr: sum by (queue) (waiting)
    dimensions: {Queue: queue}
  - name: Others
    expr: scalebridge_running_workers{service="others"}
sinks: {stdout: {}}
"""
API = """      - {series: 'instant_tasks_jobs_active{job="api", instance="a"}', values: 17x40}
      - {series: 'instant_tasks_jobs_waiting{job="api", instance="a"}', values: 25+1x40}
"""
RUNNERS = """      - {series: 'custom_code_runner_total_job_spaces{job="custom-code-runner", instance="a"}', values: 10x40}
      - {series: 'custom_code_runner_total_job_spaces{job="custom-code-runner", instance="b"}', values: 10x40}
      - {series: 'custom_code_runner_remaining_job_spaces{job="custom-code-runner", instance="a"}', values: 4x40}
      - {series: 'custom_code_runner_remaining_job_spaces{job="custom-code-runner", instance="b"}', values: 7x40}
"""
DOWN = """      - {series: 'up{job="custom-code-runner", instance="b"}', values: 1x11 0x40}
"""


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def case_of(series, tests, config=CONFIG):
    """A configuration, its rules, and a test of metrics every 15 s."""
    path = config_file(config)
    folder = os.path.dirname(path)
    write(folder, "rules.yml", RULES)
    test = write(folder, "t.yml", "evaluation_interval: 15s\ntests:\n  - interval: 15s\n    input_series:\n"
                 + series + "    metric_test:\n" + "".join(f"      - {t}\n" for t in tests))
    return test, "--config", path


def files(text, name="t.yml", rules=RULES):
    folder = os.path.dirname(config_file(""))
    write(folder, "rules.yml", rules)
    return write(folder, name, text)


@case
def built_in_and_own_metrics_have_the_values_that_the_agent_would_publish():
    result = expect(0, "test-rules", *case_of(API + RUNNERS, [
        "{metric: JobsPerWorker, eval_time: 0, value: 7}",
        "{metric: JobQueueLength, eval_time: 1m, value: 46}",
        "{metric: InstantTasksWorkersRequired, eval_time: 70s, value: 10}",
        "{metric: CustomCodeRunnerCapacityRate, eval_time: 1m, value: 0.45}",
        "{metric: Used, eval_time: 5m, value: 9}",
        "{metric: Others, eval_time: 1m, value: 1}",
    ]))
    holds(result.out, "Unit Testing:  ", "t.yml", "  SUCCESS")


@case
def a_target_that_is_down_is_held_and_then_missing_through_a_recorded_name():
    reason = "1 of 2 targets of custom-code-runner"
    expect(0, "test-rules", *case_of(API + RUNNERS + DOWN, [
        "{metric: Used, eval_time: 2m45s, value: 9}",
        "{metric: Used, eval_time: 4m45s, value: 9}",  # held
        f"{{metric: Used, eval_time: 5m, missing: true, reason: {reason}}}",
        f"{{metric: CustomCodeRunnerSpacesUsed, eval_time: 5m, missing: true, reason: {reason}}}",
        "{metric: JobsPerWorker, eval_time: 5m, value: 10.333333333}",
    ]))


@case
def what_differs_is_told_as_expected_and_got():
    result = expect(1, "test-rules", *case_of(API + RUNNERS + DOWN, [
        "{metric: JobsPerWorker, eval_time: 0, value: 8}",
        "{metric: JobsPerWorker, eval_time: 0, missing: true, reason: why}",
        "{metric: Used, eval_time: 10m, value: 9}",
        "{metric: JobsPerWroker, eval_time: 10m, value: 9}",
    ]))
    holds(result.err, "  FAILED:\n    metric: JobsPerWorker, time: 0s,\n        exp: 8\n        got: 7\n",
          "        exp: missing: why\n        got: {} 7\n",
          "    metric: Used, time: 10m,\n        exp: 9\n        got: missing: 1 of 2 targets of",
          "metric: JobsPerWroker, time: 10m, err: the configuration has no such metric")
    lacks(result.out, "SUCCESS")


@case
def several_rows_are_told_apart_by_their_labels():
    queues = ("      - {series: 'waiting{queue=\"a\", job=\"api\", instance=\"a\"}', values: 3x40}\n"
              "      - {series: 'waiting{queue=\"b\", job=\"api\", instance=\"a\"}', values: 4x40}\n")
    good = "exp_samples: [{labels: '{queue=\"b\"}', value: 4}, {labels: '{queue=\"a\"}', value: 3}]"
    expect(0, "test-rules", *case_of(queues, [f"{{metric: PerQueue, eval_time: 1m, {good}}}"]))
    result = expect(1, "test-rules", *case_of(queues, ["{metric: PerQueue, eval_time: 1m, value: 7}"]))
    holds(result.err, 'got: {queue="a"} 3, {queue="b"} 4')


@case
def a_job_without_series_answers_and_one_without_samples_does_not():
    late = API.replace("values: ", "values: _x8 ")
    expect(0, "test-rules", *case_of(late, [
        "{metric: JobQueueLength, eval_time: 1m, missing: true, reason: not scraped yet}",
        "{metric: JobQueueLength, eval_time: 2m, value: 42}",
        "{metric: CustomCodeRunnerSpacesUsed, eval_time: 2m, missing: true, reason: shows no custom_code_runner}",
    ]))


@case
def groups_keep_their_interval_in_a_metric_test():
    rising = RUNNERS.replace("4x40", "4-1x3 0x40")
    expect(0, "test-rules", *case_of(rising, [
        "{metric: Used, eval_time: 45s, value: 9}",
        "{metric: Used, eval_time: 60s, value: 13}",
    ]))


@case
def recorded_series_and_metrics_may_be_tested_in_one_file():
    path, *config = case_of(API + RUNNERS, ["{metric: Used, eval_time: 1m, value: 9}"])
    with open(path, "a", encoding="utf-8") as f:
        f.write("    promql_expr_test:\n"
                "      - {expr: runner:used, eval_time: 1m, exp_samples: [{labels: runner:used, value: 9}]}\n")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    write(os.path.dirname(path), "t.yml", "rule_files: [rules.yml]\n" + text)
    expect(0, "test-rules", path, *config)


@case
def several_files_are_run_and_the_worst_status_counts():
    good = files("tests: [{interval: 1m, promql_expr_test: [{expr: '1', eval_time: 0, exp_samples: [{value: 1}]}]}]\n")
    bad = files("tests: [{name: one, interval: 1m, promql_expr_test: [{expr: 'vector(2)', eval_time: 90s, "
                "exp_samples: [{labels: 'a{b=\"c\"}', value: 1}]}]}]\n")
    unusable = files("test: []\n")
    expect(0, "test-rules", good, good)
    result = expect(1, "test-rules", good, bad, good)
    equal(result.out.count("SUCCESS"), 2)
    holds(result.err, '  FAILED:\n    name: one,\n    expr: "vector(2)", time: 1m30s,\n'
          '        exp: a{b="c"} 1\n        got: {} 2\n')
    result = expect(2, "test-rules", unusable, bad, good)
    holds(result.err, 't.yml:1:1: test: unknown key; did you mean "tests"?', "UNUSABLE", "FAILED")
    equal(result.out.count("SUCCESS"), 1)


@case
def nan_and_the_neighbours_of_a_number_can_be_expected():
    text = ("tests: [{interval: 1m, promql_expr_test: [{expr: 'vector(NaN)', eval_time: 0, exp_samples: "
            "[{value: .nan}]}, {expr: 'vector(0.1) + 0.2', eval_time: 0, exp_samples: [{value: 0.3}]}]}]\n")
    result = expect(1, "test-rules", files(text))
    holds(result.err, "got: {} 0.30000000000000004")
    equal(result.err.count("expr:"), 1)
    expect(0, "test-rules", files("fuzzy_compare: true\n" + text))


@case
def a_test_may_begin_at_a_time_of_its_own():
    for start, seconds in (("2025-11-24T17:00:00Z", 1764003660), ("1700000000", 1700000060)):
        expect(0, "test-rules", files(
            f"tests: [{{interval: 1m, start_timestamp: {start}, input_series: [{{series: a, values: 1 2 3}}], "
            f"promql_expr_test: [{{expr: time(), eval_time: 1m, exp_samples: [{{value: {seconds}}}]}}, "
            "{expr: a, eval_time: 2m, exp_samples: [{labels: a, value: 3}]}]}]\n"))


@case
def alerts_are_passed_over_with_a_notice():
    result = expect(0, "test-rules", files(
        "rule_files: [rules.yml]\ntests: [{interval: 1m, alert_rule_test: [{eval_time: 1m, alertname: A, "
        "exp_alerts: [{exp_labels: {a: b}, exp_annotations: {c: d}}]}]}]\n",
        rules=RULES + "      - {alert: A, expr: up, for: 1m}\n"))
    holds(result.err, "NOTE: 2 alerting rules or alert_rule_test passed over")


@case
def a_metric_test_must_say_what_it_wants():
    for test, part in (("{metric: A, eval_time: 1m}", "must say one of value, exp_samples and missing"),
                       ("{metric: A, value: 1, missing: true}", "must say one of"),
                       ("{metric: A, value: x}", "is no number that could be published"),
                       ("{metric: A, value: 1, reason: b}", "goes with missing: true"),
                       ("{value: 1}", "metric: must be written")):
        result = expect(2, "test-rules", *case_of(API, [test]))
        holds(result.err, "t.yml:", part)


@case
def a_bad_configuration_is_told_as_run_would():
    result = expect(2, "test-rules", *case_of(API, ["{metric: Used, value: 1}"],
                                              CONFIG.replace("expr: runner:used", "expr: sum(")))
    holds(result.err, "scalebridge.yml:", 'metric "Used": 1:5: parse error')
    result = expect(2, "test-rules", case_of(API, ["{metric: Used, value: 1}"])[0])
    holds(result.err, "nothing is scraped")


@case
def without_a_file_it_is_wrong_usage():
    holds(expect(2, "test-rules").err, "an argument is missing", "FILE...")
    result = expect(2, "test-rules", "/nonexistent/t.yml")
    holds(result.err, "/nonexistent/t.yml: cannot be opened")
    result = expect(2, "test-rules", files("rule_files: [none.yml, no*.yml]\ntests: []\n").replace("t.yml", "x.yml"))
    holds(result.err, "x.yml: cannot be opened")


main()
