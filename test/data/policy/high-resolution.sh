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
    "Namespace": "Membrane/Scaling",
    "MetricName": "JobsPerWorker",
    "Dimensions": [
      {
        "Name": "Stage",
        "Value": "prod"
      }
    ],
    "Statistic": "Average",
    "Unit": "Count"
  }
}'

# The sub-minute way: target tracking reads 60 s periods of a customized metric, three in a row, and has no setting for that; an own alarm on periods of seconds can call a step scaling policy. Target tracking stays for scaling in; the larger of both counts.
policy=$(aws application-autoscaling put-scaling-policy \
    --region 'eu-west-1' \
    --service-namespace 'ecs' \
    --scalable-dimension 'ecs:service:DesiredCount' \
    --resource-id 'service/membrane-cluster/instant-tasks-worker' \
    --policy-name 'JobsPerWorker-high-resolution' \
    --policy-type 'StepScaling' \
    --step-scaling-policy-configuration '{
  "AdjustmentType": "PercentChangeInCapacity",
  "StepAdjustments": [
    {
      "MetricIntervalLowerBound": 0,
      "MetricIntervalUpperBound": 1.25,
      "ScalingAdjustment": 25
    },
    {
      "MetricIntervalLowerBound": 1.25,
      "MetricIntervalUpperBound": 2.5,
      "ScalingAdjustment": 50
    },
    {
      "MetricIntervalLowerBound": 2.5,
      "MetricIntervalUpperBound": 5,
      "ScalingAdjustment": 100
    },
    {
      "MetricIntervalLowerBound": 5,
      "MetricIntervalUpperBound": 10,
      "ScalingAdjustment": 200
    },
    {
      "MetricIntervalLowerBound": 10,
      "ScalingAdjustment": 300
    }
  ],
  "MinAdjustmentMagnitude": 1,
  "Cooldown": 30,
  "MetricAggregationType": "Average"
}' \
    --query PolicyARN --output text)
aws cloudwatch put-metric-alarm \
    --region 'eu-west-1' \
    --alarm-actions "$policy" \
    --cli-input-json '{
  "AlarmName": "scalebridge-membrane-cluster-instant-tasks-worker-JobsPerWorker-high-resolution",
  "AlarmDescription": "JobsPerWorker is above its target of 5",
  "Namespace": "Membrane/Scaling",
  "MetricName": "JobsPerWorker",
  "Dimensions": [
    {
      "Name": "Stage",
      "Value": "prod"
    }
  ],
  "Statistic": "Average",
  "Unit": "Count",
  "Period": 10,
  "EvaluationPeriods": 3,
  "DatapointsToAlarm": 3,
  "Threshold": 5,
  "ComparisonOperator": "GreaterThanThreshold",
  "TreatMissingData": "notBreaching"
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
    "Namespace": "Membrane/Scaling",
    "MetricName": "QueuedTasksWorkersRequiredPercent",
    "Dimensions": [
      {
        "Name": "Stage",
        "Value": "prod"
      }
    ],
    "Statistic": "Average",
    "Unit": "Percent"
  }
}'

# Scaling is blind: scalebridge reads nothing fresh, or does not publish (add alarm actions to be told)
aws cloudwatch put-metric-alarm \
    --region 'eu-west-1' \
    --cli-input-json '{
  "AlarmName": "scalebridge-membrane-cluster-data-age",
  "AlarmDescription": "Scaling is blind: scalebridge reads nothing fresh, or does not publish (add alarm actions to be told)",
  "Namespace": "Membrane/Scaling",
  "MetricName": "ScalebridgeDataAge",
  "Dimensions": [
    {
      "Name": "Stage",
      "Value": "prod"
    }
  ],
  "Statistic": "Maximum",
  "Unit": "Seconds",
  "Period": 60,
  "EvaluationPeriods": 3,
  "DatapointsToAlarm": 3,
  "Threshold": 120,
  "ComparisonOperator": "GreaterThanThreshold",
  "TreatMissingData": "breaching"
}'

