# One group for each process. Its lines are JSON on standard output; metrics are read out of them.

resource "aws_cloudwatch_log_group" "task" {
  for_each = local.tasks

  name              = "/${var.name}/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.this.arn
}

# Made before the instance, which would make it without an end and without the key.
resource "aws_cloudwatch_log_group" "database" {
  for_each = toset(["postgresql", "upgrade"])

  name              = "/aws/rds/instance/${var.name}/${each.key}"
  retention_in_days = var.log_retention_days
}

locals {
  metrics_namespace = "AetherFlow/${var.name}"

  # The relay tells once a minute, a line a stage, what the queues do not know (manage.py relay --loop).
  line_metrics = {
    Waiting        = "$.waiting"
    OutboxSeconds  = "$.outbox_seconds"
    UnbegunSeconds = "$.unbegun_seconds"
    Processing     = "$.processing"
  }
}

resource "aws_cloudwatch_log_metric_filter" "line" {
  for_each = local.line_metrics

  name           = "line-${lower(each.key)}"
  log_group_name = aws_cloudwatch_log_group.task["relay"].name
  pattern        = "{ $.event = \"line\" }"

  metric_transformation {
    namespace  = local.metrics_namespace
    name       = each.key
    value      = each.value
    dimensions = { Stage = "$.stage" }
  }
}

# Attempts by how they ended. A worker that was killed in one says so with a line of its own.
resource "aws_cloudwatch_log_metric_filter" "attempts" {
  for_each = {
    for pair in setproduct(local.stages, ["Succeeded", "Failed"]) : "${pair[0]}-${pair[1]}" => { stage = pair[0], outcome = pair[1] }
  }

  name           = lower("attempts-${each.value.outcome}")
  log_group_name = aws_cloudwatch_log_group.task["worker-${each.value.stage}"].name
  pattern = (
    each.value.outcome == "Succeeded"
    ? "{ $.event = \"stage_ended\" && $.status = \"succeeded\" }"
    : "{ ($.event = \"stage_ended\" || $.event = \"stage_lost\") && $.status = \"failed\" }"
  )

  metric_transformation {
    namespace  = local.metrics_namespace
    name       = "Attempts${each.value.outcome}"
    value      = "1"
    dimensions = { Stage = "$.stage" }
  }
}
