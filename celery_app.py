"""The Celery application: `celery -A celery_app worker -Q etl` (or `-Q ml`), started apart and scaled apart."""

import os

import django
from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from apps.jobs.worker import install  # noqa: E402  (models need the setup above)

app = Celery("aetherflow")
install(app)
