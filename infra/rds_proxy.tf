# Off unless asked for. Row-level security bears it: the scope is said with each statement, for its transaction
# (`set_config(…, true)`), so nothing of it is left on a connection that is given on. But each connection begins with
# `SET ROLE`, which pins it to one of the database's for as long as it lives: the proxy shortens a failover, and saves
# no connection. `migrate` goes past it, since it begins its session with options, which the proxy refuses.

resource "aws_db_proxy" "this" {
  count = var.database.proxy ? 1 : 0

  name                   = var.name
  engine_family          = "POSTGRESQL"
  role_arn               = aws_iam_role.proxy[0].arn
  vpc_subnet_ids         = [for subnet in aws_subnet.private : subnet.id]
  vpc_security_group_ids = [aws_security_group.database.id]
  require_tls            = true
  idle_client_timeout    = 1800

  auth {
    auth_scheme               = "SECRETS"
    client_password_auth_type = "POSTGRES_SCRAM_SHA_256"
    iam_auth                  = "DISABLED"
    secret_arn                = aws_secretsmanager_secret.this["DATABASE_PASSWORD"].arn
  }
}

resource "aws_db_proxy_default_target_group" "this" {
  count = var.database.proxy ? 1 : 0

  db_proxy_name = aws_db_proxy.this[0].name

  connection_pool_config {
    # Pinned ones are not shared, so there must be room for all; the rest is for `migrate` and for people.
    max_connections_percent      = 90
    max_idle_connections_percent = 50
    connection_borrow_timeout    = 30
  }
}

resource "aws_db_proxy_target" "this" {
  count = var.database.proxy ? 1 : 0

  db_proxy_name          = aws_db_proxy.this[0].name
  target_group_name      = aws_db_proxy_default_target_group.this[0].name
  db_instance_identifier = aws_db_instance.this.identifier
}

# The proxy stands in the database's own group, and talks to it from there.
resource "aws_vpc_security_group_ingress_rule" "proxy_to_database" {
  count = var.database.proxy ? 1 : 0

  security_group_id            = aws_security_group.database.id
  description                  = "From the proxy"
  referenced_security_group_id = aws_security_group.database.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_vpc_security_group_egress_rule" "proxy_to_database" {
  count = var.database.proxy ? 1 : 0

  security_group_id            = aws_security_group.database.id
  description                  = "From the proxy"
  referenced_security_group_id = aws_security_group.database.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
}

resource "aws_iam_role" "proxy" {
  count = var.database.proxy ? 1 : 0

  name               = "${var.name}-proxy"
  assume_role_policy = data.aws_iam_policy_document.proxy_assumes.json
}

resource "aws_iam_role_policy" "proxy" {
  count = var.database.proxy ? 1 : 0

  name   = "secret"
  role   = aws_iam_role.proxy[0].id
  policy = data.aws_iam_policy_document.proxy.json
}

data "aws_iam_policy_document" "proxy_assumes" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["rds.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }
}

data "aws_iam_policy_document" "proxy" {
  statement {
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [aws_secretsmanager_secret.this["DATABASE_PASSWORD"].arn]
  }

  statement {
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.this.arn]

    condition {
      test     = "StringEquals"
      variable = "kms:ViaService"
      values   = ["secretsmanager.${var.region}.amazonaws.com"]
    }
  }
}
