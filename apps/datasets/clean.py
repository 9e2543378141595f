"""The clean tables: one typed, list-partitioned PostgreSQL table per department, derived from its pandera schema.

A row is keyed by (bucket, dataset_no, line): `line` is the line of the user's file, `dataset_no` the dataset's short
number, `bucket` the partition (0 = the shared one; a large dataset may get its own). Rows are written by COPY into the
partition and read through the parent, so that row-level security can stand on the parent alone.
"""

from collections.abc import Mapping

from django.db import models

from aetherflow.columns import Column
from aetherflow.department import Department
from aetherflow.registry import departments
from apps.accounts import rows

RESERVED = ("pk", "bucket", "dataset_no", "line")


class ListPartitioned:
    """Read by the schema editor in `config.postgresql`; a plain base, so that migrations keep it."""

    partition_column = "bucket"
    shared_partition_suffix = "_shared"
    shared_partition_key = 0


def _field(column: Column) -> models.Field:
    """The PostgreSQL type of a schema column: the database refuses what the schema would have refused."""
    # No help text: a better description in the schema must not ask for a migration.
    options: dict[str, object] = {"null": column.nullable}
    match column.kind:
        case "text":
            return models.CharField(max_length=column.max_length, **options)  # type: ignore[arg-type]
        case "integer":
            return models.BigIntegerField(**options)  # type: ignore[arg-type]
        case "number":
            return models.DecimalField(
                max_digits=column.max_digits,
                decimal_places=column.decimal_places,
                **options,  # type: ignore[arg-type]
            )
        case "date":
            return models.DateField(**options)  # type: ignore[arg-type]


def _model(department: Department) -> type[models.Model]:
    name = department.slug.title().replace("_", "") + "Row"
    fields: dict[str, object] = {column.name: _field(column) for column in department.columns}
    if clash := [column for column in fields if column in RESERVED]:
        raise TypeError(f"{department.slug}: column names {clash} are reserved for the row's key")
    meta = type(
        "Meta",
        (),
        {
            "app_label": "datasets",
            "db_table": f"clean_{department.slug}",
            "verbose_name_plural": department.table,
        },
    )
    body = {
        "__module__": __name__,
        "__qualname__": name,
        "__doc__": f"A clean row of {department.table}.",
        "rows_of": rows.Table(department.slug),
        "pk": models.CompositePrimaryKey("bucket", "dataset_no", "line"),
        "bucket": models.BigIntegerField(default=0),
        "dataset_no": models.BigIntegerField(),
        "line": models.BigIntegerField(),
        **fields,
        "Meta": meta,
    }
    return type(name, (ListPartitioned, models.Model), body)


CLEAN_TABLES: Mapping[str, type[models.Model]] = {slug: _model(each) for slug, each in departments().items()}


def clean_table(department: str) -> type[models.Model]:
    return CLEAN_TABLES[department]
