# What each process may do, and nothing else. `migrate` needs the database alone.

locals {
  task_rights = {
    #                raw files read, written, deleted; queues it looks at, sends to, works; the dead letters' screens
    web        = { reads = true, writes = true, deletes = false, looks = local.stages, sends = local.stages, works = [], letters = true }
    worker-etl = { reads = true, writes = false, deletes = false, looks = ["etl"], sends = local.stages, works = ["etl"], letters = false }
    worker-ml  = { reads = false, writes = false, deletes = false, looks = ["ml"], sends = local.stages, works = ["ml"], letters = false }
    relay      = { reads = false, writes = false, deletes = false, looks = local.stages, sends = local.stages, works = [], letters = false }
    prune      = { reads = false, writes = false, deletes = true, looks = [], sends = [], works = [], letters = false }
  }

  source_arns      = { for stage in local.stages : stage => aws_sqs_queue.source[stage].arn }
  dead_letter_arns = { for stage in local.stages : stage => aws_sqs_queue.dead_letters[stage].arn }
  raw_objects      = "${aws_s3_bucket.raw.arn}/raw/*"
}

resource "aws_iam_role" "task" {
  for_each = local.tasks

  name               = "${var.name}-${each.key}"
  description        = "What the process ${each.key} may do"
  assume_role_policy = data.aws_iam_policy_document.ecs_assumes.json
}

resource "aws_iam_role_policy" "task" {
  for_each = local.task_rights

  name   = "rights"
  role   = aws_iam_role.task[each.key].id
  policy = data.aws_iam_policy_document.task[each.key].json
}

data "aws_iam_policy_document" "ecs_assumes" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }

    # Not on behalf of another account's tasks.
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }
}

data "aws_iam_policy_document" "task" {
  for_each = local.task_rights

  # Without ListBucket a missing object is told as a refusal, and readiness asks whether the bucket is there.
  dynamic "statement" {
    for_each = each.value.reads ? [1] : []
    content {
      sid       = "SeeTheBucket"
      actions   = ["s3:ListBucket"]
      resources = [aws_s3_bucket.raw.arn]
    }
  }

  dynamic "statement" {
    for_each = each.value.reads ? [1] : []
    content {
      sid       = "ReadRawFiles"
      actions   = ["s3:GetObject"]
      resources = [local.raw_objects]
    }
  }

  dynamic "statement" {
    for_each = each.value.writes ? [1] : []
    content {
      sid       = "WriteRawFiles"
      actions   = ["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
      resources = [local.raw_objects]
    }
  }

  dynamic "statement" {
    for_each = each.value.deletes ? [1] : []
    content {
      sid       = "DeleteRawFiles"
      actions   = ["s3:DeleteObject", "s3:AbortMultipartUpload"]
      resources = [local.raw_objects]
    }
  }

  dynamic "statement" {
    for_each = each.value.reads ? [1] : []
    content {
      sid       = "KeyOfRawFiles"
      actions   = each.value.writes ? ["kms:Decrypt", "kms:GenerateDataKey"] : ["kms:Decrypt"]
      resources = [aws_kms_key.this.arn]

      condition {
        test     = "StringEquals"
        variable = "kms:ViaService"
        values   = ["s3.${var.region}.amazonaws.com"]
      }
    }
  }

  dynamic "statement" {
    for_each = length(each.value.looks) > 0 ? [1] : []
    content {
      sid       = "LookAtQueues"
      actions   = ["sqs:GetQueueAttributes", "sqs:GetQueueUrl"]
      resources = concat([for stage in each.value.looks : local.source_arns[stage]], [for stage in each.value.looks : local.dead_letter_arns[stage]])
    }
  }

  # Whoever ends a stage sends what its department has waiting: an ETL file, or an ML stage that is tried again. Celery
  # asks a queue for its attributes before it sends to it.
  dynamic "statement" {
    for_each = length(each.value.sends) > 0 ? [1] : []
    content {
      sid       = "Send"
      actions   = ["sqs:SendMessage", "sqs:GetQueueAttributes"]
      resources = [for stage in each.value.sends : local.source_arns[stage]]
    }
  }

  dynamic "statement" {
    for_each = length(each.value.works) > 0 ? [1] : []
    content {
      sid       = "Work"
      actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"]
      resources = [for stage in each.value.works : local.source_arns[stage]]
    }
  }

  # The console looks at dead letters by receiving them, puts them back, and throws them away.
  dynamic "statement" {
    for_each = each.value.letters ? [1] : []
    content {
      sid = "DeadLetters"
      actions = [
        "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:PurgeQueue",
        "sqs:StartMessageMoveTask", "sqs:ListMessageMoveTasks",
      ]
      resources = values(local.dead_letter_arns)
    }
  }
}
