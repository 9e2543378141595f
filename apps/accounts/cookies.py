"""The API's two cookies, out of reach of scripts: the refresh token, and the name of a device that has logged in."""

from datetime import datetime, timedelta
from secrets import token_urlsafe
from urllib.parse import urlsplit

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


def refuse_foreign_page(request: Request) -> None:
    """ForbiddenError `foreign-page` where the browser says that another site's page asks: it must neither use our
    cookies nor have us set some.

    By the rule of Go's `http.CrossOriginProtection`: `Sec-Fetch-Site` where it is there, which no page can forge, or
    else the host of `Origin`. No browser sends neither; a program that does has no cookies of somebody else's.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        ours = site in {"same-origin", "none"} or origin in settings.CSRF_TRUSTED_ORIGINS
    else:
        own = (request.get_host(), *(urlsplit(each).netloc for each in settings.CSRF_TRUSTED_ORIGINS))
        ours = origin is None or urlsplit(origin).netloc in own
    if not ours:
        raise ForbiddenError(
            "The page that asks is not one of ours.",
            code="foreign-page",
            hint="Open the dashboard at its own address. Operators: CSRF_TRUSTED_ORIGINS lists others that may ask.",
        )


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
        path=settings.API_COOKIES_PATH,
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
