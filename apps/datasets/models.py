"""Datasets, what was wrong with their rows, and the clean tables."""

import uuid
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils.functional import cached_property

from apps.accounts import rows
from apps.datasets.clean import CLEAN_TABLES, clean_table

__all__ = [
    "CLEAN_TABLES",
    "Dataset",
    "DirectUpload",
    "HeaderMapping",
    "OnError",
    "Overlap",
    "Reject",
    "RowDigests",
    "UploadState",
    "clean_table",
]


class OnError(models.TextChoices):
    """What becomes of a file some of whose rows are wrong."""

    QUARANTINE = "quarantine", "load the good rows, keep the others aside"
    REFUSE = "refuse", "refuse the whole file"


class DatasetManager(models.Manager["Dataset"]):
    """Without the profile, which is as long as all else together: it is read when it is asked for."""

    def get_queryset(self) -> models.QuerySet["Dataset"]:
        return super().get_queryset().defer("profile")


class Dataset(models.Model):
    """One uploaded file of one department. `number` orders uploads and keys their rows in the clean tables."""

    rows_of = rows.Department()

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
    sha256_claimed = models.BooleanField(
        db_default=False, help_text="Said by its uploader; a worker that reads the file has yet to find it true."
    )
    on_error = models.CharField(max_length=10, choices=OnError, default=OnError.QUARANTINE)
    max_reject_share = models.FloatField()
    read_options = models.JSONField(
        default=dict, blank=True, help_text="What the uploader said of the file; the rest is found by looking at it."
    )
    corrects = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="corrections",
        help_text="The upload whose rejected rows this one brings mended; never a correction itself.",
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
    rejects_by_column = models.JSONField(default=list, blank=True)
    rejected_lines = models.BigIntegerField(default=0, help_text="Lines with a fault, duplicates among them.")
    listed_lines = models.BigIntegerField(default=0)
    listed_faults = models.BigIntegerField(default=0)
    listing_limit = models.PositiveIntegerField(null=True, blank=True, help_text="In faults; none: not read yet.")
    # `Profile.as_dict` and, under `drift`, what has changed since the upload before; null until the first load.
    profile = models.JSONField(null=True, blank=True)
    loaded_at = models.DateTimeField(null=True, blank=True)
    rows_bucket = models.BigIntegerField(
        default=0, help_text="The partition its clean rows stand in; 0: the shared one."
    )
    # Of the loaded rows, seen beside the uploads before it that counted then; null where that is not known.
    rows_new = models.BigIntegerField(null=True, blank=True)
    rows_changed = models.BigIntegerField(null=True, blank=True)
    rows_unchanged = models.BigIntegerField(null=True, blank=True)
    digest_version = models.PositiveSmallIntegerField(
        default=0, help_text="By which rule its rows' digests were made; 0: there are none."
    )

    deleted_at = models.DateTimeField(null=True, blank=True)
    raw_deleted_at = models.DateTimeField(
        null=True, blank=True, help_text="When the raw file of an undone upload went, its retention over."
    )
    deleted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = DatasetManager()

    class Meta:
        ordering = ["-number"]
        permissions = [("reprocess_dataset", "Can have uploads worked again"), ("undo_dataset", "Can undo uploads")]
        indexes = [
            models.Index(fields=["department", "-number"], name="dataset_department_recent"),
            models.Index(fields=["department", "sha256"], name="dataset_department_sha256"),
            # Names are looked through for a part of them here, in a tenth of the pages that the rows themselves fill.
            models.Index(fields=["name", "id"], name="dataset_names"),
        ]
        constraints = [
            models.CheckConstraint(
                name="dataset_rows_add_up",
                condition=Q(rows_read=F("rows_loaded") + F("rows_rejected") + F("rows_duplicate")),
            ),
            models.CheckConstraint(
                name="dataset_changes_add_up",
                condition=Q(rows_new=None, rows_changed=None, rows_unchanged=None)
                | Q(
                    rows_new__isnull=False,
                    rows_changed__isnull=False,
                    rows_unchanged__isnull=False,
                    rows_loaded=F("rows_new") + F("rows_changed") + F("rows_unchanged"),
                ),
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
            models.CheckConstraint(
                name="dataset_lists_no_more_than_was_rejected", condition=Q(listed_lines__lte=F("rejected_lines"))
            ),
            models.CheckConstraint(name="dataset_corrects_another", condition=~Q(corrects=F("id"))),
            # What the foreign key of the migration leads to: a correction is of its upload's department.
            models.UniqueConstraint(name="dataset_of_department", fields=["id", "department"]),
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

    def reject_totals(self) -> dict[str, Any]:
        return {
            "rows": self.rejected_lines,
            "faults": sum(self.rejects_by_code.values()),
            "listed_rows": self.listed_lines,
            "listed": self.listed_faults,
            "limit": self.listing_limit,
            "cut": self.listed_lines < self.rejected_lines,
        }

    @cached_property
    def live_corrections(self) -> "list[Dataset]":
        """Oldest first. Filtered here, so that a page of datasets may fetch them all at once."""
        live = [each for each in self.corrections.all() if each.deleted_at is None]
        return sorted(live, key=lambda each: each.number)

    def corrected(self) -> int:
        """Rows that live corrections have brought; which of the rejected ones they were cannot be known."""
        return sum(each.rows_loaded for each in self.live_corrections)

    def changes(self) -> dict[str, int] | None:
        """What the last load changed of what counted before it; None where that is not known."""
        if self.rows_new is None or self.rows_changed is None or self.rows_unchanged is None:
            return None
        return {
            "new": self.rows_new,
            "changed": self.rows_changed,
            "unchanged": self.rows_unchanged,
            "superseded": self.rows_changed + self.rows_unchanged,
        }


class RowDigests(models.Model):
    """The digests of a dataset's loaded rows, in the order of their keys: `part` holds those of one of
    2**`part_bits(rows)` equal ranges of keys, and there is none for a range without rows.

    `digests` are 16 bytes a row, kept in the table itself and uncompressed (migration 0006): so small a part is found
    by the primary key and read in one go.
    """

    pk = models.CompositePrimaryKey("dataset_no", "part")
    dataset_no = models.BigIntegerField()
    part = models.IntegerField()
    digests = models.BinaryField()

    def __str__(self) -> str:
        return f"dataset {self.dataset_no}, part {self.part}"


class Overlap(models.Model):
    """How many natural keys two uploads of a department share, both of them loaded and not undone; none: no row."""

    rows_of = rows.Parent("newer")

    id = models.BigAutoField(primary_key=True)
    older = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="overlaps_with_newer")
    newer = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="overlaps_with_older")
    rows = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["older", "newer"], name="overlap_of_two_once"),
            models.CheckConstraint(name="overlap_of_some_rows", condition=Q(rows__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.rows} rows of {self.older_id} in {self.newer_id}"


class RetiredPartition(models.Model):
    """A partition whose rows stand elsewhere now, to be dropped a little later."""

    rows_of = rows.Department()

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

    rows_of = rows.Department()

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

    rows_of = rows.Parent("dataset")

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


class UploadTally(models.Model):
    """What somebody, or a department, has uploaded on a day (UTC), what is under way included; see `quotas`."""

    day = models.DateField()
    whose = models.CharField(max_length=80)
    files = models.BigIntegerField()
    size_bytes = models.BigIntegerField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["day", "whose"], name="uploadtally_one_a_day")]

    def __str__(self) -> str:
        return f"{self.day}: {self.whose}"


