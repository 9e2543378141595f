# One image, and what differs by process.

locals {
  # The four that run for ever, and two that end: `migrate` before each release, `prune` once a day.
  tasks = {
    web = merge(var.services["web"], {
      command      = ["python", "-m", "config.role", "web"]
      stop_seconds = 30
      secrets      = ["SECRET_KEY", "JWT_SIGNING_KEY", "METRICS_TOKEN", "DATABASE_PASSWORD"]
      environment  = {}
    })
    worker-etl = merge(var.services["worker-etl"], {
      command      = ["python", "-m", "config.role", "worker-etl"]
      stop_seconds = var.worker_stop_seconds + 15
      secrets      = ["SECRET_KEY", "DATABASE_PASSWORD"]
      environment  = {}
    })
    worker-ml = merge(var.services["worker-ml"], {
      command      = ["python", "-m", "config.role", "worker-ml"]
      stop_seconds = var.worker_stop_seconds + 15
      secrets      = ["SECRET_KEY", "DATABASE_PASSWORD"]
      environment  = {}
    })
    relay = merge(var.services["relay"], {
      command      = ["python", "-m", "config.role", "relay"]
      stop_seconds = 30
      secrets      = ["SECRET_KEY", "DATABASE_PASSWORD"]
      environment  = {}
    })
    migrate = {
      cpu          = 512
      memory       = 1024
      command      = ["python", "-m", "config.role", "migrate"]
      stop_seconds = 120
      secrets      = ["SECRET_KEY", "DATABASE_PASSWORD", "OWNER_DATABASE_PASSWORD"]
      # Past a proxy (rds_proxy.tf).
      environment = {
        OWNER_DATABASE_URL = "postgres://${local.database_owner}@${aws_db_instance.this.address}:5432/${local.database_name}?sslmode=require"
      }
    }
    prune = {
      cpu          = 256
      memory       = 512
      command      = ["python", "manage.py", "prune"]
      stop_seconds = 30
      secrets      = ["SECRET_KEY", "DATABASE_PASSWORD"]
      environment  = {}
    }
  }
}

resource "aws_ecs_task_definition" "this" {
  for_each = local.tasks

  family                   = "${var.name}-${each.key}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = each.value.cpu
  memory                   = each.value.memory
  task_role_arn            = aws_iam_role.task[each.key].arn
  execution_role_arn       = aws_iam_role.execution[each.key].arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  # The only place that can be written: uploads and files under work pass through it.
  volume {
    name = "tmp"
  }

  container_definitions = jsonencode([{
    name                   = each.key
    image                  = "${aws_ecr_repository.this.repository_url}:${var.release}"
    entryPoint             = ["tini", "--"]
    command                = each.value.command
    essential              = true
    readonlyRootFilesystem = true
    stopTimeout            = each.value.stop_seconds
    mountPoints            = [{ sourceVolume = "tmp", containerPath = "/tmp", readOnly = false }]
    portMappings           = each.key == "web" ? [{ containerPort = local.web_port, hostPort = local.web_port, protocol = "tcp" }] : []
    volumesFrom            = []
    systemControls         = []

    environment = [for name, value in merge(var.settings, local.own_settings, each.value.environment) : { name = name, value = value }]
    secrets     = [for name in each.value.secrets : { name = name, valueFrom = local.secret_values[name] }]

    # What ends by itself needs none; ECS does not know the image's own.
    healthCheck = contains(keys(var.services), each.key) ? {
      command     = ["CMD", "python", "-m", "config.alive"]
      interval    = 30
      timeout     = 10
      retries     = 3
      startPeriod = 120
    } : null

    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.task[each.key].name
        awslogs-region        = var.region
        awslogs-stream-prefix = each.key
      }
    }
  }])

  lifecycle {
    precondition {
      condition     = length(setintersection(keys(var.settings), keys(local.own_settings))) == 0
      error_message = "settings names what is set from variables and resources of this description, and would not be heeded: ${join(", ", setintersection(keys(var.settings), keys(local.own_settings)))}. Take it out; variables.tf has what can be chosen of it."
    }
  }
}
