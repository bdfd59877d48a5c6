#!/bin/sh
# Scaling of ECS services on what scalebridge publishes; to be run by sh, again
# after every change: each command replaces what it made before.
set -eu

# service/membrane-cluster/instant-tasks-worker
aws application-autoscaling register-scalable-target \
    --region 'eu-west-1' \
    --service-namespace 'ecs' \
    --scalable-dimension 'ecs:service:DesiredCount' \
    --resource-id 'service/membrane-cluster/instant-tasks-worker' \
    --min-capacity 2 --max-capacity 20

# InstantTasksUtilization is kept at 0.75: tasks follow in proportion, out after 30 s, in after 300 s.
aws application-autoscaling put-scaling-policy \
    --region 'eu-west-1' \
    --service-namespace 'ecs' \
    --scalable-dimension 'ecs:service:DesiredCount' \
    --resource-id 'service/membrane-cluster/instant-tasks-worker' \
    --policy-name 'InstantTasksUtilization-target-tracking' \
    --policy-type 'TargetTrackingScaling' \
    --target-tracking-scaling-policy-configuration '{
  "TargetValue": 0.75,
  "ScaleOutCooldown": 30,
  "ScaleInCooldown": 300,
  "CustomizedMetricSpecification": {
    "Namespace": "Membrane",
    "MetricName": "InstantTasksUtilization",
    "Statistic": "Average",
    "Unit": "None"
  }
}'

# Scaling is blind: scalebridge reads nothing fresh, or does not publish (add alarm actions to be told)
aws cloudwatch put-metric-alarm \
    --region 'eu-west-1' \
    --cli-input-json '{
  "AlarmName": "scalebridge-membrane-cluster-data-age",
  "AlarmDescription": "Scaling is blind: scalebridge reads nothing fresh, or does not publish (add alarm actions to be told)",
  "Namespace": "Membrane",
  "MetricName": "ScalebridgeDataAge",
  "Statistic": "Maximum",
  "Unit": "Seconds",
  "Period": 60,
  "EvaluationPeriods": 3,
  "DatapointsToAlarm": 3,
  "Threshold": 120,
  "ComparisonOperator": "GreaterThanThreshold",
  "TreatMissingData": "breaching"
}'

