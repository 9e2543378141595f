"""An operator's second factor: set up, given other recovery codes, removed, taken away (`codes` takes its codes)."""

import re
import secrets
from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.conf import settings
from django.db import transaction
from django_otp.plugins.otp_totp.models import TOTPDevice

from aetherflow.errors import ConflictError
from apps.accounts.choices import AuditAction, SessionEnd
from apps.accounts.models import RecoveryCode, User
from apps.accounts.selectors import second_factor_of
from apps.accounts.services.auditing import account, record
from apps.accounts.services.codes import digest, no_second_factor, prove, typed_code, wrong_code
from apps.accounts.services.limits import Limit
from apps.accounts.services.others import require_another
from apps.accounts.services.passwords import require_password
from apps.accounts.services.sessions import end_sessions

log = structlog.get_logger(__name__)

_CODES = 10
# 80 bits: as a digest alone, without a secret of ours, they cannot be found by trying.
_CODE_BYTES = 10
_CHANGES = Limit(
    rate="RATE_PASSWORD_USER",
    code="too-many-changes",
    message="There have been too many tries to change the second factor of this account.",
)


@dataclass(frozen=True, kw_only=True)
class Enrolled:
    device: TOTPDevice
    codes: list[str]


def enrol(*, user: User, key: str, password: str, code: str, besides: str | None, at: datetime) -> Enrolled:
    """Ask this account for codes of the app that knows the `key` (hexadecimal) from now on. Ends the sessions that the
    password alone has opened, all `besides` the console's of that key.

    FieldError `wrong-password` (password), `wrong-code` (code); ConflictError `second-factor-there`; TooManyError
    `too-many-changes`.
    """
    require_password(user, password, field="password", limit=_CHANGES, at=at)
    with transaction.atomic():
        # Held, so that of two at once the second finds the first one's.
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if second_factor_of(user):
            raise ConflictError(
                "This account has a second factor already.",
                code="second-factor-there",
                hint="To use another app, remove this one first, or have an admin take it away.",
            )
        device = TOTPDevice(user=user, name="authenticator app", key=key)
        if not device.verify_token(typed_code(code)):
            raise wrong_code()
        codes = _renew_codes(user)
        ended = end_sessions(user=user, reason=SessionEnd.SECOND_FACTOR, besides_console=besides, at=at)
        details = {"sessions_ended": ended}
        record(AuditAction.SECOND_FACTOR_SET_UP, account(user), by=user, at=at, details=details)
    log.info("second_factor.set_up", user_id=str(user.pk))
    return Enrolled(device=device, codes=codes)


def renew_recovery_codes(*, user: User, password: str, code: str, at: datetime) -> list[str]:
    """Ten new ones; those before are void. As `remove_second_factor` refuses."""
    require_password(user, password, field="password", limit=_CHANGES, at=at)
    prove(user=user, code=code, at=at)
    with transaction.atomic():
        codes = _renew_codes(user)
        record(AuditAction.RECOVERY_CODES_MADE, account(user), by=user, at=at)
    log.info("second_factor.codes_made", user_id=str(user.pk))
    return codes


def remove_second_factor(*, user: User, password: str, code: str, at: datetime) -> None:
    """The user's own doing. What `prove` raises; FieldError `wrong-password` (password); ConflictError
    `second-factor-required` where everybody has to have one; TooManyError `too-many-changes`."""
    if settings.CONSOLE_TOTP == "required":
        raise ConflictError(
            "Whoever uses this console has to have a second factor.",
            code="second-factor-required",
            hint="To use another app, have an admin take this one away: you set up the next one when you log in.",
        )
    require_password(user, password, field="password", limit=_CHANGES, at=at)
    prove(user=user, code=code, at=at)
    with transaction.atomic():
        if not _forget(user):
            raise no_second_factor()
        record(AuditAction.SECOND_FACTOR_REMOVED, account(user), by=user, at=at)
    log.info("second_factor.removed", user_id=str(user.pk))


def reset_second_factor(*, user: User, by: User | None, at: datetime, reason: str = "") -> bool:
    """Take it away from who has lost it, and end their sessions; `by` is None where a command does. False where there
    was none.

    What `require_another` raises.
    """
    own_way = "Use “Second factor” in the menu of your name, or ask another admin."
    require_another(user, by=by, own_way=own_way, command="second_factor")
    with transaction.atomic():
        if not _forget(user):
            return False
        details = {"sessions_ended": end_sessions(user=user, reason=SessionEnd.SECOND_FACTOR, at=at)}
        record(AuditAction.SECOND_FACTOR_RESET, account(user), by=by, at=at, reason=reason, details=details)
    log.info("second_factor.reset", user_id=str(user.pk), by=str(by.pk) if by else None)
    return True


def _renew_codes(user: User) -> list[str]:
    RecoveryCode.objects.filter(user=user).delete()
    codes = [b32encode(secrets.token_bytes(_CODE_BYTES)).decode().lower() for _ in range(_CODES)]
    RecoveryCode.objects.bulk_create(RecoveryCode(user=user, sha256=digest(code)) for code in codes)
    return ["-".join(re.findall("....", code)) for code in codes]


def _forget(user: User) -> bool:
    RecoveryCode.objects.filter(user=user).delete()
    return bool(TOTPDevice.objects.filter(user=user).delete()[0])
