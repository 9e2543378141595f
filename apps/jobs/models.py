"""Jobs, their stages, the journal of every change of state, operations on many of them, and the workers' heartbeats."""

import math
import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from apps.datasets.models import Dataset


class Stage(models.TextChoices):
    ETL = "etl"
    ML = "ml"


class State(models.TextChoices):
    """Of a stage. queued → processing → succeeded | failed; the arrows are in `services.transitions.NEXT`."""

    QUEUED = "queued"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


FINISHED = frozenset({State.SUCCEEDED, State.FAILED})
ACTIVE = frozenset(State) - FINISHED


class JobStatus(models.TextChoices):
    """Of a job, following from its stages."""

    QUEUED = "queued"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Cause(models.TextChoices):
    UPLOAD = "upload"
    REPROCESS = "reprocess"
    UNDO = "undo", "undo of another upload"
    SETTINGS = "settings", "change of a setting"
    MESSAGE = "message", "message from another producer"


class Job(models.Model):
    """One run of one dataset through the pipeline."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="jobs")
    # The dataset's, repeated: every list filters by it.
    department = models.CharField(max_length=40)
    cause = models.CharField(max_length=10, choices=Cause, default=Cause.UPLOAD)
    status = models.CharField(max_length=10, choices=JobStatus, default=JobStatus.QUEUED)
    stage = models.CharField(max_length=3, choices=Stage, help_text="The stage it is at, or ended at.")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="jobs"
    )
    request_id = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        permissions = [
            ("retry_job", "Can retry failed jobs"),
            ("cancel_job", "Can cancel jobs"),
            ("rescue_job", "Can give orphaned jobs back to the line"),
            # Dead letters lie in SQS and have no table of their own.
            ("view_deadletter", "Can look at dead letters"),
            ("redrive_deadletter", "Can put dead letters back into their queue"),
            ("discard_deadletter", "Can throw dead letters away"),
            ("purge_deadletter", "Can throw all dead letters of a queue away"),
        ]
        indexes = [
            models.Index(fields=["department", "-created_at"], name="job_department_recent"),
            models.Index(fields=["status", "-created_at"], name="job_status_recent"),
            # The order of the operators' list.
            models.Index(fields=["-created_at", "-id"], name="job_recent"),
            models.Index(fields=["finished_at"], name="job_finished", condition=Q(finished_at__isnull=False)),
            models.Index(fields=["request_id"], name="job_request"),
            models.Index(
                fields=["department", "-finished_at"], name="job_last_success", condition=Q(status="succeeded")
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["dataset"],
                condition=Q(status__in=[JobStatus.QUEUED, JobStatus.PROCESSING]),
                name="job_one_active_per_dataset",
            ),
            models.CheckConstraint(
                name="job_finished_at_iff_finished",
                condition=Q(status__in=[JobStatus.SUCCEEDED, JobStatus.FAILED], finished_at__isnull=False)
                | Q(status__in=[JobStatus.QUEUED, JobStatus.PROCESSING], finished_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"job {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("job-detail", kwargs={"job_id": self.pk})


class StageRun(models.Model):
    """A job's way through one stage; the row is the outbox of the stage's message.

    `token` is the fencing token: it grows with every claim, and only the holder of the newest may change the run.
    `attempts` is what a person reads ("attempt 1 of 3"): the receives of the message in work.
    """

    id = models.BigAutoField(primary_key=True)
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="stages")
    # The job's, repeated: each department has its own share of the line.
    department = models.CharField(max_length=40)
    stage = models.CharField(max_length=3, choices=Stage)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    token = models.BigIntegerField(default=0)
    attempts = models.IntegerField(default=0)
    max_attempts = models.IntegerField()
    message_id = models.CharField(max_length=100, blank=True, help_text="The SQS message of the newest claim.")
    worker = models.CharField(max_length=200, blank=True)

    queued_at = models.DateTimeField()
    # A lease: whoever is about to send the message moves it on, so that nobody else sends the same one meanwhile.
    send_after = models.DateTimeField(help_text="While it is not sent: nobody else may send it before.")
    dispatched_at = models.DateTimeField(null=True, blank=True, help_text="Empty: it waits in the outbox.")
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    dead_lettered = models.BooleanField(default=False)

    progress_done = models.BigIntegerField(default=0)
    progress_total = models.BigIntegerField(default=0)
    progress_unit = models.CharField(max_length=10, blank=True)
    rows_read = models.BigIntegerField(default=0)
    rows_loaded = models.BigIntegerField(default=0)
    rows_rejected = models.BigIntegerField(default=0)
    rows_duplicate = models.BigIntegerField(default=0)

    error_code = models.CharField(max_length=60, blank=True)
    error_message = models.TextField(blank=True)
    error_hint = models.TextField(blank=True)
    error_details = models.JSONField(default=dict, blank=True, encoder=DjangoJSONEncoder)
    traceback = models.TextField(blank=True, help_text="For operators only.")

    class Meta:
        ordering = ["job", "stage"]
        constraints = [
            models.UniqueConstraint(fields=["job", "stage"], name="stagerun_once_per_job"),
            models.CheckConstraint(
                name="stagerun_finished_at_iff_finished",
                condition=Q(state__in=sorted(FINISHED), finished_at__isnull=False)
                | Q(state__in=sorted(ACTIVE), finished_at__isnull=True),
            ),
            models.CheckConstraint(
                name="stagerun_failed_has_a_reason",
                condition=~Q(state=State.FAILED) | ~Q(error_message=""),
            ),
        ]
        indexes = [
            models.Index(
                fields=["department", "queued_at"],
                name="stagerun_outbox",
                condition=Q(state="queued", dispatched_at=None),
            ),
            models.Index(fields=["started_at"], name="stagerun_working", condition=Q(state="processing")),
            models.Index(fields=["department"], name="stagerun_active", condition=Q(state__in=sorted(ACTIVE))),
            models.Index(fields=["finished_at"], name="stagerun_failed", condition=Q(state="failed")),
            models.Index(fields=["error_code", "job"], name="stagerun_error", condition=Q(state="failed")),
        ]

    def __str__(self) -> str:
        return f"{self.stage} of job {self.job_id}"


class StageEvent(models.Model):
    """The journal: every change of a stage's state, never changed itself."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(StageRun, on_delete=models.CASCADE, related_name="events")
    source = models.CharField(max_length=10, choices=State, blank=True, help_text="Empty: the run was made.")
    target = models.CharField(max_length=10, choices=State)
    token = models.BigIntegerField()
    attempts = models.IntegerField()
    at = models.DateTimeField()
    note = models.TextField(blank=True)

    class Meta:
        ordering = ["run", "id"]

    def __str__(self) -> str:
        return f"{self.source or 'new'} → {self.target}"


