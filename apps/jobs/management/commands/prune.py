"""Delete what is of no more use: run it once a day."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from apps.accounts.management.reporting import MISUSED, ReportingCommand, Told, add_dry_run, add_json, counted, table
from apps.jobs import clock
from apps.jobs.services.pruning import prune, would_prune

_CALLED = {
    "sessions": "sessions that have ended or run out",
    "console_sessions": "log-ins to the console that have run out",
    "wrong_passwords": "wrong passwords at the console's door",
    "invitations": "invitations that are used or have run out",
    "upload_keys": "Idempotency-Keys of uploads",
    "direct_uploads": "direct uploads that have ended",
    "upload_tallies": "days' counts of uploads",
    "expired_uploads": "direct uploads given up, as nobody completed them in time",
    "rate_limits": "counts of what is limited",
    "workers": "workers that fell silent",
    "stage_logs": "log lines of attempts",
}


class Command(ReportingCommand):
    help = (
        "Delete what is of no more use and older than RETENTION_DAYS: raw files of undone uploads, ended sessions, "
        "used invitations, Idempotency-Keys, workers that fell silent, log lines. Never the audit. Direct uploads that "
        "nobody completed in time are given up."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, help="in the place of RETENTION_DAYS; at least 1")
        parser.add_argument("--reason", default="", help="why, for the audit")
        add_dry_run(parser)
        add_json(parser)

    def tell(self, options: dict[str, Any]) -> Told:
        days = settings.RETENTION_DAYS if options["days"] is None else options["days"]
        if days < 1:
            raise CommandError("--days is at least 1.", returncode=MISUSED)
        at = clock.now()
        before = at - timedelta(days=days)
        if options["dry_run"]:
            pruned = would_prune(before=before, at=at)
        else:
            pruned = prune(before=before, by=None, at=at, reason=options["reason"])
        gone = {**pruned.rows, "expired_uploads": pruned.expired_uploads}
        files = f"{counted(pruned.raw_files, 'raw file')} of undone uploads ({pruned.raw_bytes:,} bytes)"
        rows = counted(sum(pruned.rows.values()), "row")
        verb = "would be deleted" if options["dry_run"] else "deleted"
        return Told(
            data={"before": before, **gone, "raw_files": pruned.raw_files, "raw_bytes": pruned.raw_bytes},
            lines=table([number, _CALLED[name]] for name, number in gone.items()),
            summary=f"{files} and {rows}, of no use since {before:%Y-%m-%d %H:%M}, {verb}",
            failure=pruned.problem,
        )
