resource "aws_ecs_service" "this" {
  for_each = var.serve ? var.services : {}

  name             = each.key
  cluster          = aws_ecs_cluster.this.id
  task_definition  = aws_ecs_task_definition.this[each.key].arn
  desired_count    = each.value.least
  launch_type      = "FARGATE"
  platform_version = "1.4.0"
  propagate_tags   = "SERVICE"

  # A release whose tasks do not come up is taken back.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  # A web task imports everything before it answers.
  health_check_grace_period_seconds = each.key == "web" ? 60 : null

  network_configuration {
    subnets = [for subnet in aws_subnet.private : subnet.id]
    security_groups = (
      each.key == "web" ? [aws_security_group.tasks.id, aws_security_group.web.id] : [aws_security_group.tasks.id]
    )
    assign_public_ip = false
  }

  dynamic "load_balancer" {
    for_each = each.key == "web" ? [1] : []

    content {
      target_group_arn = aws_lb_target_group.web.arn
      container_name   = each.key
      container_port   = local.web_port
    }
  }

  # How many run is autoscaling's to say.
  lifecycle {
    ignore_changes = [desired_count]
  }

  depends_on = [aws_lb_listener.https, aws_iam_role_policy.task, aws_iam_role_policy.execution]
}
