output "load_balancer" {
  description = "Where domain_name is to lead: an ALIAS or CNAME record."
  value       = aws_lb.this.dns_name
}

output "repository" {
  description = "Where images are pushed."
  value       = aws_ecr_repository.this.repository_url
}

output "raw_bucket" {
  description = "RAW_BUCKET."
  value       = aws_s3_bucket.raw.bucket
}

output "queue_url_base" {
  description = "QUEUE_URL_BASE."
  value       = local.own_settings["QUEUE_URL_BASE"]
}

output "secrets" {
  description = "Variable of the environment → the secret that holds it."
  value       = { for name, secret in aws_secretsmanager_secret.this : name => secret.name }
}

output "run_task" {
  description = "What a task is started with by hand: aws ecs run-task ARGUMENTS --task-definition NAME-migrate."
  value = join(" ", [
    "--cluster ${aws_ecs_cluster.this.name}", "--launch-type FARGATE", "--network-configuration",
    "awsvpcConfiguration={subnets=[${join(",", [for subnet in aws_subnet.private : subnet.id])}],securityGroups=[${aws_security_group.tasks.id}]}",
  ])
}
