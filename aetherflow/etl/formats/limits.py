"""How much a file may grow when it is unpacked."""

from __future__ import annotations

from dataclasses import dataclass

from aetherflow.etl.rejects import FileRefused

MOST_BYTES = 4 << 30
# Text of ten columns repeating itself packs 1:20; what packs ten times better than that holds no data.
MOST_RATIO = 200
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


def _size(count: int) -> str:
    for unit, name in ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "kB")):
        if count >= unit:
            return f"{count / unit:,.3g} {name}"
    return f"{count:,} bytes"
