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

# JobsPerWorker is kept at 5: tasks follow in proportion, out after 30 s, in after 300 s.
aws application-autoscaling put-scaling-policy \
    --region 'eu-west-1' \
    --service-namespace 'ecs' \
    --scalable-dimension 'ecs:service:DesiredCount' \
    --resource-id 'service/membrane-cluster/instant-tasks-worker' \
    --policy-name 'JobsPerWorker-target-tracking' \
    --policy-type 'TargetTrackingScaling' \
    --target-tracking-scaling-policy-configuration '{
  "TargetValue": 5,
  "ScaleOutCooldown": 30,
  "ScaleInCooldown": 300,
  "CustomizedMetricSpecification": {
    "Namespace": "Membrane",
    "MetricName": "JobsPerWorker",
    "Statistic": "Average",
    "Unit": "Count"
  }
}'

# service/membrane-cluster/queued-tasks-worker
aws application-autoscaling register-scalable-target \
    --region 'eu-west-1' \
    --service-namespace 'ecs' \
    --scalable-dimension 'ecs:service:DesiredCount' \
    --resource-id 'service/membrane-cluster/queued-tasks-worker' \
    --min-capacity 2 --max-capacity 50

# QueuedTasksWorkersRequiredPercent is kept at 100: tasks follow in proportion, out after 30 s, in after 300 s.
aws application-autoscaling put-scaling-policy \
    --region 'eu-west-1' \
    --service-namespace 'ecs' \
    --scalable-dimension 'ecs:service:DesiredCount' \
    --resource-id 'service/membrane-cluster/queued-tasks-worker' \
    --policy-name 'QueuedTasksWorkersRequiredPercent-target-tracking' \
    --policy-type 'TargetTrackingScaling' \
    --target-tracking-scaling-policy-configuration '{
  "TargetValue": 100,
  "ScaleOutCooldown": 30,
  "ScaleInCooldown": 300,
  "CustomizedMetricSpecification": {
    "Namespace": "Membrane",
    "MetricName": "QueuedTasksWorkersRequiredPercent",
    "Statistic": "Average",
    "Unit": "Percent"
  }
}'

# service/membrane-cluster/custom-code-runner
aws application-autoscaling register-scalable-target \
    --region 'eu-west-1' \
    --service-namespace 'ecs' \
    --scalable-dimension 'ecs:service:DesiredCount' \
    --resource-id 'service/membrane-cluster/custom-code-runner' \
    --min-capacity 2 --max-capacity 20

# CustomCodeRunnerCapacityRate is kept at 0.45: tasks follow in proportion, out after 30 s, in after 300 s.
aws application-autoscaling put-scaling-policy \
    --region 'eu-west-1' \
    --service-namespace 'ecs' \
    --scalable-dimension 'ecs:service:DesiredCount' \
    --resource-id 'service/membrane-cluster/custom-code-runner' \
    --policy-name 'CustomCodeRunnerCapacityRate-target-tracking' \
    --policy-type 'TargetTrackingScaling' \
    --target-tracking-scaling-policy-configuration '{
  "TargetValue": 0.45,
  "ScaleOutCooldown": 30,
  "ScaleInCooldown": 300,
  "CustomizedMetricSpecification": {
    "Namespace": "Membrane",
    "MetricName": "CustomCodeRunnerCapacityRate",
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

