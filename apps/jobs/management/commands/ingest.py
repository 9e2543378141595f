"""Upload files from the command line, for those who script it: the same service as the page's upload."""

import json
import uuid
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.management.base import BaseCommand, CommandError, CommandParser

from aetherflow.errors import AnticipatedError
from aetherflow.registry import departments
from apps.accounts.models import User
from apps.accounts.selectors import require_department
from apps.datasets.models import OnError
from apps.jobs import clock
from apps.jobs.services.submission import submit


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise ArgumentTypeError(f"{text} is no file")
    return path


class Command(BaseCommand):
    help = "Upload files for a department; prints the jobs to watch."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=_file)
        parser.add_argument("--department", required=True, choices=sorted(departments()))
        parser.add_argument("--by", help="e-mail of the uploading user; default: the oldest active admin")
        parser.add_argument("--on-error", choices=OnError.values, default=OnError.QUARANTINE)
        parser.add_argument("--dry-run", action="store_true", help="say what would be uploaded")
        parser.add_argument("--json", action="store_true", help="print the jobs as JSON")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        by = self._uploader(options["by"])
        report: list[dict[str, str]] = []
        failed = 0
        for path in options["files"]:
            entry = {"file": str(path)}
            report.append(entry)
            try:
                require_department(by, options["department"])
                if not options["dry_run"]:
                    entry |= self._upload(path, by=by, options=options)
            except AnticipatedError as error:
                failed += 1
                entry["error"] = f"{error.message} {error.hint}".strip()
        if options["json"]:
            self.stdout.write(json.dumps(report))
        else:
            for entry in report:
                self.stdout.write("  ".join(f"{key}={value}" for key, value in entry.items()))
            self.stdout.write(
                f"{len(report) - failed} of {len(report)} files uploaded" + (" (dry run)" if options["dry_run"] else "")
            )
        if failed:
            raise CommandError(f"{failed} of {len(report)} files were refused.")

    def _upload(self, path: Path, *, by: User, options: dict[str, Any]) -> dict[str, str]:
        with path.open("rb") as raw:
            job = submit(
                file=File(raw, name=path.name),
                department=options["department"],
                by=by,
                at=clock.now(),
                request_id=str(uuid.uuid4()),
                on_error=options["on_error"],
            ).job
        return {"dataset": str(job.dataset_id), "job": str(job.pk)}

    def _uploader(self, email: str | None) -> User:
        users = User.objects.filter(is_active=True)
        found = users.filter(email__iexact=email) if email else users.filter(role="admin").order_by("created_at")
        user = found.first()
        if user is None:
            raise CommandError(f"There is no active user {email or 'with the admin role'}; name one with --by EMAIL.")
        return user
