"""Insights as they were computed: what, from which data, by which method."""

import uuid

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from apps.datasets.models import Dataset


class Insight(models.Model):
    """One computed insight of a department.

    `computed_at` is the moment of the snapshot it was computed from, so the newest is the one that saw the newest
    rows, whichever run finished last. `dataset` is the upload whose run computed it; `basis` says what it covers.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    department = models.CharField(max_length=40)
    kind = models.CharField(max_length=60)
    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="insights")
    computed_at = models.DateTimeField()
    method = models.TextField()
    quality = models.JSONField(null=True, blank=True)
    summary = models.TextField()
    data = models.JSONField(encoder=DjangoJSONEncoder)
    basis = models.JSONField(default=dict, blank=True, help_text="Datasets and rows the insight was computed over.")

    class Meta:
        ordering = ["-computed_at"]
        constraints = [models.UniqueConstraint(fields=["dataset", "kind"], name="insight_once_per_dataset_and_kind")]
        indexes = [models.Index(fields=["department", "kind", "-computed_at"], name="insight_latest")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.department}"
