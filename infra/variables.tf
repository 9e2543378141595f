# --- Must be given ---

variable "domain_name" {
  description = "The name under which the site is reached. Point it at the load balancer (output `load_balancer`)."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9-]+\\.)+[a-z]{2,}$", var.domain_name))
    error_message = "domain_name must be one host name in lower case, e.g. data.example.org."
  }
}

variable "certificate_arn" {
  description = "The ACM certificate of domain_name, in the same region."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:acm:", var.certificate_arn))
    error_message = "certificate_arn must be the ARN of an ACM certificate."
  }
}

variable "release" {
  description = "The tag of the release's image in the repository (output `repository`)."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9._-]*$", var.release)) && var.release != "latest"
    error_message = "release must be the tag of one image, e.g. 1.4.0; never latest, which says nothing about what runs."
  }
}

# --- The installation ---

variable "name" {
  description = "What everything is called, and the prefix of the queues (QUEUE_PREFIX)."
  type        = string
  default     = "aetherflow"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 20 of a-z, 0-9 and -, with a letter first: load balancers take no more."
  }
}

variable "region" {
  description = "The AWS region."
  type        = string
  default     = "eu-central-1"
}

variable "raw_bucket" {
  description = "The bucket of the raw files; empty: NAME-raw-ACCOUNT."
  type        = string
  default     = ""
}

variable "settings" {
  description = "Further settings of .env.example, the same for all processes, e.g. { REGISTRATION_POLICY = \"invite\" }."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setintersection(keys(var.settings), ["SECRET_KEY", "JWT_SIGNING_KEY", "METRICS_TOKEN", "DATABASE_URL", "DATABASE_PASSWORD", "OWNER_DATABASE_URL", "OWNER_DATABASE_PASSWORD", "SECRET_KEY_FALLBACKS", "JWT_ACCEPTED_KEYS"])) == 0
    error_message = "settings must hold no secret, which the state would show; they lie in Secrets Manager (docs/deploy.md)."
  }

  validation {
    condition     = contains(["INFO", "DEBUG"], lookup(var.settings, "LOG_LEVEL", "INFO"))
    error_message = "LOG_LEVEL must be INFO or DEBUG: the alarms count lines of that level (logs.tf)."
  }
}

variable "alarm_emails" {
  description = "Who is told when an alarm rings; each confirms by a mail."
  type        = set(string)
  default     = []
}

variable "log_retention_days" {
  description = "How long log lines are kept."
  type        = number
  default     = 90

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731], var.log_retention_days)
    error_message = "log_retention_days must be one that CloudWatch knows, e.g. 30, 90 or 365."
  }
}

variable "protected" {
  description = "Whether the database and the load balancer refuse to be deleted, and the bucket while it holds files."
  type        = bool
  default     = true
}

# --- Network ---

variable "vpc_cidr" {
  description = "The network's addresses; each zone takes a 16th of them for tasks and one for the load balancer."
  type        = string
  default     = "10.40.0.0/16"

  validation {
    condition     = can(cidrsubnet(var.vpc_cidr, 4, 15)) && tonumber(split("/", var.vpc_cidr)[1]) <= 22
    error_message = "vpc_cidr must be a network of /22 or larger."
  }
}

variable "zones" {
  description = "In how many availability zones everything stands."
  type        = number
  default     = 2

  validation {
    condition     = var.zones >= 2 && var.zones <= 3
    error_message = "zones must be 2 or 3: the load balancer and the database need two."
  }
}

variable "requests_per_address" {
  description = "How many requests one address may send in five minutes before the firewall refuses the rest."
  type        = number
  default     = 6000

  validation {
    condition     = var.requests_per_address >= 100
    error_message = "requests_per_address must be at least 100; a whole office may come from one address."
  }
}

# --- Queues: what `manage.py provision` would make ---

variable "queue_visibility_seconds" {
  description = "QUEUE_VISIBILITY_SECONDS: after how long a killed worker's message comes back."
  type        = number
  default     = 90

  validation {
    condition     = var.queue_visibility_seconds >= 30 && var.queue_visibility_seconds <= 900
    error_message = "queue_visibility_seconds must be 30 to 900: workers extend it while they work."
  }
}

