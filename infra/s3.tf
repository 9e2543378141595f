# The raw files, by the keys raw/{department}/{dataset_id}/{original_filename}.

resource "aws_s3_bucket" "raw" {
  bucket        = local.raw_bucket
  force_destroy = !var.protected
}

resource "aws_s3_bucket_versioning" "raw" {
  bucket = aws_s3_bucket.raw.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_public_access_block" "raw" {
  bucket                  = aws_s3_bucket.raw.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "raw" {
  bucket = aws_s3_bucket.raw.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "raw" {
  bucket = aws_s3_bucket.raw.id

  rule {
    # Else each object is a call to KMS.
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.this.arn
    }
  }
}

# No rule deletes a raw file that counts: whoever reprocesses it reads it again. What was undone, `manage.py prune` deletes.
resource "aws_s3_bucket_lifecycle_configuration" "raw" {
  bucket     = aws_s3_bucket.raw.id
  depends_on = [aws_s3_bucket_versioning.raw]

  rule {
    id     = "archive"
    status = "Enabled"

    filter {
      prefix = "raw/"
    }

    transition {
      days          = var.raw_archive_days
      storage_class = "GLACIER_IR"
    }
  }

  rule {
    id     = "deleted"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = var.raw_undelete_days
    }

    expiration {
      expired_object_delete_marker = true
    }
  }

  rule {
    id     = "uploads-given-up"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

resource "aws_s3_bucket_policy" "raw" {
  bucket     = aws_s3_bucket.raw.id
  policy     = data.aws_iam_policy_document.raw.json
  depends_on = [aws_s3_bucket_public_access_block.raw]
}

data "aws_iam_policy_document" "raw" {
  statement {
    sid       = "OnlyByTls"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.raw.arn, "${aws_s3_bucket.raw.arn}/*"]

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
}

# Browsers send the parts of a large file straight to the bucket, by presigned addresses, and read its ETag.
resource "aws_s3_bucket_cors_configuration" "raw" {
  bucket = aws_s3_bucket.raw.id

  cors_rule {
    allowed_origins = ["https://${var.domain_name}"]
    allowed_methods = ["PUT"]
    allowed_headers = ["*"]
    expose_headers  = ["ETag"]
    max_age_seconds = 3600
  }
}

resource "aws_s3_bucket_notification" "raw" {
  count = var.s3_events_user != "" ? 1 : 0

  bucket     = aws_s3_bucket.raw.id
  depends_on = [aws_sqs_queue_policy.source]

  queue {
    queue_arn     = aws_sqs_queue.source["etl"].arn
    events        = ["s3:ObjectCreated:*"]
    filter_prefix = "raw/"
  }
}
