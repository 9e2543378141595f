"""Settings: one file for every place; what differs comes from the environment (see .env.example)."""

import logging
import os
import re
from datetime import timedelta
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from config import console, databases, headers
from config.env import address, env, natural, one_of, positive, rate, required, seconds_list, store_origin
from config.exposed import refuse_exposed
from config.logs import logging_config

BASE_DIR = Path(__file__).resolve().parent.parent
env.read_env(BASE_DIR / ".env")

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = required("SECRET_KEY", example="$(python -c 'import secrets; print(secrets.token_urlsafe(50))')")
# Still good for what they have signed: log-ins to the console, known devices.
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
# Behind a TLS proxy (production); plain HTTP on one machine would otherwise lose its cookies.
SECURE = env.bool("HTTPS", default=False)
JWT_SIGNING_KEY = env.str("JWT_SIGNING_KEY", default="") or SECRET_KEY
refuse_exposed(
    debug=DEBUG,
    https=SECURE,
    hosts=ALLOWED_HOSTS,
    keys={"SECRET_KEY": SECRET_KEY, "JWT_SIGNING_KEY": JWT_SIGNING_KEY},
)

INSTALLED_APPS = [
    "config.apps.PlatformConfig",
    "apps.accounts",
    "apps.datasets",
    "apps.insights",
    "apps.jobs",
    # Before the admin, whose templates and scripts it replaces; after the apps, which replace some of its own.
    "unfold.apps.BasicAppConfig",
    "config.apps.ConsoleConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "drf_standardized_errors",
    "django_structlog",
    "axes",
    "django_otp.plugins.otp_totp",
]

