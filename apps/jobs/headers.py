"""What the headers of a request say to the line."""

from django.http import HttpRequest
from rest_framework.request import Request

from aetherflow.errors import AnticipatedError

_IDEMPOTENCY_KEY_LENGTH = 200


def request_id(request: HttpRequest | Request) -> str:
    return str(request.META["HTTP_X_REQUEST_ID"])


def idempotency_key(request: Request) -> str:
    """Never cut: two keys that are equal up to the cut would be answered by one job."""
    key = str(request.headers.get("Idempotency-Key", ""))
    if len(key) > _IDEMPOTENCY_KEY_LENGTH:
        raise AnticipatedError(
            f"The Idempotency-Key has {len(key)} characters, {_IDEMPOTENCY_KEY_LENGTH} are allowed.",
            code="invalid-idempotency-key",
            hint="Use a short one, e.g. a UUID.",
        )
    return key
