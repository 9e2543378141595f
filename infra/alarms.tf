# Each alarm names what to read: docs/operations.md, "When something is wrong".

resource "aws_sns_topic" "alarms" {
  name              = "${var.name}-alarms"
  kms_master_key_id = aws_kms_key.this.arn
}

resource "aws_sns_topic_subscription" "alarms" {
  for_each = var.alarm_emails

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.key
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  for_each = local.stages

  alarm_name          = "${var.name}-${each.key}-dead-letters"
  alarm_description   = "${aws_sqs_queue.dead_letters[each.key].name} holds messages: mend the cause, then redrive them (docs/operations.md, \"The DLQ alarm rings\")."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = aws_sqs_queue.dead_letters[each.key].name }
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

# SQS's own age, while anything is left to be taken: it needs neither relay nor database to be told.
resource "aws_cloudwatch_metric_alarm" "oldest_message" {
  for_each = local.stages

  alarm_name          = "${var.name}-${each.key}-oldest-message"
  alarm_description   = "No worker takes a message of ${aws_sqs_queue.source[each.key].name}: are there worker tasks, and do their logs say why they do not start?"
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.wait_seconds * 5
  evaluation_periods  = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "untaken"
    label       = "Age of the oldest message while one waits"
    expression  = "IF(visible > 0, age, 0)"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { visible = "ApproximateNumberOfMessagesVisible", age = "ApproximateAgeOfOldestMessage" }

    content {
      id = metric_query.key

      metric {
        namespace   = "AWS/SQS"
        metric_name = metric_query.value
        dimensions  = { QueueName = aws_sqs_queue.source[each.key].name }
        period      = 60
        stat        = metric_query.key == "visible" ? "Minimum" : "Maximum"
      }
    }
  }
}

# A department's burst waits in the outbox by design, while its files are at work. That nothing is at work, is wrong; and
# so is a relay that says nothing.
resource "aws_cloudwatch_metric_alarm" "outbox" {
  for_each = local.stages

  alarm_name          = "${var.name}-${each.key}-outbox"
  alarm_description   = "Stages wait to be sent to ${aws_sqs_queue.source[each.key].name} and none is at work, or the relay is silent: does it run, and what does its log say?"
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.wait_seconds * 2.5
  evaluation_periods  = 5
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "lag"
    label       = "Outbox lag while nothing is at work"
    expression  = "IF(processing > 0, 0, outbox)"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { processing = "Processing", outbox = "OutboxSeconds" }

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

resource "aws_cloudwatch_metric_alarm" "failed_attempts" {
  for_each = local.stages

  alarm_name          = "${var.name}-${each.key}-failures"
  alarm_description   = "More than a quarter of the ${each.key} attempts of an hour failed: what failed, the console's home counts by code."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 25
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  # A file that does not fit fails three times: of a handful of attempts a quarter says nothing.
  metric_query {
    id          = "share"
    label       = "Failed attempts in percent"
    expression  = "IF(FILL(failed, 0) + FILL(succeeded, 0) >= 20, 100 * FILL(failed, 0) / (FILL(failed, 0) + FILL(succeeded, 0)), 0)"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { failed = "AttemptsFailed", succeeded = "AttemptsSucceeded" }

    content {
      id = metric_query.key

      metric {
        namespace   = local.metrics_namespace
        metric_name = metric_query.value
        dimensions  = { Stage = each.key }
        period      = 3600
        stat        = "Sum"
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "${var.name}-web-errors"
  alarm_description   = "More than 2 % of the requests of five minutes ended in a 5xx: the web log has each with its request_id."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 2
  evaluation_periods  = 2
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "share"
    label       = "5xx in percent"
    expression  = "IF(requests >= 20, 100 * (FILL(ours, 0) + FILL(balancers, 0)) / requests, 0)"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { requests = "RequestCount", ours = "HTTPCode_Target_5XX_Count", balancers = "HTTPCode_ELB_5XX_Count" }

    content {
      id = metric_query.key

      metric {
        namespace   = "AWS/ApplicationELB"
        metric_name = metric_query.value
        dimensions  = { LoadBalancer = aws_lb.this.arn_suffix }
        period      = 300
        stat        = "Sum"
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "database" {
  for_each = {
    cpu     = { metric = "CPUUtilization", operator = "GreaterThanThreshold", threshold = 85, statistic = "Average", says = "is busy above 85 %" }
    storage = { metric = "FreeStorageSpace", operator = "LessThanThreshold", threshold = 10 * 1024 * 1024 * 1024, statistic = "Minimum", says = "has less than 10 GiB free" }
  }

  alarm_name          = "${var.name}-database-${each.key}"
  alarm_description   = "The database ${each.value.says} for a quarter of an hour."
  namespace           = "AWS/RDS"
  metric_name         = each.value.metric
  dimensions          = { DBInstanceIdentifier = aws_db_instance.this.identifier }
  statistic           = each.value.statistic
  comparison_operator = each.value.operator
  threshold           = each.value.threshold
  period              = 300
  evaluation_periods  = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}
