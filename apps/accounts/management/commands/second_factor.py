"""Take a second factor away where no admin of the console is left who could."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from apps.accounts import services
from apps.accounts.management.reporting import MISUSED, ReportingCommand, Told, add_dry_run, add_json
from apps.accounts.models import User, normalise_email
from apps.accounts.selectors import second_factor_of


class Command(ReportingCommand):
    help = (
        "Take the second factor away from who has lost phone and recovery codes, and end their sessions. Safe "
        "to run twice. While an admin of the console can still log in, let them do it there."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--reset", metavar="EMAIL", required=True, help="whose")
        parser.add_argument("--reason", required=True, help="why, for the audit")
        add_dry_run(parser)
        add_json(parser)

    def tell(self, options: dict[str, Any]) -> Told:
        email = normalise_email(options["reset"])
        user = User.objects.filter(email=email).first()
        if user is None:
            raise CommandError(f"There is no account of {email}.", returncode=MISUSED)
        if not options["reason"].strip():
            raise CommandError("Say with --reason why.", returncode=MISUSED)
        if options["dry_run"]:
            return _told("would be reset" if second_factor_of(user) else "has none", user)
        taken = services.reset_second_factor(user=user, by=None, at=timezone.now(), reason=options["reason"])
        return _told("reset" if taken else "has none", user)


def _told(done: str, user: User) -> Told:
    return Told(
        data={"result": done.replace(" ", "-"), "email": user.email}, summary=f"Second factor of {user.email}: {done}"
    )
