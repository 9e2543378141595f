"""Who guesses passwords at the console's door is kept out for a while (django-axes); see the AXES settings."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import structlog
from axes.backends import AxesStandaloneBackend
from axes.handlers.database import AxesDatabaseHandler
from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import ValidationError
from django.db import ProgrammingError, transaction
from django.http import HttpRequest
from unfold.forms import AuthenticationForm

from apps.accounts.models import normalise_email

log = structlog.get_logger(__name__)


def email_typed(request: HttpRequest, credentials: Mapping[str, Any] | None) -> str:
    """However it is written, it is one account's; as it was typed in, and no column holds a NUL."""
    typed = (credentials or request.POST).get("username") or ""
    return normalise_email(str(typed).replace("\0", ""))[:255]


class Doorkeeper(AxesStandaloneBackend):
    """Asked first of a password from an address; one that comes from none (a script's) is nobody's to keep out."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        if request is not None:
            super().authenticate(request, **credentials)


class Handler(AxesDatabaseHandler):
    """Where its tables are not there (before `migrate`) the door stands as it did before: nobody is kept out."""

    def is_locked(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        found: list[bool] = []
        with _tables_or_not():
            found.append(super().is_locked(request, credentials))
        return any(found)

    def user_login_failed(
        self, sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
    ) -> None:
        with _tables_or_not():
            super().user_login_failed(sender, credentials, request, **kwargs)

    def user_logged_in(self, sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
        with _tables_or_not():
            super().user_logged_in(sender, request, user, **kwargs)


class LogInForm(AuthenticationForm):
    """Says of whom is kept out for how long, and who can let them in; the same whether there is such an account."""

    def get_invalid_login_error(self) -> ValidationError:
        return kept_out("passwords") if is_kept_out(self.request) else super().get_invalid_login_error()


def is_kept_out(request: HttpRequest | None) -> bool:
    return bool(getattr(request, "axes_locked_out", False))


def was_just_locked(request: HttpRequest) -> bool:
    """Whether it was this attempt that shut the door."""
    return is_kept_out(request) and getattr(request, "axes_failures_since_start", None) is not None


def keeps_out(request: HttpRequest, email: str) -> bool:
    """The door's question where no password is looked at: of a code."""
    request.axes_locked_out = not AxesProxyHandler.is_allowed(request, {"username": email})  # type: ignore[attr-defined]
    return is_kept_out(request)


def count_wrong_code(request: HttpRequest, email: str) -> None:
    """Like a wrong password."""
    user_login_failed.send(sender=__name__, credentials={"username": email}, request=request)


def kept_out(of: str) -> ValidationError:
    """`of` is what was wrong: passwords, codes."""
    minutes = math.ceil(settings.AXES_COOLOFF_TIME.total_seconds() / 60)
    return ValidationError(
        f"Too many wrong {of} for this e-mail address from where you are. Try again in {minutes} min, or ask "
        "whoever runs the platform to let you in sooner (manage.py axes_reset_ip_username).",
        code="kept-out",
    )


@contextmanager
def _tables_or_not() -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
    except ProgrammingError as error:
        log.warning("console.lockout_off", error=str(error).splitlines()[0])
