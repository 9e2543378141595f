"""Make what the platform runs on: the raw store and the four queues with their redrive policies."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.core.management.base import CommandError, CommandParser

from apps.accounts.management.reporting import ReportingCommand, Told, add_dry_run, add_json
from apps.datasets.storage import raw_storage
from apps.jobs.broker import sqs_settings
from apps.jobs.sqs.queues import provision_queues


class Command(ReportingCommand):
    help = "Make or repair the raw store and the queues (safe to run at every start)."

    def add_arguments(self, parser: CommandParser) -> None:
        add_json(parser)
        add_dry_run(parser)

    def tell(self, options: dict[str, Any]) -> Told:
        settings = sqs_settings()
        if options["dry_run"]:
            wanted = [name for queue in settings.queues.all for name in (queue.name, queue.dead_letter_name)]
            return Told(
                data={"would_provision": wanted},
                lines=wanted,
                summary=f"the raw store and {len(wanted)} queues would be made or repaired",
            )
        try:
            storage = raw_storage().prepare()
            done = provision_queues(
                settings.client(),
                queues=settings.queues,
                max_receives=settings.max_receives,
                visibility_seconds=settings.visibility_seconds,
            )
        except (BotoCoreError, ClientError, OSError) as error:
            raise CommandError(
                f"Not provisioned: {error}. Check the endpoints, the credentials and the rights to make queues."
            ) from error
        queues = {queue.name: "created" if queue.created else ", ".join(queue.changed) or "unchanged" for queue in done}
        changed = sum(what != "unchanged" for what in queues.values())
        return Told(
            data={"storage": storage, "queues": queues},
            lines=[f"storage: {storage}", *(f"{name}: {what}" for name, what in queues.items())],
            summary=f"{changed} of {len(queues)} queues made or changed",
        )
