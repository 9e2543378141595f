"""Run datasets through the pipeline again, from the raw file or from the clean rows."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError, CommandParser
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils.dateparse import parse_date, parse_datetime

from aetherflow.errors import AnticipatedError
from aetherflow.registry import departments
from apps.accounts.management.reporting import MISUSED, ReportingCommand, Told, add_dry_run, add_json, counted
from apps.datasets.models import Dataset
from apps.jobs import clock
from apps.jobs.models import Job, JobStatus, Stage
from apps.jobs.services.again import reprocess


class Command(ReportingCommand):
    help = "Queue new jobs for the datasets that match; a dataset with a job under way is skipped and said."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="first", choices=Stage.values, default=Stage.ETL)
        parser.add_argument("--department", choices=sorted(departments()))
        parser.add_argument("--status", choices=JobStatus.values, help="of the dataset's newest job")
        parser.add_argument("--since", help="uploaded, or loaded last, at or after this day or time (ISO 8601)")
        parser.add_argument("--dataset", action="append", default=[], help="a dataset's id; may be repeated")
        parser.add_argument("--reason", default="", help="why, for the audit")
        add_dry_run(parser)
        add_json(parser)

    def tell(self, options: dict[str, Any]) -> Told:
        report: list[dict[str, str]] = []
        refused = 0
        for dataset in self._datasets(options):
            entry = {"dataset": str(dataset.pk), "department": dataset.department, "name": dataset.name}
            report.append(entry)
            if options["dry_run"]:
                continue
            try:
                first, why = Stage(options["first"]), options["reason"]
                job = reprocess(dataset=dataset, first=first, by=None, at=clock.now(), reason=why)
                entry["job"] = str(job.pk)
            except AnticipatedError as error:
                refused += 1
                entry["refused"] = error.message
        verb = "would be queued" if options["dry_run"] else "queued"
        whole = counted(len(report), "dataset")
        return Told(
            data=report,
            lines=["  ".join(entry.values()) for entry in report],
            summary=f"{len(report) - refused} of {whole} {verb} from {options['first']}",
            failure=f"{refused} of {whole} refused; see above." if refused else "",
        )

    def _datasets(self, options: dict[str, Any]) -> QuerySet[Dataset]:
        datasets = Dataset.objects.filter(deleted_at=None).order_by("number")
        if options["department"]:
            datasets = datasets.filter(department=options["department"])
        if options["dataset"]:
            datasets = datasets.filter(pk__in=_known(options["dataset"]))
        if options["since"]:
            moment = _moment(options["since"])
            datasets = datasets.filter(Q(uploaded_at__gte=moment) | Q(loaded_at__gte=moment))
        if options["status"]:
            newest = Job.objects.filter(dataset=OuterRef("pk")).order_by("-created_at").values("status")[:1]
            datasets = datasets.annotate(newest=Subquery(newest)).filter(newest=options["status"])
        return datasets


def _known(texts: list[str]) -> list[UUID]:
    """The ids. CommandError for a misspelt one: "0 datasets queued" would be taken for success."""
    ids: list[UUID] = []
    for text in texts:
        try:
            ids.append(UUID(text))
        except ValueError:
            raise CommandError(
                f"--dataset {text!r} is no dataset's id; `GET /api/v1/datasets` lists them.", returncode=MISUSED
            ) from None
    there = set(Dataset.objects.filter(pk__in=ids, deleted_at=None).values_list("pk", flat=True))
    if missing := [str(each) for each in ids if each not in there]:
        raise CommandError(
            f"--dataset: there is none with the id {', '.join(missing)}, or it was undone.", returncode=MISUSED
        )
    return ids


def _moment(text: str) -> datetime:
    try:
        found = parse_datetime(text) or parse_date(text)
    except ValueError:
        found = None
    if found is None:
        raise CommandError(
            f"--since {text!r} is no day or time; write 2026-03-31 or 2026-03-31T09:30:00+00:00.", returncode=MISUSED
        )
    moment = found if isinstance(found, datetime) else datetime(found.year, found.month, found.day, tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
