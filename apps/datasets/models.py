"""Datasets, what was wrong with their rows, and the clean tables."""

import uuid
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Func, Q, Value

from apps.datasets.clean import CLEAN_TABLES, clean_table

__all__ = ["CLEAN_TABLES", "Dataset", "HeaderMapping", "OnError", "Reject", "clean_table"]


class OnError(models.TextChoices):
    """What becomes of a file some of whose rows are wrong."""

    QUARANTINE = "quarantine", "load the good rows, keep the others aside"
    REFUSE = "refuse", "refuse the whole file"


class Dataset(models.Model):
    """One uploaded file of one department. `number` orders uploads and keys their rows in the clean tables."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.BigIntegerField(
        unique=True,
        editable=False,
        db_default=Func(Value("datasets_dataset_number"), function="nextval"),
    )
    department = models.CharField(max_length=40)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True, default="")
    original_filename = models.CharField(max_length=255)
    bucket = models.CharField(max_length=120)
    key = models.CharField(max_length=512, unique=True)
    size_bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    on_error = models.CharField(max_length=10, choices=OnError, default=OnError.QUARANTINE)
    max_reject_share = models.FloatField()
    read_options = models.JSONField(
        default=dict, blank=True, help_text="What the uploader said of the file; the rest is found by looking at it."
    )

    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="datasets")
    uploaded_at = models.DateTimeField()

    # What the last successful load found.
    reading = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)
    rows_read = models.BigIntegerField(default=0)
    rows_loaded = models.BigIntegerField(default=0)
    rows_rejected = models.BigIntegerField(default=0)
    rows_duplicate = models.BigIntegerField(default=0)
    rejects_by_code = models.JSONField(default=dict, blank=True)
    loaded_at = models.DateTimeField(null=True, blank=True)
    rows_bucket = models.BigIntegerField(
        default=0, help_text="The partition its clean rows stand in; 0: the shared one."
    )

    deleted_at = models.DateTimeField(null=True, blank=True)
    deleted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["-number"]
        indexes = [
            models.Index(fields=["department", "-number"], name="dataset_department_recent"),
            models.Index(fields=["department", "sha256"], name="dataset_department_sha256"),
        ]
        constraints = [
            models.CheckConstraint(
                name="dataset_rows_add_up",
                condition=Q(rows_read=F("rows_loaded") + F("rows_rejected") + F("rows_duplicate")),
            ),
            models.CheckConstraint(
                name="dataset_deleted_by_someone",
                condition=Q(deleted_at__isnull=True, deleted_by__isnull=True)
                | Q(deleted_at__isnull=False, deleted_by__isnull=False),
            ),
            models.CheckConstraint(
                name="dataset_reject_share_is_a_share",
                condition=Q(max_reject_share__gte=0) & Q(max_reject_share__lte=1),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.department})"

    def counts(self) -> dict[str, Any]:
        return {
            "read": self.rows_read,
            "loaded": self.rows_loaded,
            "rejected": self.rows_rejected,
            "duplicate": self.rows_duplicate,
        }


class RetiredPartition(models.Model):
    """A partition whose rows stand elsewhere now, to be dropped a little later."""

    id = models.BigAutoField(primary_key=True)
    department = models.CharField(max_length=40)
    bucket = models.BigIntegerField(unique=True)
    retired_at = models.DateTimeField()

    class Meta:
        ordering = ["retired_at"]

    def __str__(self) -> str:
        return f"{self.department}, bucket {self.bucket}"


class HeaderMapping(models.Model):
    """What the labels of a department's files of one shape mean, as somebody said of a file that then loaded."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    department = models.CharField(max_length=40)
    shape = models.CharField(max_length=64, help_text="`aetherflow.etl.mapping.header_shape` of the header.")
    header = models.JSONField(help_text="The labels of the file it was given with.")
    mapping = models.JSONField(help_text="From label to column; null leaves a column out.")
    given_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    given_at = models.DateTimeField()

    class Meta:
        ordering = ["-given_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["department", "shape"], name="header_mapping_one_per_shape"),
        ]

    def __str__(self) -> str:
        return f"{self.department}: {', '.join(self.mapping)}"[:200]


class Reject(models.Model):
    """One thing wrong with one line of a dataset's file; a line with two bad cells has two."""

    id = models.BigAutoField(primary_key=True)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="rejects")
    line = models.BigIntegerField(help_text="Line of the user's file; the header is line 1.")
    column = models.TextField(null=True, blank=True, help_text="The header as the user wrote it.")  # noqa: DJ001
    value = models.TextField(null=True, blank=True)  # noqa: DJ001  (no value is not an empty one)
    code = models.CharField(max_length=40)
    message = models.TextField()
    hint = models.TextField(blank=True)
    cells = ArrayField(models.TextField(), help_text="The line's cells as they were, in the file's order.")

    class Meta:
        ordering = ["dataset", "line", "id"]
        indexes = [
            models.Index(fields=["dataset", "line", "id"], name="reject_dataset_line"),
            models.Index(fields=["dataset", "code"], name="reject_dataset_code"),
        ]

    def __str__(self) -> str:
        return f"line {self.line}: {self.code}"
