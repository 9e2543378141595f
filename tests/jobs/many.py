"""Many jobs, copied by the database from one: fifty thousand take seconds."""

from datetime import UTC, datetime, timedelta

from django.db import connection
from django.db.models import Model, QuerySet

from apps.datasets.models import Dataset
from apps.jobs.models import Job, JobStatus, Stage, StageEvent, StageRun, State
from tests.accounts.factories import UserFactory

_OF = "SELECT id FROM jobs_job WHERE requested_by_id ="
_BEGINNING = datetime(2026, 11, 2, 8, tzinfo=UTC)


def failed_jobs(count: int, *, department: str = "sales", code: str = "internal-error") -> QuerySet[Job]:
    """Dead-lettered at ETL, asked for a second apart, each of an upload of its own; the oldest first."""
    by = UserFactory(department=department)
    dataset = Dataset.objects.create(
        department=department,
        name="0.csv",
        original_filename="0.csv",
        bucket="raw",
        key=f"raw/{by.pk}/0.csv",
        size_bytes=1,
        sha256="",
        max_reject_share=0.2,
        uploaded_by=by,
        uploaded_at=_BEGINNING,
    )
    failed_at = _BEGINNING + timedelta(days=1)
    job = Job.objects.create(
        dataset=dataset,
        department=department,
        stage=Stage.ETL,
        status=JobStatus.FAILED,
        requested_by=by,
        request_id="request-0001",
        created_at=_BEGINNING,
        finished_at=failed_at,
    )
    run = StageRun.objects.create(
        job=job,
        department=department,
        stage=Stage.ETL,
        state=State.FAILED,
        token=1,
        attempts=3,
        max_attempts=3,
        queued_at=_BEGINNING,
        send_after=_BEGINNING,
        finished_at=failed_at,
        dead_lettered=True,
        error_code=code,
        error_message="Something broke on our side.",
    )
    event = StageEvent.objects.create(run=run, source="", target=State.QUEUED, token=0, attempts=0, at=_BEGINNING)
    _copy(
        dataset,
        each=f"generate_series(1, {count - 1}) AS n",
        id="gen_random_uuid()",
        number="nextval('datasets_dataset_number')",
        name="n || '.csv'",
        key=f"'raw/{by.pk}/' || n || '.csv'",
        uploaded_at="template.uploaded_at + n * interval '1 second'",
    )
    _copy(
        job,
        each="datasets_dataset AS d ON d.uploaded_by_id = template.requested_by_id AND d.id <> template.dataset_id",
        id="gen_random_uuid()",
        dataset_id="d.id",
        created_at="d.uploaded_at",
    )
    mine = Job.objects.filter(requested_by=by).order_by("created_at")
    _copy(run, each=f"jobs_job AS j ON j.requested_by_id = '{by.pk}' AND j.id <> template.job_id", job_id="j.id")
    _copy(
        event,
        each=f"jobs_stagerun AS r ON r.id <> template.run_id AND r.job_id IN ({_OF} '{by.pk}')",
        run_id="r.id",
    )
    return mine


def _copy(template: Model, *, each: str, **changed: str) -> None:
    """A row like the template's for each of these, with other values in some columns."""
    meta = template._meta
    columns = [field.column for field in meta.concrete_fields if field.column != "id" or "id" in changed]
    values = ", ".join(changed.get(column, f'template."{column}"') for column in columns)
    join = each if " ON " in each else f"{each} ON true"
    names = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{meta.db_table}" ({names}) SELECT {values} FROM "{meta.db_table}" AS template JOIN {join}'  # noqa: S608
            " WHERE template.id = %s",
            [template.pk],
        )
