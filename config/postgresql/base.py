"""The database backend: Django's own, with a schema editor that knows partitioned tables, and with cursors that say in
whose scope a statement is.

Django has no declaration for them, and a hand-written migration per department would break the promise that a
department is one folder plus what `makemigrations` writes. A model that inherits `ListPartitioned` keeps that base in
its migration, so the editor below sees it there too.
"""

from typing import Any

from django.db.backends.postgresql import base, operations, schema
from django.db.models import Model

from config.postgresql.cursor import scoped_cursor, without_scope


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


class DatabaseOperations(operations.DatabaseOperations):
    def last_executed_query(self, cursor: Any, sql: str, params: Any) -> str:
        return without_scope(super().last_executed_query(cursor, sql, params) or "")


class DatabaseWrapper(base.DatabaseWrapper):
    SchemaEditorClass = PartitionedSchemaEditor
    ops_class = DatabaseOperations

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        # The owner is above departments: it changes tables, some of them by statements that must stand alone.
        if role := self.settings_dict["OPTIONS"].get("assume_role"):
            connection.cursor_factory = scoped_cursor(role)
        return connection
