locals {
  account_id = data.aws_caller_identity.current.account_id
  zones      = slice(data.aws_availability_zones.available.names, 0, var.zones)
  raw_bucket = var.raw_bucket != "" ? var.raw_bucket : "${var.name}-raw-${local.account_id}"
  web_port   = 8000

  # A stage is called like its queue and its worker's.
  stages = toset(["etl", "ml"])

  # As `manage.py provision` has them (apps/jobs/sqs/queues.py); a test compares the two.
  source_retention_seconds      = 4 * 24 * 3600
  dead_letter_retention_seconds = 14 * 24 * 3600

  # Settings of .env.example. What differs by process stands in ecs_tasks.tf, what is secret in secrets.tf.
  own_settings = {
    ALLOWED_HOSTS            = var.domain_name
    CSRF_TRUSTED_ORIGINS     = "https://${var.domain_name}"
    HTTPS                    = "true"
    TRUSTED_PROXIES          = "1"
    STORAGE                  = "s3"
    RAW_BUCKET               = local.raw_bucket
    AWS_DEFAULT_REGION       = var.region
    QUEUE_URL_BASE           = trimsuffix(aws_sqs_queue.source["etl"].url, "/${aws_sqs_queue.source["etl"].name}")
    QUEUE_PREFIX             = var.name
    QUEUE_VISIBILITY_SECONDS = tostring(var.queue_visibility_seconds)
    QUEUE_MAX_RECEIVES       = tostring(var.queue_max_receives)
    WORKER_STOP_SECONDS      = tostring(var.worker_stop_seconds)
    DATABASE_URL             = "postgres://${local.database_log_in}@${local.database_host}:5432/${local.database_name}?sslmode=require"
    S3_EVENTS_USER           = var.s3_events_user
  }
}
