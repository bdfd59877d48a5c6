# SPDX-License-Identifier: Apache-2.0
"""policy keda and policy cloud-run: what KEDA and CREMA read."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from lib.tap import case, equal, expect, holds, lacks, main  # noqa: E402

ENV = {"SCALEBRIDGE_API_URL": "http://api:5000", "SCALEBRIDGE_SINKS": "none"}
POOL = "projects/p/locations/us-east1/workerpools/instant"


def policy(platform, *args, status=0, url="http://127.0.0.1:9090/"):
    return expect(status, "policy", platform, "--url", url, *args, env=ENV)


@case
def crema_gets_the_absolute_number_of_one_pool():
    equal(policy("cloud-run", "--service", POOL, "--metric", "InstantTasksWorkersRequired").out,
          f"""apiVersion: crema/v1
kind: CremaConfig
spec:
  pollingInterval: 15
  scaledObjects:
    # InstantTasksWorkersRequired
    - spec:
        scaleTargetRef:
          name: {POOL}
        minReplicaCount: 2
        maxReplicaCount: 20
        triggers:
          - type: metrics-api
            metricType: AverageValue
            metadata:
              url: "http://127.0.0.1:9090/api/v1/metrics/InstantTasksWorkersRequired"
              format: json
              valueLocation: value
              targetValue: "1"
        advanced:
          horizontalPodAutoscalerConfig:
            behavior:
              scaleDown:
                stabilizationWindowSeconds: 300
""")


@case
def every_service_has_an_object_of_keda():
    out = policy("keda", "--max", "7").out
    holds(out, "kind: ScaledObject", "name: scalebridge-instant-tasks-worker",
          "name: queued-tasks-worker", "maxReplicaCount: 7", 'targetValue: "5"')
    lacks(policy("keda", "--service", "queued-tasks-worker=q").out, "instant")


@case
def a_ratio_and_a_wrong_place_are_refused_with_the_reason():
    def refused(*args, **more):
        return policy("cloud-run", *args, status=2, **more).err
    holds(refused("--service", "p", "--metric", "InstantTasksWorkersRequired"),
          "projects/P/locations/L/workerpools/NAME")
    holds(refused("--service", POOL, "--metric", "ScalebridgeDataAge"), "is no total")
    holds(refused("--service", POOL, url="nowhere"), "--url")
    holds(refused("--format", "yaml"), "is not of `policy cloud-run`")


if __name__ == "__main__":
    main()
