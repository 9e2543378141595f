"""What waits in the queues, in their dead-letter queues and before them in the outbox."""

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from apps.accounts.management.reporting import ReportingCommand, Told, add_json, ago, counted, table
from apps.jobs.status import line_status

_WITHIN_SECONDS = 8.0


class Command(ReportingCommand):
    help = "Show what waits: messages in the queues and their dead-letter queues, and stages not sent yet."

    def add_arguments(self, parser: CommandParser) -> None:
        add_json(parser)

    def tell(self, options: dict[str, Any]) -> Told:  # noqa: ARG002
        line = line_status(within=_WITHIN_SECONDS)
        head = ["queue", "waiting", "in flight", "delayed", "oldest", "dead letters"]
        rows = [
            [each.name, each.visible, each.in_flight, each.delayed, ago(each.oldest_seconds), each.dead_letters]
            for each in line.queues.items
        ]
        outbox = [f"outbox {each.stage}: {each.waiting}, for {ago(each.lag_seconds)}" for each in line.outbox.items]
        dead = sum(each.dead_letters or 0 for each in line.queues.items)
        waiting = sum(each.visible or 0 for each in line.queues.items)
        problems = [each.problem for each in (line.queues, line.outbox) if each.problem]
        return Told(
            data={
                "queues": [asdict(each) for each in line.queues.items],
                "outbox": [asdict(each) for each in line.outbox.items],
                "problems": problems,
            },
            lines=[*table([head, *rows]), *outbox],
            summary="" if problems else f"{counted(waiting, 'message')} waiting, {counted(dead, 'dead letter')}",
            failure=" ".join(problems),
        )
