"""Make what the platform runs on: the raw store and the four queues with their redrive policies."""

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.datasets.storage import raw_storage
from apps.jobs.broker import sqs_settings
from apps.jobs.sqs.queues import provision_queues


class Command(BaseCommand):
    help = "Make or repair the raw store and the queues (safe to run at every start)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print what was done as JSON")
        parser.add_argument("--dry-run", action="store_true", help="say what would be provisioned, touch nothing")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        settings = sqs_settings()
        if options["dry_run"]:
            wanted = [name for queue in settings.queues.all for name in (queue.name, queue.dead_letter_name)]
            self._say({"would_provision": wanted}, as_json=options["json"])
            return
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
        self._say({"storage": storage, "queues": queues}, as_json=options["json"])

    def _say(self, report: dict[str, Any], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(report))
            return
        for key, value in report.items():
            self.stdout.write(f"{key}: {value}")