MIDDLEWARE = [
    "config.headers.HeadersMiddleware",
    # Counts what the others refuse too, and how long all of them took.
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    # Early, so that what the others refuse (an unknown host, say) has an id to ask about too.
    "config.middleware.RequestIdMiddleware",
    "config.middleware.AliveMiddleware",
    "config.middleware.ScopeMiddleware",
    "config.middleware.OriginMiddleware",
    "config.middleware.PrivateAnswersMiddleware",
    "config.middleware.ContentTypeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "config.dashboard.StaticFiles",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.middleware.TrailingSlashMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "config.metrics.RequestMetrics",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Database ---
DATABASES = databases.configured()
WEB_ROLE, LOADER_ROLE = databases.WEB_ROLE, databases.LOADER_ROLE
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Raw files ---
AWS_REGION = env.str("AWS_DEFAULT_REGION", default="us-east-1")
AWS_ENDPOINT_URL_S3: str | None = env.str("AWS_ENDPOINT_URL_S3", default=None)
AWS_ENDPOINT_URL_SQS: str | None = env.str("AWS_ENDPOINT_URL_SQS", default=None)
RAW_STORAGE = one_of("STORAGE", ("s3", "disk"), default="s3")
RAW_BUCKET = env.str("RAW_BUCKET", default="aetherflow-raw")
RAW_ROOT = env.str("RAW_ROOT", default="")
if RAW_STORAGE == "disk" and not RAW_ROOT:
    raise ImproperlyConfigured(
        "STORAGE=disk needs RAW_ROOT, the folder of the raw files, e.g. RAW_ROOT=/var/lib/aetherflow/raw"
    )

STORAGES = {
    "raw": {"BACKEND": "apps.datasets.storage.S3RawStorage"}
    if RAW_STORAGE == "s3"
    else {"BACKEND": "apps.datasets.storage.DiskRawStorage", "OPTIONS": {"location": RAW_ROOT}},
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Files past the gateway, straight into the bucket (docs/adr/0013).
DIRECT_UPLOAD = RAW_STORAGE == "s3" and env.bool("DIRECT_UPLOAD", default=True)
# Where clients reach the bucket, if that is not where the platform does.
DIRECT_UPLOAD_ENDPOINT: str | None = env.str("DIRECT_UPLOAD_ENDPOINT", default="") or AWS_ENDPOINT_URL_S3
DIRECT_UPLOAD_ORIGIN = store_origin(DIRECT_UPLOAD_ENDPOINT, bucket=RAW_BUCKET, region=AWS_REGION)
DIRECT_UPLOAD_LIFETIME = timedelta(seconds=positive("DIRECT_UPLOAD_SECONDS", default=48 * 3600))
# In whose name files are taken in that the bucket's events tell of, which came there by other means; empty: refused.
S3_EVENTS_USER = env.str("S3_EVENTS_USER", default="")
MAX_UPLOAD_BYTES = positive("MAX_UPLOAD_BYTES", default=2 * 1024**3)
# What a packed file, a workbook too, may grow to when it is unpacked, and the rows of any file, blank ones too.
MAX_UNPACKED_BYTES = positive("MAX_UNPACKED_BYTES", default=4 * 1024**3)
# A text file of so many bytes is shared by the ETL workers that are free, in splits of so many, up to four times that.
SPLIT_FROM_BYTES = positive("SPLIT_FROM_BYTES", default=32 * 1024**2)
SPLIT_BYTES = positive("SPLIT_BYTES", default=8 * 1024**2)
# How many processors of its machine a process of the ETL worker keeps busy with a large file: it reads, works and sends
# at once. More processes than that have nothing to share.
ETL_PROCESSORS = positive("ETL_PROCESSORS", default=2)
MAX_FILE_ROWS = positive("MAX_FILE_ROWS", default=100_000_000)
# Larger parts are spooled to disk by Django; the web process never holds a file.
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "apps.datasets.uploads.SizeLimitUploadHandler",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "apps.datasets.uploads.SpoolUploadHandler",
]
# How many files, and how many bytes, a day (UTC); 0: as many as one likes.
UPLOAD_FILES_PER_USER = natural("UPLOAD_FILES_PER_USER", default=0)
UPLOAD_BYTES_PER_USER = natural("UPLOAD_BYTES_PER_USER", default=0)
UPLOAD_FILES_PER_DEPARTMENT = natural("UPLOAD_FILES_PER_DEPARTMENT", default=0)
UPLOAD_BYTES_PER_DEPARTMENT = natural("UPLOAD_BYTES_PER_DEPARTMENT", default=0)
# How long what is of no more use is kept before `manage.py prune` deletes it.
RETENTION_DAYS = positive("RETENTION_DAYS", default=30)
# How many faults of a file are kept in detail; all are counted.
MAX_REJECTS_KEPT = positive("MAX_REJECTS_KEPT", default=100_000)

# --- Queues ---
QUEUE_PREFIX = env.str("QUEUE_PREFIX", default="aetherflow")
# On AWS: the queues' URL without their name, e.g. https://sqs.eu-central-1.amazonaws.com/123456789012
QUEUE_URL_BASE: str | None = env.str("QUEUE_URL_BASE", default=None)
if not (AWS_ENDPOINT_URL_SQS or QUEUE_URL_BASE):
    raise ImproperlyConfigured(
        "Neither QUEUE_URL_BASE nor AWS_ENDPOINT_URL_SQS is set. On AWS set QUEUE_URL_BASE to the queues' URL without "
        "their name, e.g. QUEUE_URL_BASE=https://sqs.eu-central-1.amazonaws.com/123456789012"
    )
QUEUE_VISIBILITY_SECONDS = positive("QUEUE_VISIBILITY_SECONDS", default=90)
QUEUE_MAX_RECEIVES = positive("QUEUE_MAX_RECEIVES", default=3)
QUEUE_BACKOFF_SECONDS = seconds_list("QUEUE_BACKOFF_SECONDS", default="30,120")
QUEUE_WAIT_SECONDS = positive("QUEUE_WAIT_SECONDS", default=2)
# Stage → seconds after which its task is asked to stop, and after which it is killed.
STAGE_TIME_LIMITS = {
    "etl": (
        positive("ETL_SOFT_TIME_LIMIT_SECONDS", default=3_000),
        positive("ETL_TIME_LIMIT_SECONDS", default=3_300),
    ),
    "ml": (
        positive("ML_SOFT_TIME_LIMIT_SECONDS", default=1_500),
        positive("ML_TIME_LIMIT_SECONDS", default=1_800),
    ),
}
for _stage, (_soft, _hard) in STAGE_TIME_LIMITS.items():
    # SQS hides a message for twelve hours at most; what is left of them is for the kill to be noticed.
    if not _soft < _hard <= 11 * 3600 - 2 * QUEUE_VISIBILITY_SECONDS:
        raise ImproperlyConfigured(
            f"{_stage.upper()}_SOFT_TIME_LIMIT_SECONDS={_soft} must be below {_stage.upper()}_TIME_LIMIT_SECONDS="
            f"{_hard}, and this at most 11 hours less two QUEUE_VISIBILITY_SECONDS, e.g. 3000 and 3300"
        )
# What running tasks get to finish when their worker is told to stop; then their messages go back to the queue.
WORKER_STOP_SECONDS = positive("WORKER_STOP_SECONDS", default=60)
# How many of a department's stages may be sent or in work at once; more where more task slots live.
DEPARTMENT_IN_FLIGHT = positive("DEPARTMENT_IN_FLIGHT", default=3)
# How long a send may take before somebody else sends in its place.
RELAY_GRACE_SECONDS = positive("RELAY_GRACE_SECONDS", default=15)
# How long a sent message may go unseen before its stage is sent again; above the longest time a short queue takes.
RESEND_SECONDS = positive("RESEND_SECONDS", default=900)
RELAY_INTERVAL_SECONDS = positive("RELAY_INTERVAL_SECONDS", default=5)
WORKER_HEARTBEAT_SECONDS = positive("WORKER_HEARTBEAT_SECONDS", default=10)
# How long a role in a container waits for what it needs, before it stops and says what that is.
START_WAIT_SECONDS = positive("START_WAIT_SECONDS", default=60)
# Touched by the loop of a worker or the relay; `config.alive` looks at its age.
ALIVE_FILE = env.str("ALIVE_FILE", default="")
WORKER_MEMORY_LIMIT_MB = natural("WORKER_MEMORY_LIMIT_MB", default=2_048)
WORKER_RECYCLE_MB = positive("WORKER_RECYCLE_MB", default=1_024)

# --- Accounts and the API ---
AUTH_USER_MODEL = "accounts.User"
# Only the console asks them; the API checks passwords itself.
AUTHENTICATION_BACKENDS = ["apps.accounts.lockout.Doorkeeper", "apps.accounts.roles.ConsoleBackend"]
SESSION_ENGINE = "apps.accounts.console_sessions"
# Of the console: a day's work, since what is left open there sees all departments.
SESSION_COOKIE_AGE = 12 * 60 * 60
REGISTRATION_POLICY = one_of("REGISTRATION_POLICY", ("open", "approval", "invite"), default="approval")
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["email", "full_name"]},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
ACCESS_TOKEN_LIFETIME = timedelta(seconds=positive("ACCESS_TOKEN_SECONDS", default=600))
REFRESH_TOKEN_LIFETIME = timedelta(seconds=positive("REFRESH_TOKEN_SECONDS", default=14 * 24 * 3600))
# Two tabs may rotate the same refresh token at once; a reuse later than this ends the session.
REFRESH_REUSE_GRACE = timedelta(seconds=positive("REFRESH_REUSE_GRACE_SECONDS", default=30))
# What is called `__Host-` came over TLS from this very host: no sibling domain can plant one. Its path has to be /.
_HOST_ONLY = "__Host-" if SECURE else ""
REFRESH_COOKIE_NAME = f"{_HOST_ONLY}aetherflow_refresh"
DEVICE_COOKIE_NAME = f"{_HOST_ONLY}aetherflow_device"
API_COOKIES_PATH = "/" if SECURE else "/api/v1/auth"
SESSION_COOKIE_NAME = f"{_HOST_ONLY}sessionid"
CSRF_COOKIE_NAME = f"{_HOST_ONLY}csrftoken"
# So many at once, and then again as many in that time, evenly. An office of fifty behind one address must be able to
# log in on a Monday morning.
RATE_LOGIN_ADDRESS = rate("RATE_LOGIN_ADDRESS", default="300/hour")
# Wrong guesses at one account: from one address or known device; from all that it does not know together.
RATE_LOGIN_PLACE = rate("RATE_LOGIN_PLACE", default="10/hour")
RATE_LOGIN_ACCOUNT = rate("RATE_LOGIN_ACCOUNT", default="50/hour")
GUESSING_TOLD = (1, timedelta(days=1))
RATE_REGISTER_ADDRESS = rate("RATE_REGISTER_ADDRESS", default="60/hour")
RATE_REFRESH_SESSION = rate("RATE_REFRESH_SESSION", default="300/hour")
RATE_PASSWORD_USER = rate("RATE_PASSWORD_USER", default="10/hour")
RATE_UPLOAD_USER = rate("RATE_UPLOAD_USER", default="600/hour")
RATE_UPLOAD_DEPARTMENT = rate("RATE_UPLOAD_DEPARTMENT", default="3000/hour")
RATE_RETRY_USER = rate("RATE_RETRY_USER", default="120/hour")
INVITATION_LIFETIME = timedelta(seconds=positive("INVITATION_SECONDS", default=7 * 24 * 3600))

