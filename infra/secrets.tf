# Places for secrets, without what lies in them: `infra/fill_secrets.py` puts random values there, so that no state ever
# holds one. The owner's password is made, kept and changed by RDS.

resource "aws_secretsmanager_secret" "this" {
  for_each = {
    SECRET_KEY        = "secret-key"
    JWT_SIGNING_KEY   = "jwt-signing-key"
    METRICS_TOKEN     = "metrics-token"
    DATABASE_PASSWORD = "database" # as RDS Proxy reads it: {"username": …, "password": …}
  }

  name                    = "${var.name}/${each.value}"
  description             = "${each.key} of ${var.name}; filled by infra/fill_secrets.py"
  kms_key_id              = aws_kms_key.this.arn
  recovery_window_in_days = var.protected ? 30 : 0
}

locals {
  secret_arns = merge(
    { for name, secret in aws_secretsmanager_secret.this : name => secret.arn },
    { OWNER_DATABASE_PASSWORD = aws_db_instance.this.master_user_secret[0].secret_arn },
  )

  # Of these one field is the value.
  secret_values = merge(local.secret_arns, {
    for name in ["DATABASE_PASSWORD", "OWNER_DATABASE_PASSWORD"] : name => "${local.secret_arns[name]}:password::"
  })
}
