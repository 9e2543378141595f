"""The codes of a second factor: of an app on the phone (django-otp), and recovery codes for when it is lost.

An app's code is good once, and each wrong one makes the next wait longer, wherever it comes from. A recovery code is
too long to be guessed and waits for nothing: whoever guesses at codes, who knows the password then, does not keep the
account's owner out.
"""

import hashlib
import re
from datetime import datetime
from math import ceil

import structlog
from django.db import transaction
from django.utils import timezone
from django_otp import verify_token
from django_otp.plugins.otp_totp.models import TOTPDevice

from aetherflow.errors import AnticipatedError, ConflictError, TooManyError
from apps.accounts.choices import AuditAction
from apps.accounts.errors import FieldError
from apps.accounts.models import RecoveryCode, User
from apps.accounts.selectors import second_factor_of
from apps.accounts.services.auditing import account, record
from apps.accounts.services.limits import after

log = structlog.get_logger(__name__)

# Of a recovery code; an app's has six.
_LENGTH = 16


def prove(*, user: User, code: str, at: datetime) -> TOTPDevice:
    """Take a code of the app, or a recovery code: each good once. Outside of a transaction: what a refusal counts must
    stay.

    FieldError `wrong-code` (code); TooManyError `too-many-codes`; ConflictError `no-second-factor`.
    """
    device = second_factor_of(user)
    if device is None:
        raise no_second_factor()
    typed = typed_code(code)
    if len(typed) == _LENGTH:
        _use_recovery_code(user, typed, at=at)
        return device
    allowed, refused = device.verify_is_allowed()
    if not allowed:
        seconds = max(1, ceil((refused["locked_until"] - timezone.now()).total_seconds()))
        raise TooManyError(
            "The last code was wrong, so the next one has to wait.",
            code="too-many-codes",
            hint=f"Try again {after(seconds)}, or use a recovery code.",
            retry_after=seconds,
        )
    if not re.fullmatch(r"\d{6}", typed, re.ASCII) or not verify_token(user, device.persistent_id, typed):
        raise wrong_code()
    return device


def typed_code(code: str) -> str:
    """However it was grouped."""
    return re.sub(r"[\s-]", "", code).lower()


def digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def wrong_code() -> FieldError:
    return FieldError(
        "This code is not good, or was used already.",
        field="code",
        code="wrong-code",
        hint="Take the one that the app shows now. If all are refused, see that the phone's clock is right.",
    )


def no_second_factor() -> AnticipatedError:
    return ConflictError("This account has no second factor.", code="no-second-factor")


def _use_recovery_code(user: User, typed: str, *, at: datetime) -> None:
    with transaction.atomic():
        if not RecoveryCode.objects.filter(user=user, sha256=digest(typed)).delete()[0]:
            raise wrong_code()
        # Its owner is here: what others guessed wrong does not keep their app waiting.
        TOTPDevice.objects.filter(user=user).update(throttling_failure_timestamp=None, throttling_failure_count=0)
        details = {"left": RecoveryCode.objects.filter(user=user).count()}
        record(AuditAction.RECOVERY_CODE_USED, account(user), by=user, at=at, details=details)
    log.info("second_factor.recovery_code_used", user_id=str(user.pk))
