"""The request id: taken from the caller where it is sane, made otherwise, answered and logged always."""

import re
import time
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import BadRequest
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django_structlog.signals import bind_extra_request_finished_metadata, bind_extra_request_metadata

from apps.accounts.authentication import address_of
from apps.accounts.origin import Origin, asked_from
from apps.accounts.scope import carried, enter_all_departments, enter_gate, no_scope
from apps.accounts.second_factor import is_missing

HEADER = "X-Request-ID"
_SANE = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestIdMiddleware:
    """Puts `request.request_id`. What a caller sends ends up in logs and queues, so only a sane id is taken."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get(HEADER, "")
        request_id = given if _SANE.fullmatch(given) else str(uuid.uuid4())
        request.request_id = request_id  # type: ignore[attr-defined]
        request.META["HTTP_X_REQUEST_ID"] = request_id
        request.began = time.monotonic()  # type: ignore[attr-defined]
        response = self.get_response(request)
        response[HEADER] = request_id
        return response


class AliveMiddleware:
    """Whether the process is alive a load balancer asks by the process' own address, and without TLS. The answer is the
    same to everybody, so the question counts as one by the site's name; all else under another name is refused."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method == "GET" and request.path_info == "/api/v1/health":
            request.META |= {"HTTP_HOST": settings.ALLOWED_HOSTS[0].lstrip("."), "HTTP_X_FORWARDED_PROTO": "https"}
        return self.get_response(request)


class ScopeMiddleware:
    """A request begins in nobody's scope; whoever it turns out to come from opens theirs, and its end closes it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with no_scope():
            response = self.get_response(request)
            if response.streaming:
                response.streaming_content = carried(response.streaming_content)  # type: ignore[attr-defined]
            return response

    def process_view(self, request: HttpRequest, *_: Any) -> None:
        """The console's: operators see all departments; who is still at its door, or has to set up a second factor
        before anything else, is looked up, and no more."""
        if request.resolver_match is not None and request.resolver_match.app_name == "admin":
            user = request.user
            if user.is_authenticated and user.is_staff and not is_missing(request):
                enter_all_departments("console")
            else:
                enter_gate()


class OriginMiddleware:
    """The audit's entries of a request tell its address and id, whichever service writes them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with asked_from(Origin(address=address_of(request), request_id=request.request_id)):  # type: ignore[attr-defined]
            return self.get_response(request)


@receiver(bind_extra_request_metadata)
def bind_request_id(request: HttpRequest, **_: Any) -> None:
    """The log's `request_id` is the one that is answered; django-structlog would make up one of its own."""
    structlog.contextvars.bind_contextvars(request_id=request.request_id)  # type: ignore[attr-defined]


@receiver(bind_extra_request_finished_metadata)
def bind_duration(request: HttpRequest, **_: Any) -> None:
    """Adds `duration_ms` to the line that tells of the request's end."""
    structlog.contextvars.bind_contextvars(duration_ms=round((time.monotonic() - request.began) * 1000))  # type: ignore[attr-defined]


class PrivateAnswersMiddleware:
    """What the API answers is for who has asked: no browser that two people use keeps it, and no proxy. A proxy that is
    told to keep it nonetheless keeps it for this token alone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path_info.startswith("/api/"):
            response["Cache-Control"] = "no-store"
            patch_vary_headers(response, ["Authorization"])
        return response


class ContentTypeMiddleware:
    """Refuses what `config.wsgi.Request` could not read, here where an answer with a request id can be made."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if getattr(request, "unreadable_content_type", False):
            raise BadRequest("The header Content-Type cannot be read.")
        return self.get_response(request)


class TrailingSlashMiddleware:
    """The API's addresses work with and without a slash at the end."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith("/api/") and request.path_info.endswith("/"):
            request.path_info = request.path_info.rstrip("/")
        return self.get_response(request)