# The first signs the API's tokens, and what any of them has signed is good: so a key is changed without logging anybody
# out (docs/operations.md).
JWT_KEYS: list[str] = [JWT_SIGNING_KEY, *env.list("JWT_ACCEPTED_KEYS", default=[])]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["apps.accounts.authentication.SessionJWTAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["config.parsers.JSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "config.negotiation.LenientContentNegotiation",
    # What OPTIONS would tell stands in the OpenAPI file; it looked objects up, which some views cannot bear.
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "config.openapi.ProblemAutoSchema",
    "EXCEPTION_HANDLER": "config.problems.exception_handler",
    "URL_FORMAT_OVERRIDE": None,
    "DATETIME_FORMAT": "iso-8601",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    # X-Forwarded-For is anybody's to write, but for the entries of our own proxies.
    "NUM_PROXIES": natural("TRUSTED_PROXIES", default=0),
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
DRF_STANDARDIZED_ERRORS = {
    "EXCEPTION_FORMATTER_CLASS": "config.problems.ProblemFormatter",
    "EXCEPTION_HANDLER_CLASS": "config.problems.ProblemHandler",
    "ENABLE_IN_DEBUG_FOR_UNHANDLED_EXCEPTIONS": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "AetherFlow",
    "DESCRIPTION": "Departments upload data files and get back clean, queryable rows and insights.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "RunStatus": "apps.jobs.models.JobStatus",
        "StageName": "apps.jobs.models.Stage",
        "HealthStatus": "apps.jobs.views.HEALTH",
        "CheckStatus": "apps.jobs.serializers.CHECK",
        "ColumnKind": "apps.datasets.serializers.KINDS",
        "FlagSeverity": "apps.datasets.serializers.SEVERITIES",
        "Verdict": "apps.insights.models.Verdict",
        "VerdictOrOpen": "apps.insights.views.reviews.VERDICT_OR_OPEN",
    },
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "config.openapi.complete"],
}

