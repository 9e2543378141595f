"""What both commands that give roles ask for, and how they tell them."""

from typing import Any

from django.core.management.base import CommandParser

from apps.accounts.choices import ConsoleRole, Role
from apps.accounts.models import Invitation, User

_NONE = "none"


def add_roles(parser: CommandParser) -> None:
    parser.add_argument("--department", default="", help="needed for a member")
    parser.add_argument("--role", choices=Role.values, default=Role.MEMBER.value, help="in the dashboard and the API")
    parser.add_argument(
        "--console-role",
        choices=[_NONE, *filter(None, ConsoleRole.values)],
        help="in the operators' console; default: admin for an admin, none for a member",
    )
    parser.add_argument("--reason", default="", help="why, for the audit")


def console_role_of(options: dict[str, Any]) -> ConsoleRole | None:
    """None where it was not said."""
    said = options["console_role"]
    return None if said is None else ConsoleRole("" if said == _NONE else said)


def told(account: User | Invitation) -> dict[str, str | None]:
    return {
        "email": account.email or None,
        "department": account.department or None,
        "role": str(account.role),
        "console_role": str(account.console_role) or None,
    }
