"""The API's two cookies, out of reach of scripts: the refresh token, and the name of a device that has logged in."""

from datetime import datetime, timedelta
from secrets import token_urlsafe

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from rest_framework.request import Request
from rest_framework.response import Response

from aetherflow.errors import ForbiddenError
from apps.accounts.authentication import bearer_token
from apps.accounts.models import normalise_email
from apps.accounts.services import SignedIn

# A form or an image on a foreign page cannot set a header, and a foreign script that tries is stopped by the
# browser's preflight. SameSite=Strict says the same; this holds where a browser is old or a sibling domain is
# hostile.
CSRF_HEADER = "X-Requested-With"
CSRF_VALUE = "AetherFlow"


_DEVICE_IS_KNOWN_FOR = timedelta(days=180)


def set_refresh_cookie(response: Response, signed_in: SignedIn, *, at: datetime) -> None:
    _set(response, settings.REFRESH_COOKIE_NAME, signed_in.refresh, lives=signed_in.session.expires_at - at)


def clear_refresh_cookie(response: Response) -> None:
    _set(response, settings.REFRESH_COOKIE_NAME, "", lives=timedelta())


def set_device_cookie(response: Response, *, email: str, device: str) -> None:
    """Know the device again by `device`, or by a new name where that is empty. It stays when one logs out."""
    signed = _of_account(email).sign(device or token_urlsafe(16))
    _set(response, settings.DEVICE_COOKIE_NAME, signed, lives=_DEVICE_IS_KNOWN_FOR)


def device_of(request: Request, *, email: str) -> str:
    """The device's name where it has logged in to this account before; empty where not, or too long ago."""
    try:
        return _of_account(email).unsign(
            request.COOKIES.get(settings.DEVICE_COOKIE_NAME, ""), max_age=_DEVICE_IS_KNOWN_FOR
        )
    except BadSignature:
        return ""


def _of_account(email: str) -> TimestampSigner:
    """By the salt a signature holds for one account alone, and the cookie tells nobody which."""
    return TimestampSigner(salt=f"apps.accounts.device:{normalise_email(email)}")


def _set(response: Response, name: str, value: str, *, lives: timedelta) -> None:
    response.set_cookie(
        name,
        value,
        max_age=lives,
        path=settings.REFRESH_COOKIE_PATH,
        secure=settings.SECURE,
        httponly=True,
        samesite="Strict",
    )


def refresh_cookie(request: Request) -> str | None:
    """The cookie's token. ForbiddenError `csrf-header-missing` where nothing shows that our own page asks.

    A bearer token in the header, even an expired one, shows it as well: a browser adds none by itself.
    """
    token = request.COOKIES.get(settings.REFRESH_COOKIE_NAME)
    if not token:
        return None
    if request.headers.get(CSRF_HEADER) != CSRF_VALUE and bearer_token(request) is None:
        raise ForbiddenError(
            f"A request that stands on the refresh cookie needs the header {CSRF_HEADER}: {CSRF_VALUE}.",
            code="csrf-header-missing",
            hint="Send the header, or send the refresh token in the body.",
        )
    return token
