"""The database backend: Django's own, with a schema editor that knows partitioned tables.

Django has no declaration for them, and a hand-written migration per department would break the promise that a
department is one folder plus what `makemigrations` writes. A model that inherits `ListPartitioned` keeps that base in
its migration, so the editor below sees it there too.
"""

from typing import Any

from django.db.backends.postgresql import base, schema
from django.db.models import Model


class PartitionedSchemaEditor(schema.DatabaseSchemaEditor):
    """Creates `PARTITION BY LIST (column)` tables together with their first, shared partition."""

    def table_sql(self, model: type[Model]) -> tuple[str, list[Any]]:
        sql, params = super().table_sql(model)
        column = getattr(model, "partition_column", None)
        if column:
            sql = f"{sql} PARTITION BY LIST ({self.quote_name(column)})"
        return sql, params

    def create_model(self, model: type[Model]) -> None:
        super().create_model(model)
        if getattr(model, "partition_column", None):
            table = model._meta.db_table
            self.execute(
                f"CREATE TABLE {self.quote_name(table + model.shared_partition_suffix)} "  # type: ignore[attr-defined]
                f"PARTITION OF {self.quote_name(table)} FOR VALUES IN ({model.shared_partition_key:d})"  # type: ignore[attr-defined]
            )


class DatabaseWrapper(base.DatabaseWrapper):
    SchemaEditorClass = PartitionedSchemaEditor
