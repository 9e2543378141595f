"""Every error of the API as RFC 9457 `application/problem+json`, with a stable code and the request id."""

import sys
from http import HTTPStatus
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import (
    BadRequest,
    DisallowedHost,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.defaults import bad_request as bad_page_request
from drf_standardized_errors.formatter import ExceptionFormatter
from drf_standardized_errors.handler import ExceptionHandler
from drf_standardized_errors.handler import exception_handler as standardized_handler
from drf_standardized_errors.types import Error, ErrorResponse
from rest_framework import exceptions, status
from rest_framework.response import Response

from aetherflow.errors import (
    AnticipatedError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    TooLargeError,
    TooManyError,
    UnavailableError,
)
from apps.datasets.storage import is_full

log = structlog.get_logger(__name__)

CONTENT_TYPE = "application/problem+json"
_WITHOUT_DATABASE = (OperationalError, InterfaceError)
STATUS_OF: dict[type[AnticipatedError], int] = {
    NotFoundError: status.HTTP_404_NOT_FOUND,
    ForbiddenError: status.HTTP_403_FORBIDDEN,
    ConflictError: status.HTTP_409_CONFLICT,
    InvalidError: status.HTTP_422_UNPROCESSABLE_ENTITY,
    TooLargeError: status.HTTP_413_REQUEST_ENTITY_TOO_LARGE,
    TooManyError: status.HTTP_429_TOO_MANY_REQUESTS,
    UnavailableError: status.HTTP_503_SERVICE_UNAVAILABLE,
}


class Anticipated(exceptions.APIException):
    """An AnticipatedError on its way through DRF's machinery."""

    def __init__(self, error: AnticipatedError) -> None:
        super().__init__(detail=error.message, code=error.code)
        self.status_code = next((code for kind, code in STATUS_OF.items() if isinstance(error, kind)), 400)
        self.hint = error.hint
        self.details = error.details
        # DRF's name for what becomes the header Retry-After.
        self.wait = error.retry_after if isinstance(error, TooManyError) else None


class ProblemHandler(ExceptionHandler):
    def convert_known_exceptions(self, exc: Exception) -> Exception:
        if isinstance(exc, AnticipatedError):
            return Anticipated(exc)
        if isinstance(exc, BadRequest | SuspiciousOperation):
            return Anticipated(refusal(exc))
        if outage := _outage(exc):
            log.warning("unavailable", code=outage.code, error=str(exc)[:300])
            return Anticipated(outage)
        return super().convert_known_exceptions(exc)

    def report_exception(self, exc: exceptions.APIException, response: Response) -> None:
        """An anticipated 503 is an answer, not a bug to report."""
        if not isinstance(exc, Anticipated):
            super().report_exception(exc, response)

    def get_response(self, exc: exceptions.APIException, data: dict[str, Any]) -> Response:
        return Response(data, status=exc.status_code, headers=self.get_headers(exc), content_type=CONTENT_TYPE)


class ProblemFormatter(ExceptionFormatter):
    def format_error_response(self, error_response: ErrorResponse) -> dict[str, Any]:
        request = self.context.get("request")
        first = error_response.errors[0]
        validation = isinstance(self.exc, exceptions.ValidationError)
        return problem(
            status_code=self.exc.status_code,
            code="invalid-request" if validation else _kebab(first.code),
            detail="The request has errors; see `errors`." if validation else first.detail,
            request=request,
            errors=[_entry(error) for error in error_response.errors] if validation else [],
            hint=getattr(self.exc, "hint", ""),
            details=getattr(self.exc, "details", {}),
        )


def _outage(exc: Exception) -> UnavailableError | None:
    """What no code here is to blame for, and the caller can only try again: the database or the room on disk."""
    if isinstance(exc, _WITHOUT_DATABASE):
        return UnavailableError(
            "The database does not answer.",
            code="database-unavailable",
            hint="Try again in a minute. If it stays, tell the operators.",
        )
    if is_full(exc):
        return UnavailableError(
            "The server has no room for the file; nothing was recorded.",
            code="storage-full",
            hint="Tell the operators, and send it again once they have made room.",
        )
    return None


def refusal(exc: Exception) -> AnticipatedError:
    """What Django has refused before a view saw it, in words for the caller."""
    if isinstance(exc, RequestDataTooBig):
        megabytes = (settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0) / 1024**2
        return TooLargeError(
            f"Apart from a file the request holds more than {megabytes:.3g} MB.",
            code="request-too-large",
            hint="Shorten the fields, e.g. the description.",
        )
    if isinstance(exc, TooManyFieldsSent):
        return AnticipatedError(
            f"The form has more than {settings.DATA_UPLOAD_MAX_NUMBER_FIELDS} fields.",
            code="too-many-fields",
            hint="Send the fields docs/openapi.json names, each once.",
        )
    if isinstance(exc, TooManyFilesSent):
        return AnticipatedError(
            f"The form has more than {settings.DATA_UPLOAD_MAX_NUMBER_FILES} files.",
            code="too-many-files",
            hint="Upload one file a request, in the field `file`.",
        )
    if isinstance(exc, DisallowedHost):
        return AnticipatedError(
            "This installation does not answer to that host name.",
            code="unknown-host",
            hint="Use the address the operators gave out; they list its names in ALLOWED_HOSTS.",
        )
    if isinstance(exc, BadRequest) and str(exc):
        return AnticipatedError(str(exc), code="bad-request", hint="Mend the request and send it again.")
    # What else is suspicious stays in the log: its text is written for operators.
    return AnticipatedError("The request cannot be read.", code="bad-request", hint="Mend it and send it again.")


def exception_handler(exc: Exception, context: Any) -> Response | None:
    return standardized_handler(exc, context)


def problem(
    *,
    status_code: int,
    code: str,
    detail: str,
    request: Any,
    errors: list[dict[str, Any]] | None = None,
    hint: str = "",
    details: dict[str, object] | None = None,
) -> dict[str, Any]:
    """The problem document. `errors[].pointer` is a JSON pointer into the request's body."""
    document: dict[str, Any] = {
        "type": f"urn:aetherflow:problem:{code}",
        "title": HTTPStatus(status_code).phrase,
        "status": status_code,
        "detail": detail,
        "code": code,
        "errors": errors or [],
        "request_id": getattr(request, "request_id", None),
    }
    if hint:
        document["hint"] = hint
    if details:
        document["details"] = details
    return document


def _entry(error: Error) -> dict[str, Any]:
    pointer = "/" + error.attr.replace(".", "/") if error.attr and error.attr != "non_field_errors" else ""
    return {"pointer": pointer, "code": _kebab(error.code), "detail": error.detail}


def _kebab(code: str) -> str:
    return code.replace("_", "-")


def _at_console(request: HttpRequest) -> bool:
    return request.path.startswith(reverse("admin:index"))


@csrf_exempt
def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 (Django's signature)
    """A problem document for programs; for people at the console a page."""
    if _at_console(request):
        return HttpResponse(render_to_string("admin/console/missing.html"), status=404)
    document = problem(status_code=404, code="not-found", detail="There is nothing at this address.", request=request)
    return JsonResponse(document, status=404, content_type=CONTENT_TYPE)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Refused by Django itself, before any view: a problem document for programs, a page for people."""
    if not f"{request.path}/".startswith("/api/"):
        return bad_page_request(request, exception)
    answer = Anticipated(refusal(exception))
    document = problem(
        status_code=answer.status_code,
        code=_kebab(str(answer.get_codes())),
        detail=str(answer.detail),
        request=request,
        hint=answer.hint,
    )
    return JsonResponse(document, status=answer.status_code, content_type=CONTENT_TYPE)


def server_error(request: HttpRequest) -> HttpResponse:
    """A problem document for programs; for people at the console a page."""
    if _at_console(request):
        away = isinstance(sys.exc_info()[1], _WITHOUT_DATABASE)
        known = {"database_is_away": away, "request_id": getattr(request, "request_id", "")}
        return HttpResponse(render_to_string("admin/console/broken.html", known), status=503 if away else 500)
    document = problem(
        status_code=500,
        code="server-error",
        detail="Something broke on our side; it has been recorded.",
        request=request,
        hint="Try again. If it stays, give the operators the request id.",
    )
    return JsonResponse(document, status=500, content_type=CONTENT_TYPE)
