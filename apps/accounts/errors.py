"""What the accounts refuse, beside the kinds every app has."""

from collections.abc import Mapping

from aetherflow.errors import AnticipatedError, InvalidError


class UnauthenticatedError(AnticipatedError):
    """Who is asking is not known, or no longer let in. Answered with 401."""

    default_code = "not-authenticated"


class FieldError(InvalidError):
    """One value of the request is wrong; `field` names it. Answered with 422 and a pointer to the field."""

    def __init__(
        self,
        message: str,
        *,
        field: str,
        code: str,
        hint: str = "",
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message, code=code, hint=hint, details=details)
        self.field = field
