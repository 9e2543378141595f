"""Migrate to and fro in a test, as the owner does; what `migrate` gives after that, it gives too."""

from typing import Any

from django.conf import settings
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from config.postgresql.isolation import secure


def newest(app: str) -> str:
    ((_, name),) = MigrationExecutor(connections["owner"]).loader.graph.leaf_nodes(app)
    return name


def migrate(app: str, name: str) -> Any:
    """The apps as they are at this migration."""
    executor = MigrationExecutor(connections["owner"])
    executor.migrate([(app, name)])
    secure(using="owner")
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"GRANT TRUNCATE ON ALL TABLES IN SCHEMA public TO {settings.WEB_ROLE}")
    return executor.loader.project_state([(app, name)]).apps
