"""The refresh token's cookie: out of reach of scripts, sent by the browser to the auth routes only."""

from datetime import datetime

from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from aetherflow.errors import ForbiddenError
from apps.accounts.authentication import bearer_token
from apps.accounts.services import SignedIn

# A form or an image on a foreign page cannot set a header, and a foreign script that tries is stopped by the
# browser's preflight. SameSite=Strict says the same; this holds where a browser is old or a sibling domain is
# hostile.
CSRF_HEADER = "X-Requested-With"
CSRF_VALUE = "AetherFlow"


def set_refresh_cookie(response: Response, signed_in: SignedIn, *, at: datetime) -> None:
    response.set_cookie(
        settings.REFRESH_COOKIE_NAME,
        signed_in.refresh,
        max_age=signed_in.session.expires_at - at,
        path=settings.REFRESH_COOKIE_PATH,
        secure=settings.SECURE,
        httponly=True,
        samesite="Strict",
    )


def clear_refresh_cookie(response: Response) -> None:
    response.set_cookie(
        settings.REFRESH_COOKIE_NAME,
        "",
        max_age=0,
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
