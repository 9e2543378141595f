"""Upload files from the command line, for those who script it: the same service as the page's upload."""

import shutil
import sys
import uuid
from argparse import ArgumentTypeError
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files import File
from django.core.management.base import CommandError, CommandParser
from django.db.models import Q

from aetherflow.errors import AnticipatedError, InvalidError
from aetherflow.etl import ReadOptions
from aetherflow.etl.mapping import mapping_faults, parse_mapping
from aetherflow.etl.options import parse_delimiter, parse_encoding
from aetherflow.registry import departments
from apps.accounts.management.reporting import MISUSED, ReportingCommand, Told, add_dry_run, add_json, counted
from apps.accounts.models import User
from apps.accounts.origin import Origin, asked_from, command_line
from apps.accounts.selectors import require_department
from apps.datasets.direct import begin, send, unfinished
from apps.datasets.models import Dataset, OnError
from apps.datasets.selectors import correctable_for
from apps.datasets.serializers import DATE_ORDERS, DECIMALS, SCALES
from apps.datasets.uploads import digest
from apps.jobs import clock
from apps.jobs.models import Job
from apps.jobs.services.direct import complete
from apps.jobs.services.submission import submit

_STDIN = "-"
# Below it, to send all again is soon done.
_IN_PARTS_FROM = 32 * 1024 * 1024
_UPLOADED = "uploaded"
_WOULD_BE = "would be uploaded"
_THERE = "there already"
_REFUSED = "refused"


def _files(text: str) -> list[Path | None]:
    """Those that the argument means: a file, all files of a folder in the order of their names, None for standard
    input."""
    path = Path(text)
    if text == _STDIN:
        return [None]
    if path.is_dir():
        found = sorted(each for each in path.iterdir() if each.is_file() and not each.name.startswith("."))
        if not found:
            raise ArgumentTypeError(f"{text} is a folder with no file in it; folders inside it are not looked into")
        return list(found)
    if not path.is_file():
        raise ArgumentTypeError(f"{text} is no file and no folder")
    return [path]


@contextmanager
def _opened(path: Path | None, *, name: str) -> Iterator[File]:
    """The file; `name` is that of standard input, whose end has to be seen before anything is done."""
    if path is not None:
        with path.open("rb") as raw:
            yield File(raw, name=path.name)
        return
    with TemporaryFile() as copy:
        shutil.copyfileobj(sys.stdin.buffer, copy)
        yield File(copy, name=name)


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


def _sent_in_parts(file: File, *, sha256: str, by: User, **given: Any) -> Job:
    """Where the same was killed before, on from where it was: the store has what had arrived."""
    at = clock.now()
    upload = unfinished(filename=file.name or "", sha256=sha256, by=by, at=at, **given)
    if upload is None:
        upload = begin(
            filename=file.name or "",
            size_bytes=file.size,
            sha256=sha256,
            name="",
            description="",
            max_reject_share=None,
            by=by,
            at=at,
            **given,
        ).upload
    parts = send(upload, file)
    return complete(upload, sha256=sha256, parts=parts, by=by, at=clock.now(), request_id=str(uuid.uuid4())).job


class Command(ReportingCommand):
    help = (
        "Upload files for a department; prints the jobs to watch. Safe to run twice: what is there already, said the "
        "same of, is not uploaded again, and a large file that was under way to S3 goes on where it was."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "files", nargs="+", type=_files, metavar="FILE", help="a file, a folder of files, or - for standard input"
        )
        parser.add_argument("--stdin-name", default="stdin.csv", metavar="NAME", help="of the file that - brings")
        parser.add_argument("--again", action="store_true", help="upload what is there already once more")
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
        paths = [path for found in options["files"] for path in found]
        if paths.count(None) > 1:
            raise CommandError("Standard input can be read once: name - once.", returncode=MISUSED)
        report: list[dict[str, str]] = []
        for path in paths:
            entry = {"file": _STDIN if path is None else str(path)}
            report.append(entry)
            try:
                require_department(by, options["department"])
                root = correctable_for(by, options["corrects"]) if options["corrects"] else None
                with _opened(path, name=options["stdin_name"]) as file:
                    entry |= self._upload(file, by=by, said=said, corrects=root, options=options)
            except AnticipatedError as error:
                entry |= {"result": _REFUSED, "error": f"{error.message} {error.hint}".strip()}
            except OSError as error:
                entry |= {"result": _REFUSED, "error": f"It cannot be read: {error.strerror}."}
        counts = Counter(entry["result"] for entry in report)
        verb = _WOULD_BE if options["dry_run"] else _UPLOADED
        whole = counted(len(report), "file")
        there = f", {counts[_THERE]} there already" if counts[_THERE] else ""
        return Told(
            data=report,
            lines=["  ".join(f"{key}={value}" for key, value in entry.items()) for entry in report],
            summary=f"{counts[verb]} of {whole} {verb}{there}",
            failure=f"{counts[_REFUSED]} of {whole} refused; see above." if counts[_REFUSED] else "",
        )

    def _upload(
        self, file: File, *, by: User, said: ReadOptions, corrects: Dataset | None, options: dict[str, Any]
    ) -> dict[str, str]:
        sha256 = digest(file)
        alike = Dataset.objects.filter(
            department=options["department"],
            sha256=sha256,
            deleted_at=None,
            on_error=options["on_error"],
            read_options=said.said(),
            corrects=corrects,
        ).filter(Q(sha256_claimed=False) | Q(uploaded_by=by))  # another's word for it is not enough
        if not options["again"] and (there := alike.order_by("-number").first()):
            return {"result": _THERE, "dataset": str(there.pk)}
        if options["dry_run"]:
            return {"result": _WOULD_BE}
        given = {
            "department": options["department"],
            "on_error": options["on_error"],
            "options": said,
            "corrects": corrects,
            "by": by,
        }
        # In the user's name, but not by them.
        with asked_from(Origin(operator=command_line())):
            if settings.DIRECT_UPLOAD and file.size >= _IN_PARTS_FROM:
                job = _sent_in_parts(file, sha256=sha256, **given)
            else:
                job = submit(file=file, at=clock.now(), request_id=str(uuid.uuid4()), **given).job
        return {"result": _UPLOADED, "dataset": str(job.dataset_id), "job": str(job.pk)}

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