class UploadState(models.TextChoices):
    OPEN = "open", "open"
    COMPLETED = "completed", "completed"
    ABORTED = "aborted", "aborted"
    EXPIRED = "expired", "expired"


class DirectUpload(models.Model):
    """A file on its way to the store past the gateway, in parts (docs/adr/0013).

    OPEN → COMPLETED | ABORTED | EXPIRED
    """

    rows_of = rows.Department()

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    department = models.CharField(max_length=40)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="direct_uploads")
    dataset_id = models.UUIDField(unique=True, default=uuid.uuid4, help_text="Of the dataset that it becomes.")
    filename = models.CharField(max_length=255)
    key = models.CharField(max_length=512, unique=True)
    store_id = models.TextField(help_text="What the store calls the upload.")
    size_bytes = models.BigIntegerField()
    part_size = models.BigIntegerField()
    sha256 = models.CharField(max_length=64, blank=True, default="", help_text="Of the whole file, where it was said.")

    # What the dataset is recorded with.
    name = models.CharField(max_length=200, blank=True, default="")
    description = models.TextField(blank=True, default="")
    on_error = models.CharField(max_length=10, choices=OnError, default=OnError.QUARANTINE)
    max_reject_share = models.FloatField(null=True, blank=True)
    read_options = models.JSONField(default=dict, blank=True)
    corrects = models.ForeignKey(Dataset, on_delete=models.CASCADE, null=True, blank=True, related_name="+")

    idempotency_key = models.CharField(max_length=200, blank=True, default="")
    set_aside = ArrayField(
        models.CharField(max_length=80), default=list, blank=True, help_text="Whose quotas it counts in."
    )
    state = models.CharField(max_length=10, choices=UploadState, default=UploadState.OPEN)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        ordering = ["-created_at", "id"]
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(state="open"), name="directupload_open"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "idempotency_key"],
                condition=~Q(idempotency_key=""),
                name="directupload_key_once",
            ),
            models.CheckConstraint(
                name="directupload_finished_unless_open",
                condition=Q(state="open", finished_at=None) | (~Q(state="open") & Q(finished_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="directupload_of_some_bytes", condition=Q(size_bytes__gt=0) & Q(part_size__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.filename} ({self.department}, {self.state})"

    @property
    def part_count(self) -> int:
        return -(-self.size_bytes // self.part_size)

    def size_of_part(self, number: int) -> int:
        """All are of one size but for the last, which is the rest."""
        return min(self.part_size, self.size_bytes - (number - 1) * self.part_size)
