# Web by load. Workers by what waits for each of them, and by how long it has waited. The queues alone would not tell:
# a department's burst waits in the outbox (docs/adr/0006), which the relay tells of (logs.tf).

locals {
  workers = { for stage in local.stages : stage => "worker-${stage}" if var.serve }
}

resource "aws_appautoscaling_target" "this" {
  for_each = { for name, service in var.services : name => service if name != "relay" && var.serve }

  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.this[each.key].name}"
  min_capacity       = each.value.least
  max_capacity       = each.value.most
}

resource "aws_appautoscaling_policy" "web" {
  count = var.serve ? 1 : 0

  name               = "load"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this["web"].service_namespace
  scalable_dimension = aws_appautoscaling_target.this["web"].scalable_dimension
  resource_id        = aws_appautoscaling_target.this["web"].resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = 60
    scale_in_cooldown  = 300
    scale_out_cooldown = 60

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}

# (messages that nobody works + stages that are not sent yet) / running tasks
resource "aws_appautoscaling_policy" "backlog" {
  for_each = local.workers

  name               = "backlog-per-task"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this[each.value].service_namespace
  scalable_dimension = aws_appautoscaling_target.this[each.value].scalable_dimension
  resource_id        = aws_appautoscaling_target.this[each.value].resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = var.backlog_per_task
    scale_in_cooldown  = 300
    scale_out_cooldown = 60

    customized_metric_specification {
      metrics {
        id          = "backlog_per_task"
        label       = "Waiting files per running task"
        expression  = "(FILL(visible, 0) + FILL(waiting, 0)) / IF(FILL(running, 0) > 0, running, 1)"
        return_data = true
      }

      metrics {
        id          = "visible"
        return_data = false

        metric_stat {
          stat = "Average"

          metric {
            namespace   = "AWS/SQS"
            metric_name = "ApproximateNumberOfMessagesVisible"

            dimensions {
              name  = "QueueName"
              value = aws_sqs_queue.source[each.key].name
            }
          }
        }
      }

      metrics {
        id          = "waiting"
        return_data = false

        metric_stat {
          stat = "Average"

          metric {
            namespace   = local.metrics_namespace
            metric_name = "Waiting"

            dimensions {
              name  = "Stage"
              value = each.key
            }
          }
        }
      }

      metrics {
        id          = "running"
        return_data = false

        metric_stat {
          stat = "Average"

          metric {
            namespace   = "ECS/ContainerInsights"
            metric_name = "RunningTaskCount"

            dimensions {
              name  = "ClusterName"
              value = aws_ecs_cluster.this.name
            }

            dimensions {
              name  = "ServiceName"
              value = each.value
            }
          }
        }
      }
    }
  }
}

# Few files may wait long, where each takes long: then the number does not tell.
resource "aws_appautoscaling_policy" "age" {
  for_each = local.workers

  name               = "age"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.this[each.value].service_namespace
  scalable_dimension = aws_appautoscaling_target.this[each.value].scalable_dimension
  resource_id        = aws_appautoscaling_target.this[each.value].resource_id

  step_scaling_policy_configuration {
    adjustment_type         = "ChangeInCapacity"
    cooldown                = 120
    metric_aggregation_type = "Maximum"

    step_adjustment {
      metric_interval_lower_bound = 0
      metric_interval_upper_bound = var.wait_seconds * 2
      scaling_adjustment          = 1
    }

    step_adjustment {
      metric_interval_lower_bound = var.wait_seconds * 2
      scaling_adjustment          = 2
    }
  }
}

# Not SQS's own age, which counts what is being worked: one long file would start task after task.
resource "aws_cloudwatch_metric_alarm" "age" {
  for_each = local.workers

  alarm_name          = "${var.name}-${each.key}-scale-by-age"
  alarm_description   = "A file has waited for ${var.wait_seconds} s: one more ${each.value} is started. Nobody is told."
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = var.wait_seconds
  evaluation_periods  = 2
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_appautoscaling_policy.age[each.key].arn]

  metric_query {
    id          = "age"
    label       = "Longest wait of a file"
    expression  = "MAX([outbox, unbegun])"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { outbox = "OutboxSeconds", unbegun = "UnbegunSeconds" }

    content {
      id = metric_query.key

      metric {
        namespace   = local.metrics_namespace
        metric_name = metric_query.value
        dimensions  = { Stage = each.key }
        period      = 60
        stat        = "Maximum"
      }
    }
  }
}