class StageLog(models.Model):
    """What one attempt at a stage has logged: one row, written once when it ended. An attempt that was killed has none.

    `lines` are `{at, level, event, rest}`, the oldest first; `dropped` came before them.
    """

    id = models.BigAutoField(primary_key=True)
    # The constraint's index finds them.
    run = models.ForeignKey(StageRun, on_delete=models.CASCADE, related_name="logs", db_index=False)
    token = models.BigIntegerField(help_text="Of the claim: which attempt it was.")
    at = models.DateTimeField()
    lines = models.JSONField()
    dropped = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["run", "token"]
        # It is read on the job's page alone.
        default_permissions = ()
        # For `prune`, and next to nothing to write: rows come in this order.
        indexes = [BrinIndex(fields=["at"], name="stagelog_at")]
        constraints = [models.UniqueConstraint(fields=["run", "token"], name="stagelog_once_per_attempt")]

    def __str__(self) -> str:
        return f"log of attempt {self.token} at {self.run_id}"


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


class WorkerHeartbeat(models.Model):
    """The last sign of life of a worker process, or of a relay (queue "relay", no slots).

    SQS carries no Celery events, so this is how one knows.
    """

    name = models.CharField(primary_key=True, max_length=200)
    queues = ArrayField(models.CharField(max_length=100))
    slots = models.IntegerField(default=0, help_text="How many tasks it works at once.")
    pid = models.IntegerField()
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class SavedView(models.Model):
    """What somebody looks at often: the question of a job list's address, under a name of theirs."""

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=60)
    query = models.CharField(
        max_length=2_000, blank=True, help_text="Behind the address' question mark; empty: all jobs."
    )
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    shared = models.BooleanField(default=False, help_text="Everybody who sees the list sees it too.")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name", "id"]
        default_permissions = ()
        permissions = [("share_savedview", "Can share views of the job list with everybody, and take shared ones away")]
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="savedview_once_per_owner"),
            models.CheckConstraint(condition=~Q(name=""), name="savedview_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name


class IdempotentRequest(models.Model):
    """An upload's `Idempotency-Key`: the same key and content is answered by the same job, never worked twice."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    job = models.ForeignKey(Job, on_delete=models.CASCADE, null=True, blank=True, help_text="Empty: under way.")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="idempotentrequest_once")]

    def __str__(self) -> str:
        return self.key
