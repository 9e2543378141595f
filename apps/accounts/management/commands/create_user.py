"""Make an account from the command line: the first admin, the demo users, a deployment's own."""

import os
import sys
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from apps.accounts import services
from apps.accounts.choices import ConsoleRole, Role
from apps.accounts.management.reporting import MISUSED, ReportingCommand, Told, add_dry_run, add_json
from apps.accounts.management.roles import add_roles, console_role_of, told
from apps.accounts.models import User, normalise_email
from apps.accounts.services.accounts import console_with, new_user


class Command(ReportingCommand):
    help = (
        "Make an approved account. Safe to run twice: an account with the same department and roles is left "
        "as it is, its password too; one with others is an error."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--email", required=True)
        parser.add_argument("--full-name", default="", help="default: the part of the address before the @")
        add_roles(parser)
        password = parser.add_mutually_exclusive_group(required=True)
        password.add_argument(
            "--password-stdin",
            action="store_true",
            help="read the password from the first line of standard input",
        )
        password.add_argument("--password-env", metavar="VARIABLE", help="take the password from this variable")
        add_dry_run(parser)
        add_json(parser)

    def tell(self, options: dict[str, Any]) -> Told:
        email, department = normalise_email(options["email"]), options["department"]
        role, console_role = Role(options["role"]), console_role_of(options)
        existing = User.objects.filter(email=email).first()
        if existing is not None:
            self._require_same(existing, department=department, role=role, console_role=console_role)
            return _told("unchanged", existing)
        fields = {
            "email": email,
            "full_name": options["full_name"] or email.partition("@")[0],
            "department": department,
            "role": role,
            "console_role": console_role,
            "password": self._password(options),
        }
        at = timezone.now()
        if options["dry_run"]:
            return _told("would be created", new_user(**fields, at=at))
        return _told("created", services.create_account(**fields, by=None, at=at, reason=options["reason"]))

    def _require_same(self, user: User, *, department: str, role: Role, console_role: ConsoleRole | None) -> None:
        wanted = console_with(role) if console_role is None else console_role
        if (user.department, user.role, user.console_role) != (department, role, wanted):
            raise CommandError(
                f"{user.email} exists as {user.role} of {user.department or 'no department'}, "
                f"{user.console_role or 'without a role'} in the console. "
                "Change it in the console; this command makes new accounts only."
            )

    def _password(self, options: dict[str, Any]) -> str:
        if options["password_stdin"]:
            password = sys.stdin.readline().rstrip("\r\n")
            where = "standard input"
        else:
            where = options["password_env"]
            password = os.environ.get(where, "")
        if not password:
            raise CommandError(f"There is no password in {where}.", returncode=MISUSED)
        return password


def _told(done: str, user: User) -> Told:
    what = [user.role, user.department or "all departments"]
    what += [f"{user.console_role} in the console"] if user.console_role else []
    return Told(
        data={"result": done.replace(" ", "-")} | told(user),
        summary=f"{user.email}: {done} ({', '.join(what)})",
    )
