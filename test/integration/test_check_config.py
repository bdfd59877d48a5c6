# SPDX-License-Identifier: Apache-2.0
"""check-config and help config: all faults at once, or what will be done."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib.tap import case, config_file, equal, expect, holds, lacks, main  # noqa: E402

GOOD = """
scrape:
  jobs:
    - name: api
      targets: ["http://${HOST:-api}:5000"]
sinks:
  cloudwatch: {region: eu-west-1}
"""


@case
def a_good_file_is_told_in_short_and_is_well():
    path = config_file(GOOD)
    result = expect(0, "check-config", path)
    holds(result.out, "ok: 1 job, ", "http://api:5000", "JobQueueLength",
          "off: no job custom-code-runner is configured", "cloudwatch")
    equal(result.err, "")


@case
def all_faults_are_told_at_once_each_with_its_place():
    text = "scrape:\n  intervall: 15s\n  timeout: soon\npublish: {interval: 1}\n"
    path = config_file(text)
    result = expect(2, "check-config", path, env={"SCALEBRIDGE_LOG_LEVEL": "loud"})
    equal(result.out, "")
    holds(result.err,
          f'{path}:2:3: scrape.intervall: unknown key; did you mean "interval"?\n',
          f'{path}:3:12: scrape.timeout: "soon" is not a duration like 15s or 5m\n',
          f'{path}:4:21: publish.interval: "1" has no unit; write a duration like 15s or 5m\n',
          'env SCALEBRIDGE_LOG_LEVEL: log.level: "loud" is not one of debug, info')


@case
def run_refuses_the_same_file_with_the_same_words():
    path = config_file("scrap: {}\n")
    checked = expect(2, "check-config", path)
    equal(expect(2, "run", "--config", path).err, checked.err)
    equal(expect(2, "--dry-run", "--config", path).err, checked.err)


@case
def a_file_that_is_not_there_is_wrong_usage():
    holds(expect(2, "check-config", "/nowhere.yml").err, "/nowhere.yml", "No such file")


@case
def the_whole_text_may_come_in_a_variable():
    env = {"SCALEBRIDGE_CONFIG_CONTENT": GOOD, "HOST": "membrane"}
    holds(expect(0, "check-config", env=env).out, "http://membrane:5000")


@case
def show_prints_what_is_in_force_with_its_origin_and_no_secret():
    secret = config_file("hunter2\n")
    path = config_file(GOOD)
    env = {"SCALEBRIDGE_SCRAPE_INTERVAL": "20s",
           "SCALEBRIDGE_SINKS_CLOUDWATCH_CA_FILE": "${file:%s}" % secret}
    result = expect(0, "check-config", "--show", path, env=env)
    holds(result.out, "interval: 20s  # env SCALEBRIDGE_SCRAPE_INTERVAL",
          f'region: "eu-west-1"  # {path}:7', 'ca_file: "***"')
    lacks(result.out + result.err, "hunter2")
    path = config_file(result.out.replace('"***"', '""'))
    expect(0, "check-config", path)


@case
def variables_of_a_kubernetes_service_of_that_name_are_no_faults():
    env = {"SCALEBRIDGE_PORT": "tcp://10.0.0.1:9090",
           "SCALEBRIDGE_SERVICE_HOST": "10.0.0.1",
           "SCALEBRIDGE_SERVICE_PORT": "9090",
           "SCALEBRIDGE_PORT_9090_TCP_PROTO": "tcp"}
    path = config_file(GOOD)
    equal(expect(0, "check-config", path, env=env).err, "")
    env = {"SCALEBRIDGE_SINK": "cloudwatch"}
    holds(expect(2, "check-config", path, env=env).err, "did you mean SCALEBRIDGE_SINKS?")


@case
def help_config_lists_options_with_their_variables():
    out = expect(0, "help", "config").out
    holds(out, "scrape.interval\n    duration, 1s to 1h; default 15s\n"
               "    SCALEBRIDGE_SCRAPE_INTERVAL\n",
          "SCALEBRIDGE_SINKS_CLOUDWATCH_NAMESPACE", "capacity.NAME.fixed")


if __name__ == "__main__":
    main()
