"""How much a file may grow when it is unpacked."""

from __future__ import annotations

from dataclasses import dataclass

from aetherflow.etl.rejects import FileRefused

MOST_BYTES = 4 << 30
# Text of ten columns repeating itself packs 1:20; what packs ten times better than that holds no data.
MOST_RATIO = 200
# As many as a file of the largest size has where each has a few cells. More of them are lines of a sign or none, and
# each costs as much as a row.
MOST_ROWS = 100_000_000
# Up to here a file may be as repetitive as it likes.
FREE_BYTES = 10 << 20


@dataclass(frozen=True, kw_only=True)
class Limits:
    """`most_bytes`: of anything unpacked. `packed`: the bytes of the user's file."""

    filename: str
    packed: int
    most_bytes: int = MOST_BYTES

    @property
    def most(self) -> int:
        return min(self.most_bytes, max(self.packed * MOST_RATIO, FREE_BYTES))

    def check(self, expanded: int) -> None:
        """Raises FileRefused too-large-expanded once there are more bytes than the file may hold."""
        if expanded <= self.most:
            return
        what = (
            f"at most {_size(self.most_bytes)} are read"
            if self.most == self.most_bytes
            else f"that is over {MOST_RATIO} times the {_size(self.packed)} that were uploaded"
        )
        raise FileRefused(
            f"{self.filename} grows beyond {_size(self.most)} when it is unpacked; {what}.",
            code="too-large-expanded",
            hint="Split the data into several files, or upload them as they are, not packed.",
            details={"bytes": self.packed, "most_bytes": self.most},
        )


def refuse_too_many_rows(rows: int, *, most: int, filename: str) -> None:
    """Raises FileRefused too-many-rows. `rows` may count those that are blank, or only lines inside of cells."""
    if rows > most:
        raise FileRefused(
            f"{filename} has {rows:,} lines or rows below its header; at most {most:,} are read.",
            code="too-many-rows",
            hint="Split the data into several files, or ask the operators to raise MAX_FILE_ROWS.",
            details={"rows": rows, "most_rows": most},
        )


def _size(count: int) -> str:
    for unit, name in ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "kB")):
        if count >= unit:
            return f"{count / unit:,.3g} {name}"
    return f"{count:,} bytes"
