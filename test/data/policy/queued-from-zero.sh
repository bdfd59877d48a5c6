#!/bin/sh
# Scaling of ECS services on what scalebridge publishes; to be run by sh, again
# after every change: each command replaces what it made before.
set -eu

# service/membrane-cluster/q-workers
aws application-autoscaling register-scalable-target \
    --region 'eu-west-1' \
    --service-namespace 'ecs' \
    --scalable-dimension 'ecs:service:DesiredCount' \
    --resource-id 'service/membrane-cluster/q-workers' \
    --min-capacity 0 --max-capacity 50

# QueuedTasksWorkersRequiredPercent is kept at 100: tasks follow in proportion, out after 30 s, in after 300 s.
aws application-autoscaling put-scaling-policy \
    --region 'eu-west-1' \
    --service-namespace 'ecs' \
    --scalable-dimension 'ecs:service:DesiredCount' \
    --resource-id 'service/membrane-cluster/q-workers' \
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

# From 0 to 1: target tracking multiplies what runs, and 0 stays 0. The step is called while QueuedTasksWorkersRequired >= 1 and none or one runs; the agent itself must run elsewhere than in this service.
policy=$(aws application-autoscaling put-scaling-policy \
    --region 'eu-west-1' \
    --service-namespace 'ecs' \
    --scalable-dimension 'ecs:service:DesiredCount' \
    --resource-id 'service/membrane-cluster/q-workers' \
    --policy-name 'from-zero' \
    --policy-type 'StepScaling' \
    --step-scaling-policy-configuration '{
  "AdjustmentType": "ChangeInCapacity",
  "StepAdjustments": [
    {
      "MetricIntervalLowerBound": 0,
      "ScalingAdjustment": 1
    }
  ],
  "Cooldown": 300,
  "MetricAggregationType": "Average"
}' \
    --query PolicyARN --output text)
aws cloudwatch put-metric-alarm \
    --region 'eu-west-1' \
    --alarm-actions "$policy" \
    --cli-input-json '{
  "AlarmName": "scalebridge-membrane-cluster-q-workers-from-zero",
  "AlarmDescription": "QueuedTasksWorkersRequired >= 1 and no worker to take it",
  "Metrics": [
    {
      "Id": "jobs",
      "MetricStat": {
        "Metric": {
          "Namespace": "Membrane",
          "MetricName": "QueuedTasksWorkersRequired"
        },
        "Period": 60,
        "Stat": "Average",
        "Unit": "Count"
      },
      "ReturnData": false
    },
    {
      "Id": "ratio",
      "MetricStat": {
        "Metric": {
          "Namespace": "Membrane",
          "MetricName": "QueuedTasksWorkersRequiredPercent"
        },
        "Period": 60,
        "Stat": "Average",
        "Unit": "Percent"
      },
      "ReturnData": false
    },
    {
      "Id": "wanted",
      "Expression": "IF(ratio > 75 * jobs, jobs, 0)",
      "ReturnData": true
    }
  ],
  "EvaluationPeriods": 1,
  "DatapointsToAlarm": 1,
  "Threshold": 1,
  "ComparisonOperator": "GreaterThanOrEqualToThreshold",
  "TreatMissingData": "notBreaching"
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

