"""What a file of any format is to the line behind it."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from aetherflow.etl.reader import Texts

Basis = Literal["given", "found", "assumed"]


@dataclass(frozen=True, kw_only=True)
class Form:
    """How the bytes were understood. `basis` says of each thing whether the uploader gave it, the file settled it, or
    it was assumed; what a format does not have is None."""

    format: str
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    basis: Mapping[str, Basis] = field(default_factory=dict)


class TextTable(Protocol):
    """The rows of a file as texts, from its beginning as often as asked.

    `header_line` is where the header stands for the person who looks into the file, and so is Texts.lines: a physical
    line, a row of the sheet, or, where a format has neither, the row's number as if it stood under a header.
    `has_nul`: a cell may hold a NUL. `is_typed`: numbers may come as such and not as texts. `rows_at_most` counts blank
    ones too, and those that are none because a line ends inside a cell.
    """

    @property
    def header(self) -> tuple[str, ...]: ...
    @property
    def header_line(self) -> int: ...
    @property
    def form(self) -> Form: ...
    @property
    def has_nul(self) -> bool: ...
    @property
    def is_typed(self) -> bool: ...
    @property
    def rows_at_most(self) -> int: ...
    @property
    def bytes_total(self) -> int:
        """What Texts.bytes_read comes to at the end, in whatever measure the table has."""
        ...

    def texts(self, *, decimal: str, block: int) -> Generator[Texts]:
        """Typed numbers are written with the mark `decimal`; texts stay as they are. `block` is about how many bytes
        are taken at a time. Raises FileRefused for what makes the whole file unusable."""
        ...
