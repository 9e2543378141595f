# The four queues. `manage.py provision` makes the same elsewhere; here it finds nothing to do.

resource "aws_sqs_queue" "dead_letters" {
  for_each = local.stages

  name = "${var.name}-${each.key}-dlq"
  # A dead letter keeps the age it had in its source queue, so the DLQ must keep longer.
  message_retention_seconds  = local.dead_letter_retention_seconds
  visibility_timeout_seconds = var.queue_visibility_seconds
  sqs_managed_sse_enabled    = true
}

resource "aws_sqs_queue" "source" {
  for_each = local.stages

  name                       = "${var.name}-${each.key}"
  message_retention_seconds  = local.source_retention_seconds
  visibility_timeout_seconds = var.queue_visibility_seconds
  sqs_managed_sse_enabled    = true

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters[each.key].arn
    maxReceiveCount     = var.queue_max_receives
  })
}

# A DLQ takes letters from its own source queue only, so that a redrive can tell where they belong.
resource "aws_sqs_queue_redrive_allow_policy" "dead_letters" {
  for_each = local.stages

  queue_url = aws_sqs_queue.dead_letters[each.key].id

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.source[each.key].arn]
  })
}

resource "aws_sqs_queue_policy" "source" {
  for_each = local.stages

  queue_url = aws_sqs_queue.source[each.key].id
  policy    = data.aws_iam_policy_document.queue["source-${each.key}"].json
}

resource "aws_sqs_queue_policy" "dead_letters" {
  for_each = local.stages

  queue_url = aws_sqs_queue.dead_letters[each.key].id
  policy    = data.aws_iam_policy_document.queue["dead-letters-${each.key}"].json
}

data "aws_iam_policy_document" "queue" {
  for_each = merge(
    { for stage in local.stages : "source-${stage}" => aws_sqs_queue.source[stage].arn },
    { for stage in local.stages : "dead-letters-${stage}" => aws_sqs_queue.dead_letters[stage].arn },
  )

  statement {
    sid       = "OnlyByTls"
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [each.value]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }

  dynamic "statement" {
    for_each = var.s3_events_user != "" && each.key == "source-etl" ? [1] : []

    content {
      sid       = "EventsOfTheBucket"
      actions   = ["sqs:SendMessage"]
      resources = [each.value]

      principals {
        type        = "Service"
        identifiers = ["s3.amazonaws.com"]
      }

      condition {
        test     = "ArnEquals"
        variable = "aws:SourceArn"
        values   = [aws_s3_bucket.raw.arn]
      }

      condition {
        test     = "StringEquals"
        variable = "aws:SourceAccount"
        values   = [local.account_id]
      }
    }
  }
}
