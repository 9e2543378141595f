"""Operations: one act on many jobs or uploads, and what came of each of them."""

import uuid

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q

from apps.accounts import rows
from apps.datasets.models import Dataset
from apps.jobs.models.jobs import Job


class OperationKind(models.TextChoices):
    """What is done to many. Retry and cancel act on jobs, the others on the uploads that the jobs are of."""

    RETRY = "retry"
    REPROCESS_ETL = "reprocess-etl", "Reprocess from etl"
    REPROCESS_ML = "reprocess-ml", "Reprocess from ml"
    UNDO = "undo"
    CANCEL = "cancel"


# What they act on is not the jobs' uploads.
OF_JOBS = frozenset({OperationKind.RETRY, OperationKind.CANCEL})


class Operation(models.Model):
    """One act on many jobs or uploads, as somebody asked for it; the relay does it, item by item."""

    rows_of = rows.Operators()

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=20, choices=OperationKind)
    reason = models.TextField()
    filter_words = models.TextField(help_text="What was asked for, as it was shown to who asked.")
    filter = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)
    rate = models.PositiveIntegerField(help_text="Items a minute, at most.")
    next_at = models.DateTimeField(help_text="Its next item is not worked before.")

    # What its items come to. Those that wait, or were left where it was stopped, are the rest.
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)

    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="operations")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    stopped_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    stopped_at = models.DateTimeField(null=True, blank=True)
    # Of who asked, for the audit's entries of the items.
    address = models.GenericIPAddressField(null=True, blank=True)
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-started_at", "-id"]
        default_permissions = ("view",)
        permissions = [("stop_operation", "Can stop operations")]
        indexes = [models.Index(fields=["next_at"], name="operation_running", condition=Q(ended_at=None))]
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="operation_has_a_reason"),
            models.CheckConstraint(condition=Q(rate__gt=0), name="operation_moves"),
            models.CheckConstraint(condition=Q(total__gte=F("done") + F("refused")), name="operation_no_more_than_all"),
            models.CheckConstraint(
                name="operation_stopped_by_somebody_and_ended",
                condition=Q(stopped_at=None, stopped_by=None)
                | Q(stopped_at__isnull=False, stopped_by__isnull=False, ended_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.filter_words}"

    @property
    def left(self) -> int:
        """Items that wait, or that were not reached when it was stopped."""
        return self.total - self.done - self.refused


class ItemStatus(models.TextChoices):
    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"
    LEFT = "left", "Left: the operation was stopped"


class OperationItem(models.Model):
    """One job or one upload that an operation acts on, and what came of it, in words."""

    rows_of = rows.Operators()

    id = models.BigAutoField(primary_key=True)
    operation = models.ForeignKey(Operation, on_delete=models.CASCADE, related_name="items", db_index=False)
    # The operation's, repeated: nothing waits twice for the same.
    kind = models.CharField(max_length=20, choices=OperationKind)
    job = models.ForeignKey(Job, on_delete=models.CASCADE, null=True, blank=True, related_name="operation_items")
    dataset = models.ForeignKey(
        Dataset, on_delete=models.CASCADE, null=True, blank=True, related_name="operation_items"
    )
    status = models.CharField(max_length=10, choices=ItemStatus, default=ItemStatus.WAITING)
    words = models.TextField(blank=True)
    at = models.DateTimeField(null=True, blank=True, help_text="When it came to that; empty: it waits.")

    class Meta:
        ordering = ["operation", "id"]
        default_permissions = ("view",)
        indexes = [models.Index(fields=["operation", "status", "id"], name="operationitem_of_operation")]
        constraints = [
            models.CheckConstraint(
                name="operationitem_a_job_or_an_upload",
                condition=Q(job=None, dataset__isnull=False) | Q(job__isnull=False, dataset=None),
            ),
            models.CheckConstraint(
                name="operationitem_at_iff_not_waiting",
                condition=Q(status=ItemStatus.WAITING, at=None) | (~Q(status=ItemStatus.WAITING) & Q(at__isnull=False)),
            ),
            models.UniqueConstraint(
                fields=["kind", "job"], condition=Q(status=ItemStatus.WAITING), name="operationitem_job_waits_once"
            ),
            models.UniqueConstraint(
                fields=["kind", "dataset"],
                condition=Q(status=ItemStatus.WAITING),
                name="operationitem_upload_waits_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.job or self.dataset}"
