"""Make an invitation from the command line; its token is printed once and can be read nowhere again."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from aetherflow.errors import AnticipatedError
from apps.accounts import services
from apps.accounts.management.roles import add_roles, console_role_of, told
from apps.accounts.models import Role


class Command(BaseCommand):
    help = (
        "Invite somebody to register. Safe to run twice: a second invitation of an address replaces the open "
        "one, whose token is then void."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", default="", help="default: whoever holds the token")
        add_roles(parser)
        parser.add_argument("--dry-run", action="store_true", help="check everything, change nothing")
        parser.add_argument("--json", action="store_true", help="say what was done as one JSON object")

    def handle(self, *_: Any, **options: Any) -> None:
        dry_run = options["dry_run"]
        try:
            with transaction.atomic():
                issued = services.invite(
                    email=options["email"],
                    department=options["department"],
                    role=Role(options["role"]),
                    console_role=console_role_of(options),
                    by=None,
                    at=timezone.now(),
                    reason=options["reason"],
                )
                if dry_run:
                    transaction.set_rollback(True)
        except AnticipatedError as refusal:
            raise CommandError(f"{refusal.message} {refusal.hint}".strip()) from refusal
        made = issued.invitation
        answer = {
            "result": "would-be-invited" if dry_run else "invited",
            **told(made),
            "expires_at": made.expires_at.isoformat(),
            "token": None if dry_run else issued.token,
        }
        if options["json"]:
            self.stdout.write(json.dumps(answer))
        elif dry_run:
            self.stdout.write(f"{made.email or 'anybody'} would be invited; nothing was changed.")
        else:
            until = f"{made.expires_at:%Y-%m-%d %H:%M} UTC"
            self.stdout.write(f"{made.email or 'Anybody'} is invited until {until} with the token")
            self.stdout.write(issued.token)
