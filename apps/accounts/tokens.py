"""The two JWTs, wrapped: nobody else imports the library, so that it can be exchanged.

Access: `sub` user, `sid` session, `department`, `role`; short, held in the page's memory. Refresh: `sub`,
`sid`, `jti`; good for one use (see `Session`). Both carry `token_type`, `iat`, `exp`, and in the header the `kid` of
the key that signed them; the algorithm is HS256, whatever a token's header says.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import jwt
from django.conf import settings
from django.utils.crypto import salted_hmac
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken, Token

from apps.accounts.errors import UnauthenticatedError
from apps.accounts.models import Session, User

# Web processes on machines of their own must take each other's fresh tokens.
_CLOCKS_DIFFER_BY = timedelta(seconds=5)


class _KeyRing(TokenBackend):
    """Signs with the first key, and takes what any of them has signed: the token's `kid` says which.

    A token without a `kid`, or with that of no key of ours, is not tried with any.
    """

    def __init__(self, keys: tuple[str, ...]) -> None:
        super().__init__("HS256", signing_key=keys[0], leeway=_CLOCKS_DIFFER_BY)
        self._by_id = {key_id(key): key.encode() for key in keys}
        self._signing_id = key_id(keys[0])

    def encode(self, payload: dict[str, Any]) -> str:
        key = self._by_id[self._signing_id]
        return jwt.encode(payload, key, algorithm=self.algorithm, headers={"kid": self._signing_id})

    def get_verifying_key(self, token: Any) -> bytes:
        try:
            return self._by_id[jwt.get_unverified_header(token).get("kid", "")]
        except KeyError:
            raise jwt.InvalidTokenError("Signed with none of our keys.") from None


class _Access(AccessToken):
    def get_token_backend(self) -> _KeyRing:
        return _key_ring(tuple(settings.JWT_KEYS))


class _Refresh(RefreshToken):
    def get_token_backend(self) -> _KeyRing:
        return _key_ring(tuple(settings.JWT_KEYS))


_key_ring = cache(_KeyRing)


def key_id(key: str) -> str:
    """A name for the key that everybody may know. Who does not know the key learns no more from it than from a
    signature."""
    return salted_hmac("apps.accounts.tokens.kid", "", secret=key, algorithm="sha256").hexdigest()[:16]


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
    token = _Access()
    token.set_iat(at_time=at)
    token.set_exp(from_time=at, lifetime=settings.ACCESS_TOKEN_LIFETIME)
    token["sub"] = str(user.pk)
    token["sid"] = str(session.pk)
    token["department"] = user.department
    token["role"] = user.role
    return str(token)


def mint_refresh(*, session: Session, at: datetime) -> str:
    """The session's current refresh token; minted again it is good for the same one use."""
    token = _Refresh()
    token.set_iat(at_time=at)
    token.set_exp(from_time=at, lifetime=session.expires_at - at)
    token["sub"] = str(session.user_id)
    token["sid"] = str(session.pk)
    token["jti"] = session.current_jti.hex
    return str(token)


def read_access(raw: str) -> AccessClaims:
    """UnauthenticatedError `token-invalid` or `token-expired`."""
    token = _read(_Access, raw)
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
    token = _read(_Refresh, raw)
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
