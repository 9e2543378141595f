"""The shapes of jobs in the API."""

from datetime import datetime
from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.datasets.serializers import DatasetOutput, RowCountsOutput
from apps.jobs.models import Job, JobStatus, Stage, StageRun, State
from apps.jobs.selectors import WorkerSeen

CHECK = ["ok", "down"]


class ProgressOutput(serializers.Serializer[Any]):
    done = serializers.IntegerField()
    total = serializers.IntegerField()
    unit = serializers.CharField()


class ErrorOutput(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()
    hint = serializers.CharField()
    details = serializers.DictField()


class StageOutput(serializers.Serializer[StageRun]):
    stage = serializers.ChoiceField(choices=Stage.choices)
    status = serializers.ChoiceField(choices=State.choices, source="state")
    attempts = serializers.IntegerField()
    max_attempts = serializers.IntegerField()
    dead_lettered = serializers.BooleanField(help_text="Its message went to the dead-letter queue.")
    progress = serializers.SerializerMethodField()
    rows = serializers.SerializerMethodField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    duration_ms = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()

    @extend_schema_field(ProgressOutput)
    def get_progress(self, run: StageRun) -> dict[str, Any]:
        return {"done": run.progress_done, "total": run.progress_total, "unit": run.progress_unit}

    @extend_schema_field(RowCountsOutput)
    def get_rows(self, run: StageRun) -> dict[str, int]:
        return {
            "read": run.rows_read,
            "loaded": run.rows_loaded,
            "rejected": run.rows_rejected,
            "duplicate": run.rows_duplicate,
        }

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_duration_ms(self, run: StageRun) -> int | None:
        return _milliseconds(run.started_at, run.finished_at)

    @extend_schema_field(ErrorOutput(allow_null=True))
    def get_error(self, run: StageRun) -> dict[str, Any] | None:
        if not run.error_code:
            return None
        return {
            "code": run.error_code,
            "message": run.error_message,
            "hint": run.error_hint,
            "details": run.error_details,
        }


class JobOutput(serializers.Serializer[Job]):
    id = serializers.UUIDField()
    dataset_id = serializers.UUIDField()
    dataset_name = serializers.CharField(source="dataset.name")
    department = serializers.CharField()
    cause = serializers.CharField(help_text="upload, reprocess, undo (of another upload) or message.")
    status = serializers.ChoiceField(choices=JobStatus.choices)
    partial = serializers.SerializerMethodField(  # type: ignore[assignment]
        help_text="Rows were rejected; the good ones were loaded."
    )
    stage = serializers.ChoiceField(choices=Stage.choices)
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    duration_ms = serializers.SerializerMethodField()
    requested_by = serializers.CharField(source="requested_by.full_name", default=None, allow_null=True)
    request_id = serializers.CharField()
    stages = StageOutput(many=True)

    @extend_schema_field(bool)
    def get_partial(self, job: Job) -> bool:
        return any(
            run.stage == Stage.ETL and run.state == State.SUCCEEDED and run.rows_rejected for run in job.stages.all()
        )

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_duration_ms(self, job: Job) -> int | None:
        return _milliseconds(job.created_at, job.finished_at)


class SubmissionOutput(serializers.Serializer[Any]):
    dataset = DatasetOutput()
    job = JobOutput()
    duplicate_of = serializers.UUIDField(
        allow_null=True, help_text="An earlier upload of the department with the very same bytes."
    )


class ServiceOutput(serializers.Serializer[Any]):
    name = serializers.CharField()
    status = serializers.ChoiceField(choices=CHECK)
    detail = serializers.CharField()


class SectionOutput(serializers.Serializer[Any]):
    problem = serializers.CharField(allow_null=True, help_text="Why it is not known; null where it is.")


class QueueOutput(serializers.Serializer[Any]):
    queue = serializers.CharField()
    name = serializers.CharField(help_text="As SQS knows it.")
    visible = serializers.IntegerField(allow_null=True, help_text="Messages that wait, about. null: not known.")
    in_flight = serializers.IntegerField(allow_null=True)
    delayed = serializers.IntegerField(allow_null=True)
    dead_letters = serializers.IntegerField(allow_null=True)
    oldest_seconds = serializers.FloatField(
        allow_null=True,
        help_text="How long ago the oldest message was sent that no worker has begun; 0: there is none.",
    )


class QueuesOutput(SectionOutput):
    items = QueueOutput(many=True)


class OutboxStageOutput(serializers.Serializer[Any]):
    stage = serializers.ChoiceField(choices=Stage.choices)
    waiting = serializers.IntegerField(help_text="Runs whose message is not sent yet.")
    lag_seconds = serializers.FloatField(help_text="The age of the oldest of them; 0: there is none.")


class OutboxOutput(SectionOutput):
    items = OutboxStageOutput(many=True)


class DepartmentJobsOutput(serializers.Serializer[Any]):
    department = serializers.CharField()
    queued = serializers.IntegerField()
    processing = serializers.IntegerField()


class UnfinishedJobsOutput(SectionOutput):
    items = DepartmentJobsOutput(many=True)


class TaskOutput(serializers.Serializer[StageRun]):
    job_id = serializers.UUIDField()
    dataset_name = serializers.CharField(source="job.dataset.name")
    department = serializers.CharField()
    stage = serializers.ChoiceField(choices=Stage.choices)
    since = serializers.DateTimeField(source="started_at", allow_null=True)


class WorkerOutput(serializers.Serializer[WorkerSeen]):
    name = serializers.CharField()
    alive = serializers.BooleanField(help_text="It has given a sign of life lately.")
    queues = serializers.ListField(child=serializers.CharField(), source="heartbeat.queues", default=[], read_only=True)
    slots = serializers.IntegerField(source="heartbeat.slots", default=None, allow_null=True, read_only=True)
    started_at = serializers.DateTimeField(source="heartbeat.started_at", default=None, allow_null=True, read_only=True)
    beat_at = serializers.DateTimeField(
        source="heartbeat.beat_at",
        default=None,
        allow_null=True,
        read_only=True,
        help_text="null: only its work is known.",
    )
    tasks = TaskOutput(many=True, source="runs")


class WorkersOutput(SectionOutput):
    items = WorkerOutput(many=True)


class FailureOutput(serializers.Serializer[Any]):
    code = serializers.CharField(allow_blank=True)
    stage = serializers.ChoiceField(choices=Stage.choices)
    count = serializers.IntegerField()
    dead_lettered = serializers.IntegerField()
    departments = serializers.ListField(child=serializers.CharField())
    latest_at = serializers.DateTimeField()


class FailuresOutput(SectionOutput):
    items = FailureOutput(many=True)


class SystemStatusOutput(serializers.Serializer[Any]):
    read_at = serializers.DateTimeField()
    services = ServiceOutput(many=True)
    queues = QueuesOutput()
    outbox = OutboxOutput()
    jobs = UnfinishedJobsOutput(help_text="Those that are not finished.")
    workers = WorkersOutput(help_text="Live ones, and those that fell silent within a day.")
    failures = FailuresOutput(help_text="Stages that failed and were not run again, by code.")
    failures_since = serializers.DateTimeField()
    console = serializers.SerializerMethodField(help_text="The path of the operators' console.")

    def get_console(self, _status: object) -> str:
        return reverse("admin:index")


def _milliseconds(start: datetime | None, end: datetime | None) -> int | None:
    return round((end - start).total_seconds() * 1000) if start and end else None
