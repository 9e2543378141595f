"""CSV and its relatives: text with a delimiter."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

from aetherflow.etl.dialect import Dialect, find_dialect
from aetherflow.etl.encodings import LONGEST_LINE, Text, Utf8Stream, examine
from aetherflow.etl.formats.table import Basis, Form
from aetherflow.etl.options import ReadOptions
from aetherflow.etl.reader import Texts, read_texts


@dataclass(frozen=True, kw_only=True)
class CsvTable:
    """A TextTable. `span`: which bytes of the file it is, from the first to before the second, where not all."""

    path: Path
    text: Text
    dialect: Dialect
    form: Form
    span: tuple[int, int] | None = None

    @property
    def header(self) -> tuple[str, ...]:
        return self.dialect.header

    @property
    def header_line(self) -> int:
        return self.dialect.header_line

    @property
    def has_nul(self) -> bool:
        return self.text.has_nul

    @property
    def is_typed(self) -> bool:
        return False

    @property
    def rows_at_most(self) -> int:
        return self.text.lines - self.dialect.header_line

    @property
    def bytes_total(self) -> int:
        if self.span is not None:
            start, end = self.span
            return end - start
        return self.path.stat().st_size

    def texts(self, *, decimal: str, block: int) -> Generator[Texts]:  # noqa: ARG002 - all is text here
        return read_texts(self.path, text=self.text, dialect=self.dialect, span=self.span, block=block)


def open_delimited(path: Path, *, filename: str, known: Callable[[str], bool], options: ReadOptions) -> CsvTable:
    """Find encoding, delimiter and header. Raises FileRefused as `examine` and `find_dialect` do."""
    text = examine(path, filename=filename, encoding=options.encoding)
    dialect = find_dialect(_sample(path, text), filename=filename, known=known, delimiter=options.delimiter)
    basis: dict[str, Basis] = {
        "encoding": _basis_of_encoding(text, options),
        "delimiter": "given" if options.delimiter else "found",
    }
    form = Form(format="csv", encoding=text.encoding, delimiter=dialect.delimiter, basis=basis)
    return CsvTable(path=path, text=text, dialect=dialect, form=form)


def _basis_of_encoding(text: Text, options: ReadOptions) -> Basis:
    if text.mark:
        return "found"
    if options.encoding:
        return "given"
    # Any bytes at all are some text in it.
    return "assumed" if text.encoding == "cp1252" else "found"


def _sample(path: Path, text: Text) -> str:
    """The beginning of the file, up to the end of its last whole line: enough for any header."""
    with Utf8Stream(path, encoding=text.encoding, mark=text.mark) as stream:
        head = stream.read(LONGEST_LINE)
        rest = stream.read(2)
    # A carriage return at the very end comes alone: a line feed might have followed it.
    if rest in {b"", b"\r"}:
        return (head + rest).decode()
    return head[: max(head.rfind(b"\n"), head.rfind(b"\r")) + 1].decode()
