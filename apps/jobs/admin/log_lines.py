"""What attempts at a job's stages have logged, for its page."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from apps.accounts.console import badge
from apps.jobs.models import StageLog

_KINDS = {"info": "info", "warning": "warn", "error": "bad", "critical": "bad"}


@dataclass(frozen=True, kw_only=True)
class Line:
    at: str
    level: str
    event: str
    rest: list[tuple[str, object]]

    @property
    def time(self) -> str:
        """To the millisecond and in UTC; the day is the attempt's."""
        return self.at[11:23]

    @property
    def badge(self) -> SafeString:
        return badge(self.level, _KINDS.get(self.level, ""))


@dataclass(frozen=True, kw_only=True)
class Lines:
    """Of one attempt, the oldest first; `dropped` came before them."""

    lines: list[Line]
    dropped: int


def lines_of(claims: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Lines]:
    """By claim: the run and the token. Those that left none are not among them."""
    wanted = set(claims)
    stored = StageLog.objects.filter(run__in={run for run, _ in wanted}, token__in={token for _, token in wanted})
    return {
        (log.run_id, log.token): Lines(lines=[_line(each) for each in log.lines], dropped=log.dropped) for log in stored
    }


def _line(stored: dict[str, Any]) -> Line:
    return Line(at=stored["at"], level=stored["level"], event=stored["event"], rest=list(stored["rest"].items()))
