"""Guesses at passwords are slowed down where they come from, so that nobody can lock an account's owner out.

After OWASP, "Slow Down Online Guessing Attacks with Device Cookies": a device that has logged in to the account before
has a limit of its own, which strangers cannot use up. Of all others each place has one, and all places that the account
does not know have one together, against guesses from many addresses.

An account that does not exist is limited, and answered, just the same.
"""

from datetime import datetime, timedelta

import structlog
from django.db import transaction

from aetherflow.errors import TooManyError
from apps.accounts.choices import AuditAction
from apps.accounts.models import Session, User
from apps.accounts.services.auditing import account, record
from apps.accounts.services.limits import Limit, Taken, give_back, place_of, take

log = structlog.get_logger(__name__)

_CODE = "too-many-log-ins"
FROM_ADDRESS = Limit(
    rate="RATE_LOGIN_ADDRESS", code=_CODE, message="There have been too many log-ins from your network."
)
FROM_PLACE = Limit(
    rate="RATE_LOGIN_PLACE",
    code=_CODE,
    message="There have been too many tries to log in to this account from here.",
)
FROM_STRANGERS = Limit(
    rate="RATE_LOGIN_ACCOUNT",
    code=_CODE,
    message="Too many tries to log in to this account came from places it does not know. With a device or from an "
    "address with which you logged in lately you get in as ever.",
)
# That an account is guessed at is told once a day, or strangers could fill the audit with it.
_TOLD = Limit(rate="GUESSING_TOLD", code="told-already", message="It was told already.")
_LATELY = timedelta(days=30)


def admit(*, email: str, device: str, address: str | None, at: datetime) -> list[Taken]:
    """Let a guess through, to be given back where it is right. `device`: its name where the account knows it.

    TooManyError `too-many-log-ins`.
    """
    if device:
        return [take(FROM_PLACE, "device", device, email, at=at)]
    place = place_of(address)
    take(FROM_ADDRESS, place, at=at)
    here = take(FROM_PLACE, "address", place, email, at=at)
    if _knows(email, address, at=at):
        return [here]
    try:
        return [here, take(FROM_STRANGERS, email, at=at)]
    except TooManyError:
        give_back(here)
        raise


def was_right(guess: list[Taken]) -> None:
    for taken in guess:
        give_back(taken)


def was_wrong(guess: list[Taken], *, user: User | None, email: str, at: datetime) -> None:
    """Say so where it was the last one for now."""
    if not any(taken.last for taken in guess):
        return
    try:
        take(_TOLD, email, at=at)
    except TooManyError:
        return
    log.warning("log_in.slowed", user_id=str(user.pk) if user else None)
    if user is not None:
        with transaction.atomic():
            record(AuditAction.GUESSING_SLOWED, account(user), by=None, at=at)


def _knows(email: str, address: str | None, *, at: datetime) -> bool:
    lately = Session.objects.filter(user__email=email, ip=address, created_at__gt=at - _LATELY)
    return address is not None and lately.exists()
