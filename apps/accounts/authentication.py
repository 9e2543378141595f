"""Who is asking: the bearer token, checked against the database at each request."""

from ipaddress import ip_address
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from apps.accounts.choices import Role
from apps.accounts.errors import UnauthenticatedError
from apps.accounts.models import Session, User
from apps.accounts.scope import enter_all_departments, enter_department, gate
from apps.accounts.tokens import AccessClaims, read_access

CHALLENGE = 'Bearer realm="aetherflow"'


class Unauthenticated(AuthenticationFailed):
    """An UnauthenticatedError on its way through DRF, which knows only its own exceptions here."""

    def __init__(self, error: UnauthenticatedError) -> None:
        super().__init__(detail=error.message, code=error.code)
        self.hint = error.hint
        self.details = error.details


class SessionJWTAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token>`; `request.user` is the User, `request.auth` its Session.

    What a token says is a claim of the past. One query loads session and user, and the request goes on only
    if the session still runs, the account is active, and department and role are still those of the token.
    """

    def authenticate(self, request: Request) -> tuple[User, Session] | None:
        raw = bearer_token(request)
        if raw is None:
            return None
        try:
            with gate():
                session = _session_of(read_access(raw))
        except UnauthenticatedError as error:
            raise Unauthenticated(error) from error
        enter_scope_of(session.user)
        return session.user, session

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 (DRF's signature)
        return CHALLENGE


def enter_scope_of(user: User) -> None:
    """What the rest of the request may see."""
    if user.role == Role.ADMIN:
        enter_all_departments("admin")
    else:
        enter_department(user.department)


def user_of(request: HttpRequest | Request) -> User:
    """The user behind a request that has passed IsAuthenticated, or the console's log-in."""
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user


def session_of(request: Request) -> Session:
    """The session behind a request that came with a bearer token."""
    if not isinstance(request.auth, Session):
        raise NotAuthenticated
    return request.auth


def address_of(request: HttpRequest | Request) -> str | None:
    """Where the request comes from, as our own proxies say (TRUSTED_PROXIES); None where that is no IP address."""
    # A server behind a Unix socket tells none.
    shown = BaseThrottle().get_ident(request) or ""  # type: ignore[arg-type]  # it asks for META only
    try:
        # Without the zone of fe80::1%eth0: it means something on one machine only.
        return str(ip_address(shown.partition("%")[0]))
    except ValueError:
        return None


def bearer_token(request: Request) -> str | None:
    """The text after `Bearer`, empty where nothing follows; None where the request shows no bearer token."""
    scheme, _, rest = get_authorization_header(request).partition(b" ")
    return rest.strip().decode("latin-1") if scheme.lower() == b"bearer" else None


def _session_of(claims: AccessClaims) -> Session:
    session = Session.objects.select_related("user").filter(pk=claims.session_id, user_id=claims.user_id).first()
    if session is None:
        raise _ended()
    if not session.user.may_enter:
        raise UnauthenticatedError(
            "This account is not active.",
            code="account-inactive",
            hint="Ask an admin to activate it.",
        )
    if (session.user.department, session.user.role) != (claims.department, claims.role):
        raise UnauthenticatedError(
            "The department or role of this account has changed since you logged in.",
            code="department-changed",
            hint="Log in again.",
        )
    if session.ended_at is not None or session.expires_at <= timezone.now():
        raise _ended()
    return session


def _ended() -> UnauthenticatedError:
    return UnauthenticatedError("This session has ended.", code="session-ended", hint="Log in again.")


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = SessionJWTAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:  # noqa: ARG002 (the hook's signature)
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
