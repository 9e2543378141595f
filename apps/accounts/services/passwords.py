"""The present password, asked for again of who is logged in."""

from datetime import datetime

from apps.accounts.errors import FieldError
from apps.accounts.models import User
from apps.accounts.services.limits import Limit, take


def require_password(user: User, password: str, *, field: str, limit: Limit, at: datetime) -> None:
    """FieldError `wrong-password` (`field`); what `take` raises of the `limit`, since whoever holds a session that is
    not theirs must not guess the password by it."""
    take(limit, str(user.pk), at=at)
    if not user.check_password(password):
        raise FieldError(
            "This is not your present password.",
            field=field,
            code="wrong-password",
            hint="Type the password you logged in with.",
        )
