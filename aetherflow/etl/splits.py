"""A large file of text in splits that are worked apart: whole lines of it, by their bytes."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as Dict
from contextlib import ExitStack
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

from aetherflow.department import Department
from aetherflow.etl.dialect import Dialect
from aetherflow.etl.encodings import Text, line_ends
from aetherflow.etl.formats.delimited import CsvTable
from aetherflow.etl.formats.table import Form
from aetherflow.etl.headers import Mapping
from aetherflow.etl.line import SourceFile
from aetherflow.etl.options import ReadOptions
from aetherflow.etl.reader import BLOCK
from aetherflow.etl.reading import Reading
from aetherflow.etl.survey import Survey

_UTF_8 = frozenset({"utf-8", "utf-8-sig"})
_ALL_BYTES = bytes(range(256))


@dataclass(frozen=True, kw_only=True)
class Split:
    """Whole lines: bytes `start` to before `end` of the file, lines `first_line` to before `after_line`."""

    start: int
    end: int
    first_line: int
    after_line: int

    @property
    def size(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, kw_only=True)
class Held:
    """What somebody has of a file at `path`: its bytes from `begins_at` on, at least those of the split in question."""

    path: Path
    begins_at: int = 0

    def span_of(self, split: Split) -> tuple[int, int]:
        return split.start - self.begins_at, split.end - self.begins_at

    def bytes_of(self, split: Split) -> bytes:
        with self.path.open("rb") as file:
            file.seek(self.span_of(split)[0])
            return file.read(split.size)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What whoever reads a split is told of the file. `is_surveyed`: `reading` holds for all of its rows, and not only
    for those at its beginning."""

    encoding: str
    delimiter: str
    reading: Reading
    has_quotes: bool
    has_nul: bool
    is_surveyed: bool

    @classmethod
    def of(cls, source: SourceFile) -> Self:
        """Raises TypeError for a file of which `split` makes none."""
        if not isinstance(source.table, CsvTable):
            raise TypeError(f"{source.reading.format} has no splits")
        text = source.table.text
        return cls(
            encoding="utf-8" if text.encoding in _UTF_8 else text.encoding,
            delimiter=source.table.dialect.delimiter,
            reading=source.reading,
            has_quotes=text.has_quotes,
            has_nul=text.has_nul,
            is_surveyed=source.is_surveyed,
        )

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Dict[str, Any]) -> Self:
        """What `as_dict` gave."""
        names = {each.name for each in fields(Reading)}
        reading = Reading(**{name: value for name, value in stored["reading"].items() if name in names})
        return cls(**{**stored, "reading": reading})


def split(source: SourceFile, *, size_of: Callable[[int], int]) -> list[Split]:
    """Splits in the file's order, each of about as many bytes as `size_of` gives for those that are left; none where
    the file is of a kind that has to be read as a whole: packed, not of lines of text, a list of rejects, or with
    quotation marks of another fashion.

    A line may end inside a cell in quotation marks. Where such an end was taken for a row's, the split before it ends
    with the mark still open, and is refused when it is read. So splits of which none is refused hold the rows of the
    whole.
    """
    table = source.table
    if (
        not isinstance(table, CsvTable)
        or table.path != source.path
        or source.kept
        or source.is_correction
        or table.dialect.odd_quotes is not None
        or not (table.text.encoding in _UTF_8 or _is_of_single_bytes(table.text.encoding))
    ):
        return []
    found: list[Split] = []
    start, first_line = _begin_of_rows(table), table.dialect.first_line
    with table.path.open("rb") as file:
        file.seek(start)
        # The rest of the last line belongs to it; in a file whose lines end otherwise that is all the rest.
        while lines := file.read(size_of(source.bytes_total - start)) + file.readline():
            end, after_line = start + len(lines), first_line + line_ends(lines) + (lines[-1:] not in {b"\n", b"\r"})
            found.append(Split(start=start, end=end, first_line=first_line, after_line=after_line))
            start, first_line = end, after_line
    return found


def open_split(
    held: Held,
    split: Split,
    *,
    plan: Plan,
    department: Department,
    options: ReadOptions,
    listing_limit: int,
    batch_rows: int = 60_000,
) -> SourceFile:
    """The rows of a split as those of a file. What they say of how they are written is gathered in its `survey` and,
    since they are not all of the file's, not judged."""
    reading = plan.reading
    mapping = Mapping(
        positions={name: reading.header.index(label) for label, name in reading.mapping.items()},
        labels={name: label for label, name in reading.mapping.items()},
        left_out=reading.left_out,
        unknown=reading.unknown_columns,
        unlabelled=reading.unlabelled_columns,
        suggestions=reading.suggestions,
        missing_optional=reading.missing_optional,
        source=reading.mapping_from,
    )
    table = CsvTable(
        path=held.path,
        text=Text(
            encoding=plan.encoding,
            mark=0,
            lines=0,  # of the whole file it is said, and was looked at there
            has_quotes=plan.has_quotes,
            has_nul=plan.has_nul,
        ),
        dialect=Dialect(
            delimiter=plan.delimiter,
            header=tuple(reading.header),
            header_line=reading.header_line,
            first_line=split.first_line,
            offset=0,
        ),
        form=Form(format=reading.format, encoding=reading.encoding, delimiter=reading.delimiter),
        span=held.span_of(split),
    )
    return SourceFile(
        path=held.path,
        department=department,
        table=table,
        mapping=mapping,
        survey=Survey(department=department, mapping=mapping, options=options, correction=None, is_typed=False),
        is_surveyed=plan.is_surveyed,
        is_whole=False,
        kept=[],
        reading=reading,
        listing_limit=listing_limit,
        batch_rows=batch_rows,
        block=BLOCK,
        held=ExitStack(),
    )


def _is_of_single_bytes(encoding: str) -> bool:
    """Every byte is a character of its own, so that a line feed is one wherever it stands."""
    return len(_ALL_BYTES.decode(encoding, "replace")) == len(_ALL_BYTES) and b"\n".decode(encoding) == "\n"


def _begin_of_rows(table: CsvTable) -> int:
    """In bytes of the file. The dialect's offset is in bytes of UTF-8."""
    text, offset = table.text, table.dialect.offset
    if text.encoding in _UTF_8:
        return text.mark + offset
    with table.path.open("rb") as file:
        head = file.read(text.mark + offset)[text.mark :]
    return text.mark + len(head.decode(text.encoding).encode()[:offset].decode())
