"""The Celery application: `celery -A celery_app worker -Q etl` (or `-Q ml`), started apart and scaled apart."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from apps.jobs.worker import app  # noqa: E402  (models need the setup above)

__all__ = ["app"]
