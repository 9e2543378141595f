"""What is refused, whole file or single row, and how much of it a file may hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from aetherflow.errors import AnticipatedError
from aetherflow.seen import in_one_line

# In words, for the sentence that names a file's commonest fault.
REASONS = {
    "type-error": "a cell that cannot be read as what its column holds",
    "missing-value": "an empty cell where a value is required",
    "constraint-error": "a value outside what its column allows",
    "extra-cell": "more cells than the header has columns",
    "missing-cell": "fewer cells than the header has columns",
    "row-constraint": "values of a row that do not go together",
    "null-byte": "a NUL byte in the row",
    "source-error": "a record that cannot be taken apart",
}
# In a refusal's details; the dataset holds the count of every column.
MOST_COLUMNS_TOLD = 20


class FileRefused(AnticipatedError):  # noqa: N818 - it reads as the sentence it is
    """The whole file is refused, with the line and the column where the reason has one."""

    default_code = "file-refused"

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        hint: str = "",
        line: int | None = None,
        column: str | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        # They tell of labels and names as they stand in the file, and are shown on pages, in logs and on terminals.
        message, hint = (in_one_line(text, instead="\ufffd") for text in (message, hint))
        super().__init__(message, code=code, hint=hint, details=details)
        self.line = line
        self.column = column


class Reject(NamedTuple):
    """One fault of one row. `line` is 1-based in the user's file; `column` is the header as the user wrote it.

    `value` (its first 1,000 characters) and `cells`, one list for all faults of a line, are the original texts, with
    NUL bytes shown as the symbol for them so that they can be stored.
    """

    line: int
    column: str | None
    value: str | None
    code: str
    message: str
    hint: str
    cells: list[str]


class FaultKind(NamedTuple):
    """What faults are counted by. `label` is the header as the user wrote it, None where a fault is the whole row's;
    `column` the department's, None also where the label is none of its."""

    column: str | None
    label: str | None
    code: str


def counted_by_code(faults: Mapping[FaultKind, int]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for kind, count in faults.items():
        counts[kind.code] += count
    return counts


def counted_by_column(faults: Mapping[FaultKind, int]) -> list[dict[str, object]]:
    """JSON-ready {column, label, code, count}, the commonest first."""
    commonest = sorted(faults.items(), key=lambda fault: (-fault[1], fault[0].label or "", fault[0].code))
    return [{**kind._asdict(), "count": count} for kind, count in commonest]


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """Rows. A blank line is none; read == loaded + rejected + duplicate, always."""

    read: int = 0
    loaded: int = 0
    rejected: int = 0
    duplicate: int = 0

    def __post_init__(self) -> None:
        if self.read != self.loaded + self.rejected + self.duplicate:
            raise ValueError(f"A row was lost or counted twice: {self}")

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            read=self.read + other.read,
            loaded=self.loaded + other.loaded,
            rejected=self.rejected + other.rejected,
            duplicate=self.duplicate + other.duplicate,
        )


@dataclass(frozen=True, kw_only=True)
class RejectPolicy:
    """How many rejected rows a file may hold.

    `quarantine` sets rejected rows aside up to `max_share` (0 to 1) of the rows read; `refuse` tolerates none. A file
    of which nothing is left is refused by either. Duplicates are not rejects.
    """

    max_share: float
    on_error: Literal["quarantine", "refuse"] = "quarantine"

    def check(
        self, counts: Counts, by_code: Mapping[str, int], *, by_column: Sequence[Mapping[str, object]] = ()
    ) -> None:
        """Raise FileRefused if the file holds too many. `by_code` and `by_column` count its faults."""
        if not counts.rejected:
            return
        share = counts.rejected / counts.read
        details: dict[str, object] = {
            "read": counts.read,
            "rejected": counts.rejected,
            "share": round(share, 4),
            "max_share": self.max_share,
            "by_code": dict(by_code),
            "by_column": list(by_column[:MOST_COLUMNS_TOLD]),
        }
        found = f"{counts.rejected:,} of {counts.read:,} rows ({share:.1%}) cannot be loaded"
        hint = "Correct the rows in the list of rejects and upload the file again."
        if self.on_error == "refuse":
            raise FileRefused(
                f"{found}, and this upload accepts none.{_commonest(by_code)}",
                code="refused-on-error",
                hint=f"{hint} Or upload it with on_error=quarantine to load the good rows.",
                details=details,
            )
        if share > self.max_share or counts.rejected == counts.read:
            raise FileRefused(
                f"{found}; at most {self.max_share:.0%} may be set aside.{_commonest(by_code)}",
                code="too-many-rejects",
                hint=hint,
                details=details,
            )


def _commonest(by_code: Mapping[str, int]) -> str:
    faults = {code: count for code, count in by_code.items() if code in REASONS}
    if not faults:
        return ""
    code = max(faults, key=faults.__getitem__)
    often = "once" if faults[code] == 1 else f"{faults[code]:,} times"
    return f" Most often: {REASONS[code]} ({code}, {often})."
