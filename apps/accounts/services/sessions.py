"""Sessions: log-in, rotation of the refresh token, log-out.

Two requests may come at the same moment with the same token, so nothing here reads and then writes: each
change is one UPDATE whose WHERE clause says what must still be true.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

import structlog
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction

from aetherflow.errors import ForbiddenError
from apps.accounts.choices import Approval, AuditAction, SessionEnd
from apps.accounts.errors import FieldError, UnauthenticatedError
from apps.accounts.models import ConsoleSession, Session, User, normalise_email
from apps.accounts.selectors import asks_second_factor
from apps.accounts.services.auditing import account, record
from apps.accounts.services.codes import prove
from apps.accounts.services.guessing import admit, was_right, was_wrong
from apps.accounts.services.limits import Limit, Taken, take
from apps.accounts.tokens import RefreshClaims, mint_access, mint_refresh, read_access, read_refresh

log = structlog.get_logger(__name__)

_USER_AGENT_LENGTH = 300
_REFRESHES = Limit(
    rate="RATE_REFRESH_SESSION", code="too-many-refreshes", message="This session was refreshed too often."
)
# Ends that somebody decided on; the others follow from what has an entry of its own, or from nobody's decision.
_DECIDED = {
    SessionEnd.LOGOUT: AuditAction.LOGGED_OUT,
    SessionEnd.OWNER: AuditAction.SESSIONS_ENDED,
    SessionEnd.ADMIN: AuditAction.SESSIONS_ENDED,
}


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """A running session and the two tokens that speak for it."""

    user: User
    session: Session
    access: str
    refresh: str


def log_in(
    *,
    email: str,
    password: str,
    code: str = "",
    user_agent: str,
    ip: str | None = None,
    device: str = "",
    at: datetime,
) -> SignedIn:
    """Open a session. `device`: its name where it has logged in to this account before. `code`: of an operator's second
    factor.

    UnauthenticatedError `invalid-credentials` for an unknown address, a wrong password and a shut account
    alike, after the same work; only to who knows the password ForbiddenError `approval-pending`,
    UnauthenticatedError `second-factor-needed` and `wrong-code`, TooManyError `too-many-codes`; TooManyError
    `too-many-log-ins`.
    """
    email = normalise_email(email)
    guess = admit(email=email, device=device, address=ip, at=at)
    user = User.objects.filter(email=email).first()
    if user is None:
        make_password(password)  # An early answer would tell which addresses have an account.
    if user is None or not user.check_password(password) or not user.is_active:
        log.info("session.refused", user_id=str(user.pk) if user else None)
        was_wrong(guess, user=user, email=email, at=at)
        raise _invalid_credentials()
    asks = asks_second_factor(user)
    if asks and code:
        _require_code(user, code, guess, at=at)
    was_right(guess)
    if asks and not code:
        raise UnauthenticatedError(
            "This account asks for a second factor.",
            code="second-factor-needed",
            hint="Send the code that your app shows, or one of your recovery codes, as `code`.",
        )
    if user.approval != Approval.APPROVED:
        raise ForbiddenError(
            "This account waits for an admin's approval.",
            code="approval-pending",
            hint="Ask an admin of the platform to approve it, then log in again.",
        )
    with transaction.atomic():
        # The row lock orders this against a password change: without it a session opened with the old
        # password could appear just after the change has ended all sessions.
        known = User.objects.filter(pk=user.pk, password=user.password, is_active=True)
        if not known.update(last_login=at):
            raise _invalid_credentials()
        session = Session.objects.create(
            user=user,
            user_agent=user_agent[:_USER_AGENT_LENGTH],
            ip=ip,
            created_at=at,
            last_used_at=at,
            expires_at=at + settings.REFRESH_TOKEN_LIFETIME,
        )
        record(AuditAction.LOGGED_IN, account(user), by=user, at=at, details={"session": str(session.pk)})
    log.info("session.opened", user_id=str(user.pk), session_id=str(session.pk), department=user.department)
    return _signed_in(session, at=at)


def rotate(*, refresh: str, at: datetime) -> SignedIn:
    """A new access token and the next refresh token.

    The newest token moves the family on. The one before it, shown within REFRESH_REUSE_GRACE (a second tab,
    an answer that got lost), is given the family's newest again, so both tabs live on. Any other was copied:
    the session ends.

    UnauthenticatedError `token-invalid`, `token-expired`, `session-ended`, `account-inactive` or
    `token-reused`; TooManyError `too-many-refreshes`.
    """
    claims = read_refresh(refresh)
    take(_REFRESHES, str(claims.session_id), at=at)
    session = _open_session(claims, at=at)
    if not session.user.may_enter:
        raise UnauthenticatedError(
            "This account is not active.", code="account-inactive", hint="Ask an admin to activate it."
        )
    following = uuid4()
    newest = Session.objects.filter(pk=session.pk, current_jti=claims.jti, ended_at=None)
    if newest.update(current_jti=following, previous_jti=claims.jti, rotated_at=at, last_used_at=at):
        session.current_jti = following
        return _signed_in(session, at=at)
    session = _open_session(claims, at=at)
    if session.previous_jti != claims.jti or not _within_grace(session, at=at):
        end_session(session_id=session.pk, reason=SessionEnd.REUSE, at=at)
        log.warning("session.token_reused", user_id=str(session.user_id), session_id=str(session.pk))
        raise UnauthenticatedError(
            "This refresh token was used before, so the session was ended to keep others out.",
            code="token-reused",
            hint="Log in again. If this was not a second window of yours, change your password.",
        )
    return _signed_in(session, at=at)


def log_out(*, refresh: str | None, access: str | None, at: datetime) -> None:
    """End the sessions the tokens speak of; one that is expired or not ours ends nothing and is no error."""
    for token, read in ((refresh, read_refresh), (access, read_access)):
        if token is None:
            continue
        with suppress(UnauthenticatedError):  # There is no session left to end, and the caller wants just that.
            end_session(session_id=read(token).session_id, reason=SessionEnd.LOGOUT, at=at)


def end_session(*, session_id: UUID, reason: SessionEnd, by: User | None = None, at: datetime, why: str = "") -> bool:
    """False where it had ended before. `why`: in the words of who ends it."""
    running = Session.objects.filter(pk=session_id, ended_at=None)
    with transaction.atomic():
        ended = bool(running.update(ended_at=at, ended_reason=reason))
        if ended and reason in _DECIDED:
            owner = User.objects.get(sessions=session_id)
            # To log out is the owner's own doing; the token says so.
            who = owner if reason == SessionEnd.LOGOUT else by
            details = {"session": str(session_id)}
            record(_DECIDED[reason], account(owner), by=who, at=at, reason=why, details=details)
    if ended:
        log.info("session.ended", session_id=str(session_id), reason=reason.value, by=str(by.pk) if by else None)
    return ended


def end_sessions(
    *,
    user: User,
    reason: SessionEnd,
    besides: Session | None = None,
    besides_console: str | None = None,
    by: User | None = None,
    at: datetime,
    why: str = "",
) -> int:
    """End a user's sessions, those of the console too, but for the one of the key `besides_console`; or those of the
    API, all `besides` one. How many ran. `why`: in the words of who ends them."""
    running = Session.objects.filter(user=user, ended_at=None, expires_at__gt=at)
    if besides is not None:
        running = running.exclude(pk=besides.pk)
    with transaction.atomic():
        ended = running.update(ended_at=at, ended_reason=reason)
        if besides is None:
            console = ConsoleSession.objects.filter(user=user, expire_date__gt=at)
            ended += console.exclude(session_key=besides_console).delete()[0]
        if ended and reason in _DECIDED:
            record(_DECIDED[reason], account(user), by=by, at=at, reason=why, details={"sessions_ended": ended})
    if ended:
        log.info(
            "sessions.ended", user_id=str(user.pk), count=ended, reason=reason.value, by=str(by.pk) if by else None
        )
    return ended


def enter_console(*, user: User, at: datetime) -> None:
    """Say that somebody logs in to the console, inside the caller's transaction: Django itself opens the session."""
    record(AuditAction.CONSOLE_ENTERED, account(user), by=user, at=at)


