"""From the bytes of a file to a stream of UTF-8, and the refusal of what is no text."""

from __future__ import annotations

import codecs
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from aetherflow.etl.codepages import likeliest
from aetherflow.etl.quotes import OddQuotes, UsualQuotes
from aetherflow.etl.rejects import FileRefused

CHUNK = 1 << 18
# No row of a department comes near; a longer line is another format, or a quotation mark that was never closed.
LONGEST_LINE = 1 << 19

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What a page begins with, and what of one is saved as a spreadsheet. No label does.
WEB_PAGE = r"<(?:!doctype html|!--|(?:html|head|body|script|style|meta|link|title|table|div|svg)\b)"
XML = r"<\?xml\b"
# Not every codec of Python is an encoding of text: base64 and rot13 are codecs too.
READABLE = r"(utf-(8|16|32)|ascii|iso8859|cp\d|mac-|shift_jis|gb|big5|euc|koi8)"
LINE_FEED, CARRIAGE_RETURN = 0x0A, 0x0D
CONTROL = bytes(set(range(32)) - set(b"\t\n\v\f\r\x00\x1a\x1b"))


@dataclass(frozen=True, kw_only=True)
class Text:
    """What one pass over the bytes found. The byte order mark has `mark` bytes; `lines` are physical ones."""

    encoding: str
    mark: int
    lines: int
    has_quotes: bool
    has_nul: bool


class Utf8Stream:
    """A file's text as UTF-8 bytes, without byte order mark, transcoded while it is read.

    Of the file those bytes are read that `span` says, from the first to before the second. `skip` bytes of UTF-8 are
    left out at the start and `tail` is given at the end. With `most_lines` a read ends early rather than give more
    lines at once; none ends between a carriage return and its line feed. Where the text has `odd` quotes they are given
    as usual ones. A file object as pyarrow wants it.
    """

    def __init__(
        self,
        path: Path,
        *,
        encoding: str,
        mark: int,
        span: tuple[int, int] | None = None,
        skip: int = 0,
        tail: bytes = b"",
        most_lines: int = 0,
        odd: OddQuotes | None = None,
    ) -> None:
        self._file = path.open("rb")
        self._start, self._end = span or (0, sys.maxsize)
        self._file.seek(self._start + mark)
        is_utf8 = encoding in {"utf-8", "utf-8-sig"}
        self._decoder = None if is_utf8 else codecs.getincrementaldecoder(encoding)()
        self._left = b""
        self._tail = tail
        self._most_lines = 0
        self._ended = False
        self._quotes: UsualQuotes | None = None
        self.closed = False
        while skip:
            skip -= len(self.read(min(skip, CHUNK)))
        self._most_lines = most_lines
        if odd is not None:
            self._quotes = UsualQuotes(odd)
            self._left = self._quotes.of(self._left, ended=self._ended)

    @property
    def bytes_read(self) -> int:
        """Bytes of the user's own file (of the span) taken so far, not of the UTF-8 it is turned into."""
        return (self._at_close if self.closed else self._file.tell()) - self._start

    def read(self, size: int = CHUNK) -> bytes:
        """At most `size` bytes; none at the end. Raises UnicodeDecodeError where the encoding does not fit."""
        # What is read of plain UTF-8 goes through as it is: whole slices and sums with nothing are no copies.
        while len(self._left) < size and not self._ended:
            self._left += self._more(size - len(self._left))
        ready = self._left
        end = min(size, len(ready))
        if self._most_lines:
            end = _end_of_lines(ready[:end], self._most_lines)
        if end > 1 and ready[end - 1 : end] == b"\r" and ready[end : end + 1] in {b"\n", b""}:
            # pyarrow loses the line feed of a quoted cell where a block begins with it.
            end -= 1
        taken, self._left = ready[:end], ready[end:]
        return taken

    @property
    def buffered(self) -> bytes:
        """UTF-8 that was decoded and not yet given out."""
        return self._left

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        if not self.closed:
            self._at_close = self._file.tell()
            self._file.close()
            self.closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _more(self, size: int) -> bytes:
        left = self._end - self._file.tell()
        chunk = self._file.read(min(max(size, CHUNK) if self._decoder else size, left))
        self._ended = not chunk
        text = self._decoder.decode(chunk, final=self._ended).encode() if self._decoder else chunk
        text = text + self._tail if self._ended else text
        return self._quotes.of(text, ended=self._ended) if self._quotes else text


