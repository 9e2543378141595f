"""Whose account an operator may lay hands on."""

from aetherflow.errors import ConflictError, ForbiddenError
from apps.accounts.models import User


def require_another(user: User, *, by: User | None, own_way: str, command: str) -> None:
    """ConflictError `own-account`, since whoever finds a console left open must not take the account over; `own_way`
    says how its owner does it. ForbiddenError `superuser-account`, since with a superuser's account one is a superuser.
    `by` is None where a command does it."""
    if by is None:
        return
    if by.pk == user.pk:
        raise ConflictError("This is your own account.", code="own-account", hint=own_way)
    if user.is_superuser and not by.is_superuser:
        raise ForbiddenError(
            "This is a superuser's account, which may do more than yours.",
            code="superuser-account",
            hint=f"Ask another superuser, or whoever runs the platform (manage.py {command}).",
        )