def refuse_console(*, email: str) -> None:
    """Say in the log that somebody was not let in; whom, where there is such an account."""
    # As it was typed in: no column holds a NUL.
    known = User.objects.filter(email=normalise_email(email.replace("\0", ""))).values_list("pk", flat=True).first()
    log.info("session.refused", user_id=str(known) if known else None, console=True)


def lock_console(*, email: str, at: datetime) -> None:
    """Say that no more passwords of this account are tried from there. Of what is no account nothing is kept: it may
    be a password that was typed into the wrong field."""
    known = User.objects.filter(email=normalise_email(email.replace("\0", ""))).first()
    if known:
        record(AuditAction.CONSOLE_LOCKED, account(known), by=known, at=at)


def leave_console(*, user: User, at: datetime) -> None:
    record(AuditAction.CONSOLE_LEFT, account(user), by=user, at=at)


def _require_code(user: User, code: str, guess: list[Taken], *, at: datetime) -> None:
    """A wrong code is a guess, as a wrong password is."""
    try:
        prove(user=user, code=code, at=at)
    except FieldError as refusal:
        log.info("session.refused", user_id=str(user.pk))
        was_wrong(guess, user=user, email=user.email, at=at)
        raise UnauthenticatedError(refusal.message, code=refusal.code, hint=refusal.hint) from refusal


def _open_session(claims: RefreshClaims, *, at: datetime) -> Session:
    found = Session.objects.select_related("user").filter(
        pk=claims.session_id, user_id=claims.user_id, ended_at=None, expires_at__gt=at
    )
    session = found.first()
    if session is None:
        raise UnauthenticatedError("This session has ended.", code="session-ended", hint="Log in again.")
    return session


def _within_grace(session: Session, *, at: datetime) -> bool:
    return session.rotated_at is not None and at - session.rotated_at <= settings.REFRESH_REUSE_GRACE


def _signed_in(session: Session, *, at: datetime) -> SignedIn:
    return SignedIn(
        user=session.user,
        session=session,
        access=mint_access(user=session.user, session=session, at=at),
        refresh=mint_refresh(session=session, at=at),
    )


def _invalid_credentials() -> UnauthenticatedError:
    return UnauthenticatedError(
        "The e-mail address and the password do not belong together.",
        code="invalid-credentials",
        hint="Check both; capital letters count in the password.",
    )
