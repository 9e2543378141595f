"""The errors a person can act on. Anything else that is raised is a bug or an outage and is reported as such."""

from collections.abc import Mapping


class AnticipatedError(Exception):
    """Refused with a reason: a stable code, a sentence with the numbers in it, and what to do about it."""

    def __init__(
        self, message: str, *, code: str = "", hint: str = "", details: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.hint = hint
        self.details = dict(details or {})

    default_code = "refused"


class NotFoundError(AnticipatedError):
    """It does not exist, or is not yours: the two are told apart nowhere."""

    default_code = "not-found"


class ForbiddenError(AnticipatedError):
    default_code = "forbidden"


class ConflictError(AnticipatedError):
    """The request was fine, the state of the thing is not."""

    default_code = "conflict"


class InvalidError(AnticipatedError):
    default_code = "invalid"


class TooLargeError(AnticipatedError):
    default_code = "too-large"


class TooManyError(AnticipatedError):
    """Asked for too often; `retry_after` seconds from now it may be asked for again."""

    default_code = "too-many"

    def __init__(self, message: str, *, retry_after: int, code: str = "", hint: str = "") -> None:
        super().__init__(message, code=code, hint=hint)
        self.retry_after = retry_after


class UnavailableError(AnticipatedError):
    """Something the platform needs is away; the same request may go through later."""

    default_code = "unavailable"
