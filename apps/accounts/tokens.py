"""The two JWTs, wrapped: nobody else imports the library, so that it can be exchanged.

Access: `sub` user, `sid` session, `department`, `role`; short, held in the page's memory. Refresh: `sub`,
`sid`, `jti`; good for one use (see `Session`). Both carry `token_type`, `iat`, `exp`; the algorithm is the
one of the settings, whatever a token's header says.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from apps.accounts.errors import UnauthenticatedError
from apps.accounts.models import Session, User


@dataclass(frozen=True, kw_only=True)
class AccessClaims:
    user_id: UUID
    session_id: UUID
    department: str
    role: str


@dataclass(frozen=True, kw_only=True)
class RefreshClaims:
    user_id: UUID
    session_id: UUID
    jti: UUID


def mint_access(*, user: User, session: Session, at: datetime) -> str:
    token = AccessToken()
    token.set_iat(at_time=at)
    token.set_exp(from_time=at, lifetime=settings.ACCESS_TOKEN_LIFETIME)
    token["sub"] = str(user.pk)
    token["sid"] = str(session.pk)
    token["department"] = user.department
    token["role"] = user.role
    return str(token)


def mint_refresh(*, session: Session, at: datetime) -> str:
    """The session's current refresh token; minted again it is good for the same one use."""
    token = RefreshToken()
    token.set_iat(at_time=at)
    token.set_exp(from_time=at, lifetime=session.expires_at - at)
    token["sub"] = str(session.user_id)
    token["sid"] = str(session.pk)
    token["jti"] = session.current_jti.hex
    return str(token)


def read_access(raw: str) -> AccessClaims:
    """UnauthenticatedError `token-invalid` or `token-expired`."""
    token = _read(AccessToken, raw)
    try:
        return AccessClaims(
            user_id=UUID(token["sub"]),
            session_id=UUID(token["sid"]),
            department=str(token["department"]),
            role=str(token["role"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _invalid() from None


def read_refresh(raw: str) -> RefreshClaims:
    """UnauthenticatedError `token-invalid` or `token-expired`."""
    token = _read(RefreshToken, raw)
    try:
        return RefreshClaims(user_id=UUID(token["sub"]), session_id=UUID(token["sid"]), jti=UUID(token["jti"]))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _invalid() from None


def _read(kind: type[Token], raw: str) -> Token:
    try:
        return kind(raw)  # type: ignore[arg-type]  # the library's annotation says Token, it takes the text
    except ExpiredTokenError:
        raise UnauthenticatedError(
            "The token has expired.", code="token-expired", hint="Refresh it, or log in again."
        ) from None
    except TokenError:
        raise _invalid() from None


def _invalid() -> UnauthenticatedError:
    return UnauthenticatedError(
        "The token is not one of ours, or it was altered.", code="token-invalid", hint="Log in again."
    )
