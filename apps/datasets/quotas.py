"""How much may be uploaded: how often in a short time, and how many files and bytes on a day.

What an upload may come to is set aside before its file is read, in one statement that counts and compares, so that two
at once cannot both have the last of it; what it did not come to is given back when it is through. An upload whose
process is killed stays counted until the day is over.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import F

from aetherflow.errors import TooLargeError, TooManyError
from apps.accounts.models import User
from apps.accounts.selectors import departments_of
from apps.accounts.services.limits import Limit, take
from apps.datasets.models import UploadTally

_CODE = "too-many-uploads"
_OF_USER = Limit(rate="RATE_UPLOAD_USER", code=_CODE, message="You have uploaded many files in a short time.")
_OF_DEPARTMENT = Limit(
    rate="RATE_UPLOAD_DEPARTMENT", code=_CODE, message="Your department has uploaded many files in a short time."
)
_NO_QUOTA = 2**62
_SET_ASIDE = """
INSERT INTO datasets_uploadtally AS held (day, whose, files, size_bytes) VALUES (%(day)s, %(whose)s, 1, %(size)s)
ON CONFLICT (day, whose) DO UPDATE SET files = held.files + 1, size_bytes = held.size_bytes + %(size)s
    WHERE held.files < %(files)s AND held.size_bytes + %(size)s <= %(bytes)s
RETURNING files
"""


@dataclass(kw_only=True)
class Allowance:
    """What is set aside for one upload."""

    user: User
    size_bytes: int
    at: datetime
    _held: list[str] = field(default_factory=list)
    _department: str = ""
    _stored: int | None = None

    def of_user(self) -> None:
        """TooManyError `too-many-uploads`, `upload-quota-reached`; TooLargeError `larger-than-quota`."""
        take(_OF_USER, str(self.user.pk), at=self.at)
        quota = Quota(settings.UPLOAD_FILES_PER_USER, settings.UPLOAD_BYTES_PER_USER, "you have", "you may")
        self._set_aside(f"user:{self.user.pk}", quota)

    def of_department(self, department: str) -> None:
        """Once, however often it is asked for. Raises what `of_user` does."""
        if self._department:
            return
        self._department = department
        take(_OF_DEPARTMENT, department, at=self.at)
        quota = Quota(
            settings.UPLOAD_FILES_PER_DEPARTMENT,
            settings.UPLOAD_BYTES_PER_DEPARTMENT,
            "your department has",
            "it may",
        )
        self._set_aside(f"department:{department}", quota)

    def stored(self, size_bytes: int) -> None:
        """That much counts; the rest is given back."""
        self._stored = size_bytes

    def settle(self) -> None:
        if not self._held:
            return
        if self._stored is None:
            give_back(whose=self._held, size_bytes=self.size_bytes, at=self.at)
        else:
            tallies = UploadTally.objects.filter(day=self._day, whose__in=self._held)
            tallies.update(size_bytes=F("size_bytes") - self.size_bytes + self._stored)

    @property
    def whose(self) -> list[str]:
        """Whose quotas it counts in."""
        return list(self._held)

    @property
    def _day(self) -> date:
        return _day_of(self.at)

    def _set_aside(self, whose: str, quota: "Quota") -> None:
        if not quota.files and not quota.size_bytes:
            return
        if quota.size_bytes and self.size_bytes > quota.size_bytes:
            raise quota.never()
        values: dict[str, date | str | int] = {
            "day": self._day,
            "whose": whose,
            "size": self.size_bytes,
            "files": quota.files or _NO_QUOTA,
            "bytes": quota.size_bytes or _NO_QUOTA,
        }
        with connection.cursor() as cursor:
            cursor.execute(_SET_ASIDE, values)
            granted = cursor.fetchone()
        if not granted:
            raise quota.reached(UploadTally.objects.get(day=self._day, whose=whose), at=self.at)
        self._held.append(whose)


@contextmanager
def allowance(*, user: User, size_bytes: int, at: datetime) -> Iterator[Allowance]:
    """Set aside a file of at most that size, before it is read. A member's department is known by then, an admin's is
    not: `of_department` has to be said of it. Whatever ends the block, what was not `stored` is given back.
    """
    held = Allowance(user=user, size_bytes=size_bytes, at=at)
    try:
        held.of_user()
        own = departments_of(user)
        if len(own) == 1:
            held.of_department(own[0])
        yield held
    finally:
        held.settle()


def give_back(*, whose: Iterable[str], size_bytes: int, at: datetime) -> None:
    """What was set aside at that time for a file that does not come any more."""
    tallies = UploadTally.objects.filter(day=_day_of(at), whose__in=whose)
    tallies.update(files=F("files") - 1, size_bytes=F("size_bytes") - size_bytes)


@dataclass(frozen=True)
class Quota:
    """A day's; 0: as much as one likes."""

    files: int
    size_bytes: int
    who_has: str
    who_may: str

    def never(self) -> TooLargeError:
        return TooLargeError(
            f"The file is larger than the {_megabytes(self.size_bytes)} MB that {self.who_may} upload a day.",
            code="larger-than-quota",
            hint="Upload a smaller file, or ask the operators for a larger quota.",
        )

    def reached(self, tally: UploadTally, *, at: datetime) -> TooManyError:
        counts = []
        if self.files:
            counts.append(f"{tally.files:,} of {self.files:,} files")
        if self.size_bytes:
            counts.append(f"{_megabytes(tally.size_bytes)} of {_megabytes(self.size_bytes)} MB")
        midnight = datetime.combine(tally.day + timedelta(days=1), time(), tzinfo=UTC)
        return TooManyError(
            f"Today {self.who_has} uploaded {' and '.join(counts)} that {self.who_may} a day, and this file would be "
            "too much. A new day begins at midnight UTC.",
            code="upload-quota-reached",
            hint="Upload it tomorrow, or ask the operators for a larger quota.",
            retry_after=max(1, round((midnight - at).total_seconds())),
        )


def _day_of(at: datetime) -> date:
    return at.astimezone(UTC).date()


def _megabytes(size: int) -> str:
    return f"{size / 1024**2:,.1f}"
