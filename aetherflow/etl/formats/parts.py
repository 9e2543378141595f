"""A worksheet written as several of about a megabyte each, so that the reader, which knows only whole ones, can be
asked for one after the other: a few are held at a time, and the rows of one are used while others are read.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from string import ascii_uppercase
from typing import IO
from uuid import uuid4
from xml.etree import ElementTree

import pyarrow as pa
import pyarrow.compute as pc

WORKBOOK, RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
# Lists of sheets are small, and so is what stands before a sheet's rows, which is written again for every part.
MOST_LISTED, MOST_HEAD = 1 << 20, 1 << 16
# Column ZZ. A sheet is not parted any further where a wider one has to be looked for.
MOST_WIDTH = 26 * 27

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
# As Excel writes it, and as its strict variant does.
_LINK_NAMES = {f"{{{_LINKS}}}id", "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"}
_END = {WORKBOOK: re.compile(rb"</(?:\w+:)?sheets\s*>"), RELATIONS: re.compile(rb"</(?:\w+:)?Relationships\s*>")}
_ROWS = re.compile(rb"<sheetData(?:\s[^<>/]*)?>")
_ROW = b'<row r="'
# A row or cell that does not say first, and plainly, where it stands.
_UNPLACED = r'<(?:c|row)(?:[>/\t\r\n]| [^r]| r[^=]| r=[^"]| r="[^A-Z0-9])'
# What may hold a tag that is none, and the end of the rows.
_NO_MORE = "<!|</sheetData"
_TAG = re.compile(rb"""<(?:\w+:)?(row|c)((?:\s(?:[^<>"']|"[^"]*"|'[^']*')*)?)>(</(?:\w+:)?c>|<v></v>|<v\s*/>)?""")
_PLACE = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]{0,7})(\d{1,18})["']""")


class Walk:
    """Goes through the tags of a sheet, piece by piece, and counts where it is told no place."""

    def __init__(self) -> None:
        self._column = self._row = 0

    def cells(self, piece: bytes) -> Iterator[tuple[int, int]]:
        """Column and row, from 1, of every cell with content."""
        for tag, attributes, nothing in _TAG.findall(piece):
            place = _PLACE.search(attributes)
            if tag == b"row":
                self._column, self._row = 0, int(place[2]) if place else self._row + 1
                continue
            self._column = _number(place[1]) if place else self._column + 1
            if not nothing and not attributes.endswith(b"/"):
                yield self._column, int(place[2]) if place else self._row


def has(text: bytes, pattern: str) -> bool:
    """RE2's search, which is faster than Python's where little can be told from a literal."""
    found: bool = pc.match_substring_regex(pa.array([text], pa.binary()), pattern)[0].as_py()
    return found


@dataclass(kw_only=True)
class Parts:
    """What to ask the reader for behind the sheet itself to get the rest of its rows. The content of all of them but
    the last is from the column `left`, counted from 0, to before `right`."""

    names: list[str] = field(default_factory=list)
    left: int = 1 << 14
    right: int = 0

    @property
    def files(self) -> list[str]:
        return list(map(_file, self.names))


@dataclass(kw_only=True)
class Book:
    """A workbook being written. `lists` are the files that name its sheets, `sheets` the files they stand in, in their
    order, and `parts` are by the same files."""

    out: zipfile.ZipFile
    lists: Mapping[str, bytes] = field(default_factory=dict)
    sheets: Sequence[str] = ()
    parts: dict[str, Parts] = field(default_factory=dict)

    def open(self, file: str) -> Whole:
        if file not in self.sheets:
            return Whole(self.out, file)
        self.parts[file] = Parts()
        return Parted(self.out, file, parts=self.parts[file])

    def close(self) -> None:
        """Write the lists, with the parts in them."""
        names = [name for parts in self.parts.values() for name in parts.names]
        spaces = f'xmlns="{_MAIN}" xmlns:r="{_LINKS}"'
        more = {
            WORKBOOK: [
                f'<sheet {spaces} name="{name}" sheetId="{at}" r:id="{name}"/>' for at, name in enumerate(names)
            ],
            RELATIONS: [
                f'<Relationship Id="{name}" Type="{_LINKS}/worksheet" Target="/{_file(name)}"/>' for name in names
            ],
        }
        for file, text in self.lists.items():
            (end,) = _END[file].finditer(text)
            self.out.writestr(file, text[: end.start()] + "".join(more[file]).encode() + text[end.start() :])

    @property
    def parts_of_sheets(self) -> list[Parts]:
        return [self.parts.get(file, Parts()) for file in self.sheets]


def begin(source: zipfile.ZipFile, out: zipfile.ZipFile) -> Book:
    """No sheet is parted of a workbook whose lists are not as Excel writes them: what is wrong, the reader will say."""
    try:
        lists = {file: _list(source, file) for file in (WORKBOOK, RELATIONS)}
        return Book(out=out, lists=lists, sheets=_sheets(lists))
    except (LookupError, ValueError, ElementTree.ParseError):
        return Book(out=out)


def _list(source: zipfile.ZipFile, file: str) -> bytes:
    with source.open(file) as packed:
        text = packed.read(MOST_LISTED + 1)
    if len(text) > MOST_LISTED or len(_END[file].findall(text)) != 1:
        raise ValueError(file)
    return text


def _sheets(lists: Mapping[str, bytes]) -> list[str]:
    # What entities may grow to is bounded by expat itself.
    book, relations = (ElementTree.fromstring(lists[file]) for file in (WORKBOOK, RELATIONS))  # noqa: S314
    files = {link.get("Id"): posixpath.join("/xl", link.get("Target", "")).lstrip("/") for link in relations}
    (sheets,) = (part for part in book if part.tag.rpartition("}")[2] == "sheets")
    return [files[link] for sheet in sheets for name, link in sheet.attrib.items() if name in _LINK_NAMES]


class Whole:
    """A file written as it is. `is_placed`: as far as it was looked at, all its rows and cells say where they stand."""

    is_placed = False

    def __init__(self, out: zipfile.ZipFile, file: str) -> None:
        self._out = out
        self._file = self._opened(file)

    def write(self, piece: bytes) -> None:
        self._file.write(piece)

    def close(self) -> None:
        self._file.close()

    @property
    def outside(self) -> str:
        """A pattern of columns. Pieces with content in one of them are to be shown to `widen` before being written."""
        return ""

    def widen(self, piece: bytes) -> None:
        pass

    def _opened(self, file: str) -> IO[bytes]:
        return self._out.open(file, "w", force_zip64=True)


class Parted(Whole):
    """A sheet whose rows are written to several files, as long as they and their cells all say where they stand."""

    def __init__(self, out: zipfile.ZipFile, file: str, *, parts: Parts) -> None:
        super().__init__(out, file)
        self._parts = parts
        self._head = b""
        self._goes_on = self.is_placed = True

    def write(self, piece: bytes) -> None:
        """Pieces of the XML, each from a tag to before one."""
        is_plain = not has(piece, f"{_UNPLACED}|{_NO_MORE}")
        self.is_placed = self.is_placed and (is_plain or not has(piece, _UNPLACED))
        if self._goes_on and not self._head:
            self._goes_on = self._begins(piece) and is_plain
        elif self._goes_on:
            self._goes_on = self._parts.right <= MOST_WIDTH and is_plain
            at = piece.rfind(_ROW)
            if self._goes_on and at >= 0:
                self._next(memoryview(piece)[:at])
                self._file.write(memoryview(piece)[at:])
                return
        self._file.write(piece)

    @property
    def outside(self) -> str:
        return _outside(self._parts.left, self._parts.right) if self._goes_on and self._head else ""

    def widen(self, piece: bytes) -> None:
        parts, columns = self._parts, [column for column, _ in Walk().cells(piece)]
        parts.left, parts.right = min([parts.left + 1, *columns]) - 1, max([parts.right, *columns])

    def _begins(self, piece: bytes) -> bool:
        begun = _ROWS.search(piece)
        self._head = piece[: begun.end()] if begun else b""
        is_usual = b"<worksheet" in self._head and len(self._head) <= MOST_HEAD
        self.is_placed = self.is_placed and is_usual
        return is_usual

    def _next(self, rest: memoryview) -> None:
        self._file.write(rest)
        self._file.write(b"</sheetData></worksheet>")
        self.close()
        self._parts.names.append(name := uuid4().hex)
        self._file = self._opened(_file(name))
        self._file.write(self._head)


def _file(part: str) -> str:
    return f"xl/worksheets/{part}.xml"


def _outside(left: int, right: int) -> str:
    """A pattern of the columns before `left`, as far as they have one letter, and from `right` on, with up to three."""
    first, second = divmod(right - 26, 26)
    columns = ["[A-Z]{3}"]
    if right < 26:
        columns += [f"[{ascii_uppercase[right]}-Z]", "[A-Z]{2}"]
    else:
        columns += [f"{ascii_uppercase[first]}[{ascii_uppercase[second]}-Z]"] if first < 26 else []
        columns += [f"[{ascii_uppercase[first + 1]}-Z][A-Z]"] if first < 25 else []
    if left:
        columns.append(f"[A-{ascii_uppercase[min(left, 26) - 1]}]")
    return "|".join(columns)


def _number(letters: bytes) -> int:
    """1 for A, 27 for AA."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def cell_name(column: int, row: int) -> str:
    """AA12 for column 27 of row 12."""
    letters = ""
    while column:
        column, letter = divmod(column - 1, 26)
        letters = chr(65 + letter) + letters
    return f"{letters}{row}"
