"""Upload files from the command line, for those who script it: the same service as the page's upload."""

import uuid
from argparse import ArgumentTypeError
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.files import File
from django.core.management.base import CommandError, CommandParser

from aetherflow.errors import AnticipatedError, InvalidError
from aetherflow.etl import ReadOptions
from aetherflow.etl.mapping import mapping_faults, parse_mapping
from aetherflow.etl.options import parse_delimiter, parse_encoding
from aetherflow.registry import departments
from apps.accounts.models import User
from apps.accounts.origin import Origin, asked_from, command_line
from apps.accounts.selectors import require_department
from apps.datasets.models import Dataset, OnError
from apps.datasets.selectors import correctable_for
from apps.datasets.serializers import DATE_ORDERS, DECIMALS, SCALES
from apps.jobs import clock
from apps.jobs.management.reporting import MISUSED, ReportingCommand, Told, add_dry_run, add_json, counted
from apps.jobs.services.submission import submit


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise ArgumentTypeError(f"{text} is no file")
    return path


def _parsed(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    def parsed(text: str) -> Any:
        try:
            return parse(text)
        except InvalidError as error:
            raise ArgumentTypeError(f"{error.message} {error.hint}") from None

    return parsed


def _said(options: dict[str, Any]) -> ReadOptions:
    """CommandError for a mapping that cannot be followed: before the first file, not with each."""
    said = ReadOptions(**{each.name: options[each.name] for each in fields(ReadOptions)})
    faults = mapping_faults(said.mapping or {}, department=departments()[options["department"]])
    if faults:
        raise CommandError(" ".join(f"{fault.message} {fault.hint}" for fault in faults), returncode=MISUSED)
    return said


class Command(ReportingCommand):
    help = "Upload files for a department; prints the jobs to watch."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=_file)
        parser.add_argument("--department", required=True, choices=sorted(departments()))
        parser.add_argument("--by", help="e-mail of the uploading user; default: the oldest active admin")
        parser.add_argument("--on-error", choices=OnError.values, default=OnError.QUARANTINE)
        parser.add_argument(
            "--mapping",
            type=_parsed(parse_mapping),
            help='labels to columns as JSON: {"Qty": "quantity", "Till": null}',
        )
        parser.add_argument("--delimiter", type=_parsed(parse_delimiter), help="a character or its name, such as tab")
        parser.add_argument("--encoding", type=_parsed(parse_encoding), help="such as utf-8 or cp1252")
        parser.add_argument("--decimal", choices=DECIMALS)
        parser.add_argument("--date-order", choices=DATE_ORDERS)
        parser.add_argument("--percentages", choices=SCALES, help="written in percent (15) or as shares of 1 (0.15)")
        parser.add_argument("--sheet", help="of a workbook")
        parser.add_argument("--corrects", type=UUID, metavar="ID", help="the dataset whose rejected rows they bring")
        add_dry_run(parser)
        add_json(parser)

    def tell(self, options: dict[str, Any]) -> Told:
        by = self._uploader(options["by"])
        said = _said(options)
        report: list[dict[str, str]] = []
        failed = 0
        for path in options["files"]:
            entry = {"file": str(path)}
            report.append(entry)
            try:
                require_department(by, options["department"])
                root = correctable_for(by, options["corrects"]) if options["corrects"] else None
                if not options["dry_run"]:
                    entry |= self._upload(path, by=by, said=said, corrects=root, options=options)
            except AnticipatedError as error:
                failed += 1
                entry["error"] = f"{error.message} {error.hint}".strip()
        verb = "would be uploaded" if options["dry_run"] else "uploaded"
        whole = counted(len(report), "file")
        return Told(
            data=report,
            lines=["  ".join(f"{key}={value}" for key, value in entry.items()) for entry in report],
            summary=f"{len(report) - failed} of {whole} {verb}",
            failure=f"{failed} of {whole} refused; see above." if failed else "",
        )

    def _upload(
        self, path: Path, *, by: User, said: ReadOptions, corrects: Dataset | None, options: dict[str, Any]
    ) -> dict[str, str]:
        # In the user's name, but not by them.
        with path.open("rb") as raw, asked_from(Origin(operator=command_line())):
            job = submit(
                file=File(raw, name=path.name),
                department=options["department"],
                by=by,
                at=clock.now(),
                request_id=str(uuid.uuid4()),
                on_error=options["on_error"],
                options=said,
                corrects=corrects,
            ).job
        return {"dataset": str(job.dataset_id), "job": str(job.pk)}

    def _uploader(self, email: str | None) -> User:
        users = User.objects.filter(is_active=True)
        found = users.filter(email__iexact=email) if email else users.filter(role="admin").order_by("created_at")
        user = found.first()
        if user is None:
            raise CommandError(
                f"There is no active user {email or 'with the admin role'}; name one with --by EMAIL.",
                returncode=MISUSED,
            )
        return user
