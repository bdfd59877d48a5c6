#!/bin/sh
# Scaling of ECS services on what scalebridge publishes; to be run by sh, again
# after every change: each command replaces what it made before.
set -eu

# service/membrane-cluster/worker_1
aws application-autoscaling register-scalable-target \
    --region 'eu-west-1' \
    --service-namespace 'ecs' \
    --scalable-dimension 'ecs:service:DesiredCount' \
    --resource-id 'service/membrane-cluster/worker_1' \
    --min-capacity 1 --max-capacity 7

# it's "50%" $(id) `id` ${HOME} %{if} \ \n $HOME ; & | < > * ? ! # ~ is kept at 2.5: tasks follow in proportion, out after 30 s, in after 300 s.
aws application-autoscaling put-scaling-policy \
    --region 'eu-west-1' \
    --service-namespace 'ecs' \
    --scalable-dimension 'ecs:service:DesiredCount' \
    --resource-id 'service/membrane-cluster/worker_1' \
    --policy-name 'it'\''s "50%" $(id) `id` ${HOME} %{if} \ \n $HOME ; & | < > * ? ! # ~-target-tracking' \
    --policy-type 'TargetTrackingScaling' \
    --target-tracking-scaling-policy-configuration '{
  "TargetValue": 2.5,
  "ScaleOutCooldown": 30,
  "ScaleInCooldown": 300,
  "CustomizedMetricSpecification": {
    "Namespace": "it'\''s \"50%\" $(id) `id` ${HOME} %{if} \\ \\n $HOME ; & | < > * ? ! # ~",
    "MetricName": "it'\''s \"50%\" $(id) `id` ${HOME} %{if} \\ \\n $HOME ; & | < > * ? ! # ~",
    "Dimensions": [
      {
        "Name": "Environment",
        "Value": "it'\''s \"50%\" $(id) `id` ${HOME} %{if} \\ \\n $HOME ; & | < > * ? ! # ~"
      },
      {
        "Name": "Own",
        "Value": "a '\''b'\''"
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
  "Namespace": "it'\''s \"50%\" $(id) `id` ${HOME} %{if} \\ \\n $HOME ; & | < > * ? ! # ~",
  "MetricName": "ScalebridgeDataAge",
  "Dimensions": [
    {
      "Name": "Environment",
      "Value": "it'\''s \"50%\" $(id) `id` ${HOME} %{if} \\ \\n $HOME ; & | < > * ? ! # ~"
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