# --- Pages, static files, headers ---
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles"))
DASHBOARD_DIST = Path(env.str("DASHBOARD_DIST", default=str(BASE_DIR / "frontend" / "dist")))
WHITENOISE_ROOT = DASHBOARD_DIST if DASHBOARD_DIST.is_dir() else None
# Names with a hash of what they hold, the dashboard's and collectstatic's: a browser need never ask for them again.
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/assets/.+-[\w-]{8}\.\w+$|^/static/.+\.[0-9a-f]{12}\.\w+$"
WHITENOISE_ALLOW_ALL_ORIGINS = False
APPEND_SLASH = False
# Of all that chooses no policy of its own; see config/headers.py.
CONTENT_SECURITY_POLICY = {"DIRECTIVES": headers.DATA}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SECURE_SSL_REDIRECT = SECURE
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
if SECURE:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# --- The operators' console ---
UNFOLD = console.UNFOLD
ADMIN_PATH = address("ADMIN_PATH", default="admin/", taken=("api", "assets", "metrics", "static"))
# Who guesses passwords there is kept out by address and e-mail together: of one of them alone others are kept out too.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = positive("CONSOLE_WRONG_PASSWORDS", default=5)
AXES_COOLOFF_TIME = timedelta(seconds=positive("CONSOLE_LOCKOUT_SECONDS", default=900))
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_HANDLER = "apps.accounts.lockout.Handler"
AXES_USERNAME_FORM_FIELD = "username"
AXES_USERNAME_CALLABLE = "apps.accounts.lockout.email_typed"
AXES_CLIENT_IP_CALLABLE = "apps.accounts.authentication.address_of"
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "csrfmiddlewaretoken", "code"]
# The audit has the log-ins, and no table of the console shows what was typed at its door.
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = AXES_VERBOSE = False
# Its middleware would answer in the place of our page.
SILENCED_SYSTEM_CHECKS = ["axes.W002"]
# Whether a code of an app on their phone is asked of operators beside the password: of nobody, of who has set it up, or
# of everybody, who then has to set it up first.
CONSOLE_TOTP = one_of("CONSOLE_TOTP", ("off", "optional", "required"), default="optional")
OTP_TOTP_ISSUER = "AetherFlow console"
# Where log lines are read, with {request_id}, {job_id} or {dataset_id} in it; the page of a job leads there.
LOG_LINK = env.str("LOG_LINK", default="")
if LOG_LINK and not LOG_LINK.startswith(("https://", "http://")):
    raise ImproperlyConfigured(
        f"LOG_LINK={LOG_LINK!r} is no address. Set it to the page that shows log lines, e.g. "
        "LOG_LINK=https://logs.example.com/search?q={request_id}"
    )

