"""What the workers tell of themselves: their sign of life, and the counts of their attempts."""

import math

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from apps.accounts import rows
from apps.jobs.models.jobs import Stage


class Outcome(models.TextChoices):
    """Of one attempt at a stage."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    DEAD_LETTERED = "dead_lettered", "failed for the last time"


# In seconds. Another set of bounds needs a migration: counts of the old ones cannot be sorted into it.
DURATION_BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, math.inf)


class StageTally(models.Model):
    """How many attempts there ever were, how long they took, how many rows they brought: for ever, as a counter is.

    The workers' counters: they answer no HTTP, and runs of old jobs may be deleted while these only grow.
    """

    rows_of = rows.Department()

    id = models.BigAutoField(primary_key=True)
    stage = models.CharField(max_length=3, choices=Stage)
    department = models.CharField(max_length=40)
    outcome = models.CharField(max_length=13, choices=Outcome)
    attempts = models.BigIntegerField(default=0)
    seconds_total = models.FloatField(default=0)
    rows_read = models.BigIntegerField(default=0)
    rows_loaded = models.BigIntegerField(default=0)
    rows_rejected = models.BigIntegerField(default=0)
    rows_duplicate = models.BigIntegerField(default=0)
    duration_buckets = ArrayField(
        models.BigIntegerField(), help_text="Attempts that took no longer than each of DURATION_BOUNDS."
    )

    class Meta:
        ordering = ["stage", "department", "outcome"]
        verbose_name_plural = "stage tallies"
        constraints = [
            models.UniqueConstraint(fields=["stage", "department", "outcome"], name="stagetally_once"),
            models.CheckConstraint(
                name="stagetally_a_bucket_per_bound",
                condition=Q(duration_buckets__len=len(DURATION_BOUNDS)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.department}: {self.stage} {self.outcome}"


class WorkerHeartbeat(models.Model):
    """The last sign of life of a worker process, or of a relay (queue "relay", no slots).

    SQS carries no Celery events, so this is how one knows.
    """

    name = models.CharField(primary_key=True, max_length=200)
    queues = ArrayField(models.CharField(max_length=100))
    slots = models.IntegerField(default=0, help_text="How many tasks it works at once.")
    sharers = models.IntegerField(
        db_default=0, help_text="How many of them have processors to share a large file with each other."
    )
    pid = models.IntegerField()
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