def examine(path: Path, *, filename: str, encoding: str | None = None) -> Text:
    """Find the encoding, and pass once over the whole file.

    A byte order mark decides, then `encoding` if given. UTF-16 is recognised without a mark too; bytes that are no
    UTF-8 are read as cp1252, the encoding of Excel's plain CSV, unless they look like damaged UTF-8 or their words like
    those of another encoding of one byte. Raises FileRefused: empty-file, not-text, format-error, encoding-error,
    line-too-long.
    """
    with path.open("rb") as file:
        head = file.read(CHUNK)
    if not head:
        raise FileRefused(
            f"{filename} is empty: it has 0 bytes.", code="empty-file", hint="Export the file again and upload that."
        )
    name, mark = by_mark(head)
    if not name:
        _refuse_binary(head, filename=filename)
        name = known_encoding(encoding) if encoding else _utf16_without_mark(head) or "utf-8"
    _refuse_markup(head[mark : mark + 1_000].decode(name, errors="replace"), filename=filename)
    try:
        return _pass_over(path, encoding=name, mark=mark)
    except _Undecodable as broken:
        if encoding or name != "utf-8" or _mostly_utf8(path):
            raise _undecodable(broken, label=name) from broken
    try:
        return _pass_over(path, encoding=likeliest(path), mark=0)
    except _Undecodable as broken:
        raise _undecodable(broken, label="utf-8 or cp1252") from broken


class _Undecodable(Exception):  # noqa: N818 - never leaves this module
    def __init__(self, line: int, byte: int) -> None:
        super().__init__(line, byte)
        self.line, self.byte = line, byte


class _Lines:
    """Counts physical lines over chunks: LF, CRLF and CR each end one, also across a chunk's edge."""

    def __init__(self) -> None:
        self.ended = 0
        self._after_cr = False
        self._open = 0

    @property
    def count(self) -> int:
        """Of them, the last one counted even where nothing ends it."""
        return self.ended + (self._open > 0)

    def take(self, chunk: bytes) -> None:
        first = min((at for at in (chunk.find(b"\n"), chunk.find(b"\r")) if at >= 0), default=-1)
        if self._open + (len(chunk) if first < 0 else first) > LONGEST_LINE:
            raise FileRefused(
                f"Line {self.ended + 1:,} is longer than {LONGEST_LINE:,} bytes.",
                code="line-too-long",
                hint="A CSV file has one row per line. Check the export, and whether a quotation mark is left open.",
                line=self.ended + 1,
            )
        last = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
        self._open = self._open + len(chunk) if last < 0 else len(chunk) - last - 1
        self.ended += line_ends(chunk) - (self._after_cr and chunk[:1] == b"\n")
        self._after_cr = chunk[-1:] == b"\r"


def _end_of_lines(text: bytes, most: int) -> int:
    """Where the last of so many lines ends, or the text does."""
    end = len(text)
    letters = np.frombuffer(text, dtype=np.uint8)
    for mark in (LINE_FEED, CARRIAGE_RETURN):
        if np.count_nonzero(letters[:end] == mark) > most:
            end = int(np.flatnonzero(letters[:end] == mark)[most - 1]) + 1
    return end


def line_ends(text: bytes) -> int:
    # bytes.count stops at each of a million line ends, which takes six times as long.
    letters = np.frombuffer(text, dtype=np.uint8)
    ends = int(np.count_nonzero(letters == LINE_FEED))
    return ends + text.count(b"\r") - text.count(b"\r\n") if b"\r" in text else ends


