"""The Celery application: `celery -A celery_app worker -Q etl` (or `-Q ml`), started apart and scaled apart."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

import apps.jobs.worker  # noqa: E402  (models need the setup above)
from apps.jobs.broker import app  # noqa: E402

__all__ = ["app", "apps"]
