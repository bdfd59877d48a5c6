# Scaling of ECS services on what scalebridge publishes.

resource "aws_appautoscaling_target" "scalebridge_instant_tasks_worker" {
  service_namespace = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id = "service/membrane-cluster/instant-tasks-worker"
  min_capacity = 2
  max_capacity = 20
}

# JobsPerWorker is kept at 5: tasks follow in proportion, out after 30 s, in after 300 s.
resource "aws_appautoscaling_policy" "scalebridge_instant_tasks_worker_jobs_per_worker_target_tracking" {
  name = "JobsPerWorker-target-tracking"
  policy_type = "TargetTrackingScaling"
  service_namespace = aws_appautoscaling_target.scalebridge_instant_tasks_worker.service_namespace
  scalable_dimension = aws_appautoscaling_target.scalebridge_instant_tasks_worker.scalable_dimension
  resource_id = aws_appautoscaling_target.scalebridge_instant_tasks_worker.resource_id
  target_tracking_scaling_policy_configuration {
    target_value = 5
    scale_out_cooldown = 30
    scale_in_cooldown = 300
    customized_metric_specification {
      namespace = "Membrane"
      metric_name = "JobsPerWorker"
      statistic = "Average"
      unit = "Count"
    }
  }
}

resource "aws_appautoscaling_target" "scalebridge_queued_tasks_worker" {
  service_namespace = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id = "service/membrane-cluster/queued-tasks-worker"
  min_capacity = 2
  max_capacity = 50
}

# QueuedTasksWorkersRequiredPercent is kept at 100: tasks follow in proportion, out after 30 s, in after 300 s.
resource "aws_appautoscaling_policy" "scalebridge_queued_tasks_worker_queued_tasks_workers_required_percent_target_tracking" {
  name = "QueuedTasksWorkersRequiredPercent-target-tracking"
  policy_type = "TargetTrackingScaling"
  service_namespace = aws_appautoscaling_target.scalebridge_queued_tasks_worker.service_namespace
  scalable_dimension = aws_appautoscaling_target.scalebridge_queued_tasks_worker.scalable_dimension
  resource_id = aws_appautoscaling_target.scalebridge_queued_tasks_worker.resource_id
  target_tracking_scaling_policy_configuration {
    target_value = 100
    scale_out_cooldown = 30
    scale_in_cooldown = 300
    customized_metric_specification {
      namespace = "Membrane"
      metric_name = "QueuedTasksWorkersRequiredPercent"
      statistic = "Average"
      unit = "Percent"
    }
  }
}

resource "aws_appautoscaling_target" "scalebridge_custom_code_runner" {
  service_namespace = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id = "service/membrane-cluster/custom-code-runner"
  min_capacity = 2
  max_capacity = 20
}

# CustomCodeRunnerCapacityRate is kept at 0.45: tasks follow in proportion, out after 30 s, in after 300 s.
resource "aws_appautoscaling_policy" "scalebridge_custom_code_runner_custom_code_runner_capacity_rate_target_tracking" {
  name = "CustomCodeRunnerCapacityRate-target-tracking"
  policy_type = "TargetTrackingScaling"
  service_namespace = aws_appautoscaling_target.scalebridge_custom_code_runner.service_namespace
  scalable_dimension = aws_appautoscaling_target.scalebridge_custom_code_runner.scalable_dimension
  resource_id = aws_appautoscaling_target.scalebridge_custom_code_runner.resource_id
  target_tracking_scaling_policy_configuration {
    target_value = 0.45
    scale_out_cooldown = 30
    scale_in_cooldown = 300
    customized_metric_specification {
      namespace = "Membrane"
      metric_name = "CustomCodeRunnerCapacityRate"
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
