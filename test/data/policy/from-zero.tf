# Scaling of ECS services on what scalebridge publishes.

resource "aws_appautoscaling_target" "scalebridge_instant_tasks_worker" {
  service_namespace = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id = "service/membrane-cluster/instant-tasks-worker"
  min_capacity = 0
  max_capacity = 9
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

# From 0 to 1: target tracking multiplies what runs, and 0 stays 0. The step is called while JobQueueLength >= 1 and none or one runs; the agent itself must run elsewhere than in this service.
resource "aws_appautoscaling_policy" "scalebridge_instant_tasks_worker_from_zero" {
  name = "from-zero"
  policy_type = "StepScaling"
  service_namespace = aws_appautoscaling_target.scalebridge_instant_tasks_worker.service_namespace
  scalable_dimension = aws_appautoscaling_target.scalebridge_instant_tasks_worker.scalable_dimension
  resource_id = aws_appautoscaling_target.scalebridge_instant_tasks_worker.resource_id
  step_scaling_policy_configuration {
    adjustment_type = "ChangeInCapacity"
    cooldown = 300
    metric_aggregation_type = "Average"
    step_adjustment {
      metric_interval_lower_bound = 0
      scaling_adjustment = 1
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "scalebridge_instant_tasks_worker_from_zero" {
  alarm_name = "scalebridge-membrane-cluster-instant-tasks-worker-from-zero"
  alarm_description = "JobQueueLength >= 1 and no worker to take it"
  alarm_actions = [aws_appautoscaling_policy.scalebridge_instant_tasks_worker_from_zero.arn]
  metric_query {
    id = "jobs"
    metric {
      namespace = "Membrane"
      metric_name = "JobQueueLength"
      period = 60
      stat = "Average"
      unit = "Count"
    }
  }
  metric_query {
    id = "ratio"
    metric {
      namespace = "Membrane"
      metric_name = "JobsPerWorker"
      period = 60
      stat = "Average"
      unit = "Count"
    }
  }
  metric_query {
    id = "wanted"
    expression = "IF(ratio > 0.75 * jobs, jobs, 0)"
    return_data = true
  }
  evaluation_periods = 1
  datapoints_to_alarm = 1
  threshold = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  treat_missing_data = "notBreaching"
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
