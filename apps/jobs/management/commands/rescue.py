"""Settle what was left behind now, instead of at the relay's next sweep."""

from typing import Any

from django.core.management.base import CommandParser

from apps.accounts.management.reporting import ReportingCommand, Told, add_dry_run, add_json, counted
from apps.jobs import clock
from apps.jobs.services.rescue import rescue_now, would_rescue


class Command(ReportingCommand):
    help = (
        "End or queue again what nobody works on any more: stages of dead workers, stages whose message is gone; take "
        "out what undone uploads have left. The relay does it by itself, and sends what is queued."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--reason", default="", help="why, for the audit")
        add_dry_run(parser)
        add_json(parser)

    def tell(self, options: dict[str, Any]) -> Told:
        at = clock.now()
        if options["dry_run"]:
            found = would_rescue(at=at)
            return Told(data={"would_rescue": found}, summary=f"{counted(found, 'orphan')} would be settled")
        rescued = rescue_now(by=None, at=at, reason=options["reason"])
        return Told(data={"rescued": rescued}, summary=f"{counted(rescued, 'orphan')} settled")
