# Scaling of ECS services on what scalebridge publishes.

resource "aws_appautoscaling_target" "scalebridge_worker_1" {
  service_namespace = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id = "service/membrane-cluster/worker_1"
  min_capacity = 1
  max_capacity = 7
}

# it's "50%" $(id) `id` ${HOME} %{if} \ \n $HOME ; & | < > * ? ! # ~ is kept at 2.5: tasks follow in proportion, out after 30 s, in after 300 s.
resource "aws_appautoscaling_policy" "scalebridge_worker_1_it_s_50_id_id_home_if_n_home_target_tracking" {
  name = "it's \"50%\" $(id) `id` $${HOME} %%{if} \\ \\n $HOME ; & | < > * ? ! # ~-target-tracking"
  policy_type = "TargetTrackingScaling"
  service_namespace = aws_appautoscaling_target.scalebridge_worker_1.service_namespace
  scalable_dimension = aws_appautoscaling_target.scalebridge_worker_1.scalable_dimension
  resource_id = aws_appautoscaling_target.scalebridge_worker_1.resource_id
  target_tracking_scaling_policy_configuration {
    target_value = 2.5
    scale_out_cooldown = 30
    scale_in_cooldown = 300
    customized_metric_specification {
      namespace = "it's \"50%\" $(id) `id` $${HOME} %%{if} \\ \\n $HOME ; & | < > * ? ! # ~"
      metric_name = "it's \"50%\" $(id) `id` $${HOME} %%{if} \\ \\n $HOME ; & | < > * ? ! # ~"
      statistic = "Average"
      unit = "Percent"
      dimensions {
        name = "Environment"
        value = "it's \"50%\" $(id) `id` $${HOME} %%{if} \\ \\n $HOME ; & | < > * ? ! # ~"
      }
      dimensions {
        name = "Own"
        value = "a 'b'"
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "scalebridge_data_age" {
  alarm_name = "scalebridge-membrane-cluster-data-age"
  alarm_description = "Scaling is blind: scalebridge reads nothing fresh, or does not publish (add alarm actions to be told)"
  namespace = "it's \"50%\" $(id) `id` $${HOME} %%{if} \\ \\n $HOME ; & | < > * ? ! # ~"
  metric_name = "ScalebridgeDataAge"
  dimensions = {
    "Environment" = "it's \"50%\" $(id) `id` $${HOME} %%{if} \\ \\n $HOME ; & | < > * ? ! # ~"
  }
  statistic = "Maximum"
  unit = "Seconds"
  period = 60
  evaluation_periods = 3
  datapoints_to_alarm = 3
  threshold = 120
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data = "breaching"
}
