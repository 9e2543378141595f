"""Which departments a user may see: the one rule that every other app's `*_for(user)` stands on."""

from aetherflow.errors import ForbiddenError, NotFoundError
from aetherflow.registry import departments
from apps.accounts.models import Role, User


def departments_of(user: User) -> tuple[str, ...]:
    """The slugs of the departments this user sees: all for an admin, their own for a member."""
    if user.role == Role.ADMIN:
        return tuple(departments())
    return (user.department,)


def require_department(user: User, slug: str) -> None:
    """Refuse a department that is not the user's.

    ForbiddenError `foreign-department` for a member, also where there is no such department: which others
    exist is not a member's business. NotFoundError `unknown-department` for an admin.
    """
    if slug in departments_of(user):
        return
    if user.role == Role.ADMIN:
        known = ", ".join(departments())
        raise NotFoundError(
            f"There is no department {slug!r}.",
            code="unknown-department",
            hint=f"The departments are: {known}.",
        )
    raise ForbiddenError(
        f"Your account belongs to the department {user.department!r}; {slug!r} is not open to it.",
        code="foreign-department",
        hint="Choose your own department, or ask an admin to move your account.",
    )
