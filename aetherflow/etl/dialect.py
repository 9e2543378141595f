"""The delimiter and the header record, from the beginning of a file."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from aetherflow.etl.encodings import LONGEST_LINE
from aetherflow.etl.quotes import OddQuotes
from aetherflow.etl.rejects import FileRefused

DELIMITERS = (",", ";", "\t", "|")
SAMPLED_ROWS = 50
# A title, the day of the export and its filters stand above the header of many a report.
LINES_ABOVE_HEADER = 20
FEWEST_LABELS = 2
MOST_COLUMNS = 500

# Lines are bounded already. Python's own bound would make a header of many labels an open quotation mark, since it is
# tried with delimiters that it does not have.
csv.field_size_limit(LONGEST_LINE)

# Fed behind the last line. Where it turns up inside a cell, a quotation mark was still open.
END = "\x1eend of file\x1e"


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """`offset` is where the rows begin, in UTF-8 bytes; `first_line` the physical line they begin on."""

    delimiter: str
    header: tuple[str, ...]
    header_line: int
    first_line: int
    offset: int
    odd_quotes: OddQuotes | None = None

    def records(self, lines: Iterable[str], *, strict: bool = False) -> Iterator[list[str]]:
        return _records(lines, self.delimiter, odd=self.odd_quotes, strict=strict)


def find_dialect(sample: str, *, filename: str, known: Callable[[str], bool], delimiter: str | None = None) -> Dialect:
    """The dialect under which most header labels are `known`, then the most even one.

    `sample` is the beginning of the file, ending at a line's end or the file's. Blank lines before the header, Excel's
    `sep=;` line and the title lines of a report are passed over. Raises FileRefused: empty-file, quote-error,
    dialect-error, too-many-columns.
    """
    lines = list(io.StringIO(sample, newline=""))
    start = next((at for at, line in enumerate(lines) if line.strip("\ufeff \t\r\n;,|")), None)
    if start is None:
        raise FileRefused(
            f"{filename} is empty: it holds only blank lines.",
            code="empty-file",
            hint="Export the file again and upload that.",
        )
    if announced := re.fullmatch(r'"?sep=(.)"?\s*', lines[start], flags=re.IGNORECASE):
        delimiter = delimiter or announced[1]
        start += 1
    candidates = (delimiter,) if delimiter else DELIMITERS
    start = _below_title_lines(lines, start, candidates, known=known)
    dialects = [_header(lines, start, candidate, filename=filename) for candidate in candidates]
    best = max(dialects, key=lambda dialect: _rank(dialect, lines, known=known))
    best = _with_its_quotes(best, lines, filename=filename)
    _refuse_odd_width(best, known=known)
    return _with_trailing_delimiters(best, lines)


def _below_title_lines(lines: list[str], start: int, delimiters: Sequence[str], *, known: Callable[[str], bool]) -> int:
    """Where the header is: the line with most known labels, unless the first line has enough of them itself."""

    def labels(at: int) -> int:
        record = lines[at : at + LINES_ABOVE_HEADER]
        return max(_labels(record, delimiter, known=known) for delimiter in delimiters)

    if start == len(lines) or labels(start) >= FEWEST_LABELS:
        return start
    found = {at: labels(at) for at in range(start, min(start + LINES_ABOVE_HEADER, len(lines)))}
    best = max(found, key=found.__getitem__)
    return best if found[best] >= FEWEST_LABELS else start


def _labels(record: list[str], delimiter: str, *, known: Callable[[str], bool]) -> int:
    """How many known labels the record has that begins with the first of these lines."""
    try:
        cells = next(csv.reader(record, delimiter=delimiter), [])
    except csv.Error:
        return 0
    return len({cell for cell in cells if known(cell)})


def _records(
    lines: Iterable[str], delimiter: str, *, odd: OddQuotes | None, strict: bool = False
) -> Iterator[list[str]]:
    return csv.reader(
        lines,
        delimiter=delimiter,
        escapechar="\\" if odd and odd.is_escaped else None,
        skipinitialspace=odd is not None and odd.is_spaced,
        strict=strict,
    )


def _header(lines: list[str], start: int, delimiter: str, *, filename: str, odd: OddQuotes | None = None) -> Dialect:
    used = 0

    def feed() -> Iterator[str]:
        nonlocal used
        for line in lines[start:]:
            used += 1
            yield line
        yield END

    try:
        cells = next(_records(feed(), delimiter, odd=odd))
    except csv.Error:
        cells = [END]
    if any(END in cell for cell in cells):
        if start >= len(lines):
            raise FileRefused(
                f"{filename} has no header.", code="empty-file", hint="Export the file again and upload that."
            )
        raise FileRefused(
            f"A quotation mark in the header, line {start + 1}, is not closed.",
            code="quote-error",
            hint='Close it, or write it twice ("") if it belongs to the text.',
            line=start + 1,
        )
    return Dialect(
        delimiter=delimiter,
        header=tuple(map(tidy_label, cells)),
        header_line=start + 1,
        first_line=start + used + 1,
        offset=len("".join(lines[: start + used]).encode()),
        odd_quotes=odd,
    )


def _with_its_quotes(dialect: Dialect, lines: list[str], *, filename: str) -> Dialect:
    """Written with odd quotes where the usual rules hold for fewer rows."""
    delimiter, start = dialect.delimiter, dialect.header_line - 1
    text = "".join(lines[start:])
    may_be_spaced = re.search(rf'(?:^|{re.escape(delimiter)}) +"', text, re.MULTILINE) is not None
    styles = [dialect]
    for is_spaced, is_escaped in ((True, False), (False, True), (True, True)):
        if may_be_spaced >= is_spaced and ('\\"' in text) >= is_escaped:
            odd = OddQuotes(delimiter=delimiter, is_spaced=is_spaced, is_escaped=is_escaped)
            # Of another style the header may end on another line, or nowhere.
            with suppress(FileRefused):
                styles.append(_header(lines, start, delimiter, filename=filename, odd=odd))
    return max(styles, key=lambda style: _rows_by_the_rules(style, lines)) if len(styles) > 1 else dialect


def _rows_by_the_rules(dialect: Dialect, lines: list[str]) -> int:
    """How many rows, from the header on, have quotation marks only where they may stand, and below it one width."""
    rows, width = 0, 0
    try:
        for cells in dialect.records(lines[dialect.header_line - 1 :], strict=True):
            if not any(cell.strip() for cell in cells):
                continue
            if any(cell[:1] == " " and cell.lstrip(" ")[:1] == '"' for cell in cells):
                break
            if rows:
                width = width or len(cells)
                if len(cells) != width:
                    break
            rows += 1
    except csv.Error:
        pass
    return rows


def _rank(dialect: Dialect, lines: list[str], *, known: Callable[[str], bool]) -> tuple[int, float, int]:
    width = len(dialect.header)
    widths = [len(row) for row in _sampled(dialect, lines)]
    even = sum(found == width for found in widths) / len(widths) if widths and width > 1 else 0.0
    return len({label for label in dialect.header if known(label)}), even, width


def _sampled(dialect: Dialect, lines: list[str]) -> list[list[str]]:
    rows = []
    try:
        for row in dialect.records(lines[dialect.first_line - 1 :][: SAMPLED_ROWS * 4]):
            if any(cell.strip() for cell in row):
                rows.append(row)
            if len(rows) == SAMPLED_ROWS:
                break
    except csv.Error:
        return rows  # an open quotation mark further down: the reader names its line
    return rows


def refuse_too_many_columns(width: int, *, line: int) -> None:
    """Raises FileRefused for a header, standing on `line`, that is wider than any department's file."""
    if width > MOST_COLUMNS:
        raise FileRefused(
            f"The header has {width:,} columns; at most {MOST_COLUMNS} are read.",
            code="too-many-columns",
            hint="Remove the columns the department does not use; the template shows those it does.",
            line=line,
        )


def tidy_label(label: str) -> str:
    """A header label without what cannot be seen of it."""
    return label.replace("\x00", "").strip("\ufeff \t\r\n\u00a0\u200b")


def _refuse_odd_width(dialect: Dialect, *, known: Callable[[str], bool]) -> None:
    width = len(dialect.header)
    refuse_too_many_columns(width, line=dialect.header_line)
    if width == 1 and not known(dialect.header[0]):
        raise FileRefused(
            f"No delimiter was found: the header is the single cell {dialect.header[0][:80]!r}.",
            code="dialect-error",
            hint="Separate the columns by a comma, semicolon, tab or |, with the column names in the first line; "
            "or say at the upload what separates them.",
            line=dialect.header_line,
        )


def _with_trailing_delimiters(dialect: Dialect, lines: list[str]) -> Dialect:
    """Some exports end every row, but not the header, with a delimiter: unnamed, empty columns then."""
    rows = _sampled(dialect, lines)
    width = len(dialect.header)
    usual = Counter(len(row) for row in rows).most_common(1)[0][0] if rows else width
    if usual > width and all(not cell.strip() for row in rows for cell in row[width:]):
        return replace(dialect, header=(*dialect.header, *([""] * (usual - width))))
    return dialect
