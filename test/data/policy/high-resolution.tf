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
      namespace = "Membrane/Scaling"
      metric_name = "JobsPerWorker"
      statistic = "Average"
      unit = "Count"
      dimensions {
        name = "Stage"
        value = "prod"
      }
    }
  }
}

# The sub-minute way: target tracking reads 60 s periods of a customized metric, three in a row, and has no setting for that; an own alarm on periods of seconds can call a step scaling policy. Target tracking stays for scaling in; the larger of both counts.
resource "aws_appautoscaling_policy" "scalebridge_instant_tasks_worker_jobs_per_worker_high_resolution" {
  name = "JobsPerWorker-high-resolution"
  policy_type = "StepScaling"
  service_namespace = aws_appautoscaling_target.scalebridge_instant_tasks_worker.service_namespace
  scalable_dimension = aws_appautoscaling_target.scalebridge_instant_tasks_worker.scalable_dimension
  resource_id = aws_appautoscaling_target.scalebridge_instant_tasks_worker.resource_id
  step_scaling_policy_configuration {
    adjustment_type = "PercentChangeInCapacity"
    cooldown = 30
    metric_aggregation_type = "Average"
    min_adjustment_magnitude = 1
    step_adjustment {
      metric_interval_lower_bound = 0
      metric_interval_upper_bound = 1.25
      scaling_adjustment = 25
    }
    step_adjustment {
      metric_interval_lower_bound = 1.25
      metric_interval_upper_bound = 2.5
      scaling_adjustment = 50
    }
    step_adjustment {
      metric_interval_lower_bound = 2.5
      metric_interval_upper_bound = 5
      scaling_adjustment = 100
    }
    step_adjustment {
      metric_interval_lower_bound = 5
      metric_interval_upper_bound = 10
      scaling_adjustment = 200
    }
    step_adjustment {
      metric_interval_lower_bound = 10
      scaling_adjustment = 300
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "scalebridge_instant_tasks_worker_jobs_per_worker_high_resolution" {
  alarm_name = "scalebridge-membrane-cluster-instant-tasks-worker-JobsPerWorker-high-resolution"
  alarm_description = "JobsPerWorker is above its target of 5"
  alarm_actions = [aws_appautoscaling_policy.scalebridge_instant_tasks_worker_jobs_per_worker_high_resolution.arn]
  namespace = "Membrane/Scaling"
  metric_name = "JobsPerWorker"
  dimensions = {
    "Stage" = "prod"
  }
  statistic = "Average"
  unit = "Count"
  period = 10
  evaluation_periods = 3
  datapoints_to_alarm = 3
  threshold = 5
  comparison_operator = "GreaterThanThreshold"
  treat_missing_data = "notBreaching"
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
      namespace = "Membrane/Scaling"
      metric_name = "QueuedTasksWorkersRequiredPercent"
      statistic = "Average"
      unit = "Percent"
      dimensions {
        name = "Stage"
        value = "prod"
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "scalebridge_data_age" {
  alarm_name = "scalebridge-membrane-cluster-data-age"
  alarm_description = "Scaling is blind: scalebridge reads nothing fresh, or does not publish (add alarm actions to be told)"
  namespace = "Membrane/Scaling"
  metric_name = "ScalebridgeDataAge"
  dimensions = {
    "Stage" = "prod"
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
