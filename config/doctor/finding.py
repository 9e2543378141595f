"""What one look found."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum


class Standing(StrEnum):
    """`warn` works today and will hurt; with a `fault` the platform does not do its work."""

    OK = "ok"
    WARN = "warn"
    FAULT = "fault"


@dataclass(frozen=True)
class Finding:
    """`detail` says what is, `fix` what to do about it; `check` is which look found it."""

    standing: Standing
    detail: str
    fix: str = ""
    check: str = ""

    @classmethod
    def ok(cls, detail: str) -> "Finding":
        return cls(Standing.OK, detail)

    @classmethod
    def warn(cls, detail: str, fix: str) -> "Finding":
        return cls(Standing.WARN, detail, fix)

    @classmethod
    def fault(cls, detail: str, fix: str) -> "Finding":
        return cls(Standing.FAULT, detail, fix)

    def of(self, check: str) -> "Finding":
        return replace(self, check=check)


Check = Callable[[], Iterable[Finding]]