def _pass_over(path: Path, *, encoding: str, mark: int) -> Text:
    has_quotes = has_nul = False
    lines = _Lines()
    decoder = codecs.getincrementaldecoder("utf-8")()
    with Utf8Stream(path, encoding=encoding, mark=mark) as stream:
        while True:
            try:
                chunk = stream.read(CHUNK)
            except UnicodeDecodeError as error:
                raise _at(error, lines=lines.ended + line_ends(stream.buffered), encoding=encoding) from error
            try:
                if not (chunk.isascii() and chunk) or decoder.getstate()[0]:
                    decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                raise _at(error, lines=lines.ended, encoding="utf-8") from error
            if not chunk:
                break
            lines.take(chunk)
            has_quotes = has_quotes or b'"' in chunk
            has_nul = has_nul or b"\x00" in chunk
    return Text(encoding=encoding, mark=mark, lines=lines.count, has_quotes=has_quotes, has_nul=has_nul)


def _at(error: UnicodeDecodeError, *, lines: int, encoding: str) -> _Undecodable:
    before = error.object[: error.start].decode(encoding, errors="replace")
    return _Undecodable(lines + line_ends(before.encode(errors="replace")) + 1, error.object[error.start])


def by_mark(head: bytes) -> tuple[str, int]:
    """The encoding a byte order mark tells, and how many bytes the mark has; ("", 0) without one."""
    return next(((name, len(mark)) for mark, name in MARKS if head.startswith(mark)), ("", 0))


def encoding_name(encoding: str) -> str:
    """Python's name for it; empty for what is no encoding of text."""
    try:
        name = codecs.lookup(encoding.strip()).name
    except (LookupError, ValueError):
        return ""
    return name if re.match(READABLE, name) else ""


def known_encoding(encoding: str) -> str:
    """Python's name for it. Raises FileRefused encoding-error for what is no encoding of text."""
    name = encoding_name(encoding)
    if not name:
        raise FileRefused(
            f"There is no text encoding called {encoding!r}.",
            code="encoding-error",
            hint="Use utf-8, cp1252 or utf-16, or leave the encoding out to have it found.",
        )
    return name


def _refuse_binary(head: bytes, *, filename: str) -> None:
    if _is_binary(head):
        raise FileRefused(
            f"{filename} is a binary file of an unknown kind.",
            code="not-text",
            hint="Export the data as CSV, or as an Excel workbook (.xlsx), and upload that file.",
        )


def _refuse_markup(start: str, *, filename: str) -> None:
    start = start.lstrip("\ufeff \t\r\n\x00").lower()
    if markup := "a web page" if re.match(WEB_PAGE, start) else "an XML document" if re.match(XML, start) else "":
        raise FileRefused(
            f"{filename} is {markup}, not a file of data.",
            code="format-error",
            hint="Perhaps a log-in or error page was saved instead of the export. Download the file again.",
        )


def _is_binary(head: bytes) -> bool:
    if _utf16_without_mark(head):
        return False
    controls = len(head) - len(head.translate(None, CONTROL))
    return head.count(0) > len(head) / 10 or controls > len(head) / 12


def _utf16_without_mark(head: bytes) -> str:
    """In UTF-16 every other byte of Latin text is NUL."""
    even, odd = head[0:4096:2], head[1:4096:2]
    if odd and odd.count(0) > len(odd) * 0.4 and even.count(0) < len(even) * 0.05:
        return "utf-16-le"
    if odd and even.count(0) > len(even) * 0.4 and odd.count(0) < len(odd) * 0.05:
        return "utf-16-be"
    return ""


def _mostly_utf8(path: Path) -> bool:
    """One broken byte in a UTF-8 file must not turn all its accents into nonsense by reading it as cp1252."""
    sound = broken = 0
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        while chunk := file.read(CHUNK):
            broken += len(re.findall(r"[\udc80-\udcff]", chunk))
            sound += len(re.findall(r"[^\x00-\x7f\udc80-\udcff]", chunk))
    return sound > broken


def _undecodable(broken: _Undecodable, *, label: str) -> FileRefused:
    return FileRefused(
        f"Line {broken.line:,} cannot be read as {label}: byte 0x{broken.byte:02X} does not belong there.",
        code="encoding-error",
        hint="Save the file as CSV UTF-8 and upload it again, or name its encoding at the upload.",
        line=broken.line,
    )
