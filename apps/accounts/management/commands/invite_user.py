"""Make an invitation from the command line; its token is printed once and can be read nowhere again."""

from typing import Any

from django.core.management.base import CommandParser
from django.db import transaction
from django.utils import timezone

from apps.accounts import services
from apps.accounts.choices import Role
from apps.accounts.management.reporting import ReportingCommand, Told, add_dry_run, add_json
from apps.accounts.management.roles import add_roles, console_role_of, told


class Command(ReportingCommand):
    help = (
        "Invite somebody to register. Safe to run twice: a second invitation of an address replaces the open "
        "one, whose token is then void."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", default="", help="default: whoever holds the token")
        add_roles(parser)
        add_dry_run(parser)
        add_json(parser)

    def tell(self, options: dict[str, Any]) -> Told:
        dry_run = options["dry_run"]
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
        made = issued.invitation
        who = made.email or "anybody"
        until = f"{made.expires_at:%Y-%m-%d %H:%M} UTC"
        return Told(
            data={
                "result": "would-be-invited" if dry_run else "invited",
                **told(made),
                "expires_at": made.expires_at,
                "token": None if dry_run else issued.token,
            },
            lines=[] if dry_run else [issued.token],
            summary=f"{who} would be invited until {until}; nothing was changed"
            if dry_run
            else f"{who} is invited until {until} with the token above",
        )