# Whom to tell of a hole in this installation: /.well-known/security.txt says it.
SECURITY_CONTACT = env.str("SECURITY_CONTACT", default="")
if SECURITY_CONTACT and not re.fullmatch(r"(mailto:|https://|tel:)\S+", SECURITY_CONTACT):
    raise ImproperlyConfigured(
        f"SECURITY_CONTACT={SECURITY_CONTACT!r} is no address of RFC 9116. Write it as one, e.g. "
        "SECURITY_CONTACT=mailto:security@example.com"
    )

# --- Metrics ---
# Who shows it as a bearer token may read /metrics; empty: only admins may.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
# Where several web processes of one machine keep their counts, so that each can tell the sum of all.
PROMETHEUS_MULTIPROC_DIR = env.str("PROMETHEUS_MULTIPROC_DIR", default="")
if not PROMETHEUS_MULTIPROC_DIR:
    # The client library takes an empty one for set, and would write its files into the current folder.
    os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
elif not Path(PROMETHEUS_MULTIPROC_DIR).is_dir():
    raise ImproperlyConfigured(
        f"PROMETHEUS_MULTIPROC_DIR={PROMETHEUS_MULTIPROC_DIR!r} is no folder. Make an empty one before each start of "
        "the web server: rm -rf /run/aetherflow/metrics && mkdir -p /run/aetherflow/metrics"
    )

# --- Logs ---
LOGGING = logging_config(
    fmt=one_of("LOG_FORMAT", ("json", "console"), default="json"), level=env.str("LOG_LEVEL", default="INFO")
)
LOGGING_CONFIG = "config.logs.configure"
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
# One line a request: its end says all that its start does, and how it went.
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG
