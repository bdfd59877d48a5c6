# Scaling of ECS services on what scalebridge publishes.

resource "aws_appautoscaling_target" "scalebridge_instant_tasks_worker" {
  service_namespace = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id = "service/membrane-cluster/instant-tasks-worker"
  min_capacity = 2
  max_capacity = 20
}

# InstantTasksUtilization is kept at 0.75: tasks follow in proportion, out after 30 s, in after 300 s.
resource "aws_appautoscaling_policy" "scalebridge_instant_tasks_worker_instant_tasks_utilization_target_tracking" {
  name = "InstantTasksUtilization-target-tracking"
  policy_type = "TargetTrackingScaling"
  service_namespace = aws_appautoscaling_target.scalebridge_instant_tasks_worker.service_namespace
  scalable_dimension = aws_appautoscaling_target.scalebridge_instant_tasks_worker.scalable_dimension
  resource_id = aws_appautoscaling_target.scalebridge_instant_tasks_worker.resource_id
  target_tracking_scaling_policy_configuration {
    target_value = 0.75
    scale_out_cooldown = 30
    scale_in_cooldown = 300
    customized_metric_specification {
      namespace = "Membrane"
      metric_name = "InstantTasksUtilization"
      statistic = "Average"
      unit = "None"
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "scalebridge_data_age" {
  alarm_name = "scalebridge-membrane-cluster-data-age"
  alarm_description = "Scaling is blind: scalebridge reads nothing fresh, or does not publish (add alarm actions to be told)"
  namespace = "Membrane"
  metric_name = "ScalebridgeDataAge"
  statistic = "Maximum"
  unit = "Seconds"
  period = 60
  evaluation_periods = 3
  datapoints_to_alarm = 3
  threshold = 120
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data = "breaching"
}
