"""Jobs, their stages, the journal of every change of state, and what an attempt at a stage has logged."""

import uuid

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.urls import reverse

from apps.accounts import rows
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

    rows_of = rows.Department()

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

    rows_of = rows.Department()

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

    rows_of = rows.Parent("run")

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

    rows_of = rows.Parent("run")

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


class IdempotentRequest(models.Model):
    """An upload's `Idempotency-Key`: the same key and content is answered by the same job, never worked twice."""

    rows_of = rows.Parent("user")

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
