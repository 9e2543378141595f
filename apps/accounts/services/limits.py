"""How often something may be done: one statement a question, so that of those who ask at the same moment, in whichever
web process, no more pass than may.

The generic cell rate algorithm (ITU-T I.371, annex A; "virtual scheduling"): a row keeps when the next one would be due
at the steady rate. One that comes early by no more than what a full burst may is let through and moves that moment on.
Who is refused moves nothing, so that asking again and again makes the wait no longer.

Taken in autocommit: inside a transaction that is rolled back what was taken would be given back.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from math import ceil

from django.conf import settings
from django.db import connection
from django.db.models import F
from django.utils.crypto import salted_hmac

from aetherflow.errors import TooManyError
from apps.accounts.models import RateLimit

_TAKE = """
WITH taken AS (
    INSERT INTO accounts_ratelimit AS held (key, due_at) VALUES (%(key)s, %(at)s + %(step)s)
    ON CONFLICT (key) DO UPDATE SET due_at = greatest(held.due_at, %(at)s) + %(step)s
        WHERE held.due_at <= %(at)s + %(early)s
    RETURNING due_at
)
SELECT TRUE, due_at FROM taken
UNION ALL
SELECT FALSE, due_at FROM accounts_ratelimit WHERE key = %(key)s AND NOT EXISTS (SELECT FROM taken)
"""


@dataclass(frozen=True, kw_only=True)
class Limit:
    """What is limited. `rate` is a setting's name: so many at once, and then as many in that time."""

    rate: str
    code: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Taken:
    """One that was let through. `last`: the next would have to wait."""

    key: str
    step: timedelta
    last: bool


def take(limit: Limit, *whose: str, at: datetime) -> Taken:
    """One more of somebody's. TooManyError with the limit's code where it is one too many."""
    count, period = getattr(settings, limit.rate)
    key = salted_hmac("apps.accounts.limits", "\0".join([limit.rate, *whose]), algorithm="sha256").hexdigest()
    step = period / count
    early = step * (count - 1)
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"key": key, "at": at, "step": step, "early": early})
        # Nothing: refused by a row that is newer than this statement.
        granted, due_at = cursor.fetchone() or (False, at + early + step)
    if not granted:
        seconds = max(1, ceil((due_at - early - at).total_seconds()))
        raise TooManyError(limit.message, code=limit.code, hint=f"Try again {after(seconds)}.", retry_after=seconds)
    return Taken(key=key, step=step, last=due_at > at + early)


def give_back(taken: Taken) -> None:
    """It did not count after all."""
    RateLimit.objects.filter(key=taken.key).update(due_at=F("due_at") - taken.step)


def place_of(address: str | None) -> str:
    """What counts as one place: an IPv4 address, or the /64 of an IPv6 one, of which one machine has as many as it
    likes."""
    if address is None:
        return "unknown"
    known: IPv4Address | IPv6Address = ip_address(address)
    if isinstance(known, IPv6Address):
        known = known.ipv4_mapped or ip_network((known, 64), strict=False).network_address
    return str(known)


def after(seconds: int) -> str:
    if seconds < 90:
        return f"in {seconds} second{'s' if seconds > 1 else ''}"
    return f"in {ceil(seconds / 60)} minutes"