variable "queue_max_receives" {
  description = "QUEUE_MAX_RECEIVES: attempts before a message becomes a dead letter."
  type        = number
  default     = 3

  validation {
    condition     = var.queue_max_receives >= 1 && var.queue_max_receives <= 10
    error_message = "queue_max_receives must be 1 to 10."
  }
}

# --- Files that come past the site ---

variable "s3_events_user" {
  description = "S3_EVENTS_USER: the account (its e-mail address) in whose name files are taken in that others put below raw/ in the bucket. The bucket then tells the ETL queue of each. Empty: such files stay unseen."
  type        = string
  default     = ""
}

# --- Processes ---

variable "services" {
  description = "Per process: CPU units, memory in MiB, and between how many tasks it scales."
  type = map(object({
    cpu    = number
    memory = number
    least  = number
    most   = number
  }))
  default = {
    web        = { cpu = 512, memory = 1024, least = 2, most = 6 }
    worker-etl = { cpu = 1024, memory = 6144, least = 1, most = 10 }
    worker-ml  = { cpu = 1024, memory = 4096, least = 1, most = 4 }
    relay      = { cpu = 256, memory = 512, least = 1, most = 1 }
  }

  validation {
    condition     = toset(keys(var.services)) == toset(["web", "worker-etl", "worker-ml", "relay"])
    error_message = "services must have exactly web, worker-etl, worker-ml and relay."
  }

  validation {
    condition     = alltrue([for s in values(var.services) : s.least >= 1 && s.least <= s.most])
    error_message = "Of each service at least one task must run: 1 <= least <= most. Who scales to none gives no sign of life."
  }
}

variable "serve" {
  description = "Whether the services run. False at first: image, secrets and tables must be there before any of them starts."
  type        = bool
  default     = true
}

variable "worker_stop_seconds" {
  description = "WORKER_STOP_SECONDS: what running work gets to finish when a worker is told to stop."
  type        = number
  default     = 60

  validation {
    condition     = var.worker_stop_seconds >= 1 && var.worker_stop_seconds <= 105
    error_message = "worker_stop_seconds must be 1 to 105: Fargate kills after 120 seconds, and 15 of them are for handing work back."
  }
}

variable "backlog_per_task" {
  description = "How many waiting files a worker task is to have in front of it before another one is started."
  type        = number
  default     = 4

  validation {
    condition     = var.backlog_per_task > 0
    error_message = "backlog_per_task must be above 0."
  }
}

variable "wait_seconds" {
  description = "How long a file may wait before another worker task is started, and five times that before an alarm rings."
  type        = number
  default     = 120

  validation {
    condition     = var.wait_seconds >= 60
    error_message = "wait_seconds must be at least 60: it is measured once a minute."
  }
}

# --- Database ---

variable "database" {
  description = "The RDS instance. `proxy`: an RDS Proxy in front; read docs/deploy.md first, it multiplexes nothing here."
  type = object({
    version     = optional(string, "17")
    class       = optional(string, "db.m7g.large")
    storage     = optional(number, 100)
    storage_max = optional(number, 1000)
    multi_az    = optional(bool, true)
    backup_days = optional(number, 14)
    proxy       = optional(bool, false)
  })
  default = {}

  validation {
    condition     = tonumber(split(".", var.database.version)[0]) >= 15
    error_message = "database.version must be 15 or newer."
  }

  validation {
    condition     = var.database.backup_days >= 1 && var.database.backup_days <= 35
    error_message = "database.backup_days must be 1 to 35: without backups there is no restore to a point in time."
  }

  validation {
    condition     = var.database.storage_max > var.database.storage
    error_message = "database.storage_max must be above database.storage: a full database takes no file."
  }
}

# --- Raw files ---

variable "raw_archive_days" {
  description = "After how many days a raw file moves to cheaper storage, from which it is still read at once."
  type        = number
  default     = 90

  validation {
    condition     = var.raw_archive_days >= 30
    error_message = "raw_archive_days must be at least 30, which S3 asks for."
  }
}

variable "raw_undelete_days" {
  description = "How long a deleted or overwritten raw file can be brought back."
  type        = number
  default     = 30

  validation {
    condition     = var.raw_undelete_days >= 1
    error_message = "raw_undelete_days must be at least 1."
  }
}
