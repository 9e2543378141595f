"""JSON: one object per line, or one array of objects."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from aetherflow.etl.dialect import refuse_too_many_columns, tidy_label
from aetherflow.etl.encodings import CHUNK, LONGEST_LINE, Utf8Stream, by_mark, known_encoding
from aetherflow.etl.formats.limits import Limits
from aetherflow.etl.formats.scratch import Scratch
from aetherflow.etl.formats.spool import Spool, SpooledTable, Unread
from aetherflow.etl.formats.table import Form
from aetherflow.etl.formats.typed import UNDECIDED
from aetherflow.etl.options import ReadOptions
from aetherflow.etl.rejects import FileRefused

Kind = Literal["jsonl", "json"]

ROWS = 2_000
BYTES = 4 << 20
HINT = 'Write one object per line, with the column names as its keys: {"date": "2026-03-31", "amount": 12.5}.'
BETWEEN = re.compile(r"[\s,]+")

# Numbers stay as they were written: a float would drop digits, and an integer of a million digits takes minutes.
_decoder = json.JSONDecoder(
    parse_float=lambda number: number.replace(".", UNDECIDED), parse_int=str, parse_constant=str
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Record:
    """A line, or an element of an array: its text, and what is wrong with it as JSON."""

    line: int
    text: str
    value: Any = None
    wrong: str = ""


def open_json(
    path: Path,
    *,
    kind: Kind,
    filename: str,
    known: Callable[[str], bool],
    options: ReadOptions,
    scratch: Scratch,
    limits: Limits,
) -> SpooledTable:
    """Read the file to its end: its header are the keys of all objects, in the order they come up.

    A record that is no object, or has a list or an object where a `known` column needs one value, is set aside. Raises
    FileRefused: format-error where no record is an object, source-error for a broken array, encoding-error,
    line-too-long, too-many-columns, no-rows, too-large-expanded.
    """
    with path.open("rb") as file:
        encoding, mark = by_mark(file.read(4))
    given = options.encoding is not None and not encoding
    encoding = known_encoding(options.encoding) if options.encoding and not encoding else encoding or "utf-8"
    spool = Spool(scratch.path("rows"), limits=limits)
    rows = _Rows(known=known, spool=spool)
    try:
        with Utf8Stream(path, encoding=encoding, mark=mark) as stream:
            for record in _lines(stream) if kind == "jsonl" else _elements(stream, filename=filename):
                rows.take(record)
        rows.flush()
    except UnicodeDecodeError as error:
        raise FileRefused(
            f"{filename} cannot be read as {encoding}: byte 0x{error.object[error.start]:02X} does not belong there.",
            code="encoding-error",
            hint="Save the file as UTF-8 and upload it again, or name its encoding at the upload.",
        ) from error
    finally:
        spool.close()
    if not rows.any_object:
        raise _no_object(rows.first_wrong, filename=filename)
    form = Form(format=kind, encoding=encoding, basis={"encoding": "given" if given else "found"})
    return spool.table(header=tuple(map(tidy_label, rows.header)), header_line=1, form=form)


@dataclass(kw_only=True)
class _Rows:
    """Objects on their way into the spool. null and an absent key are an empty cell; the header grows."""

    known: Callable[[str], bool]
    spool: Spool
    header: dict[str, None] = field(default_factory=dict)
    any_object: bool = False
    first_wrong: Unread | None = None
    _objects: list[dict[str, Any]] = field(default_factory=list)
    _lines: list[int] = field(default_factory=list)
    _aside: list[Unread] = field(default_factory=list)
    _weight: int = 0

    def take(self, record: _Record) -> None:
        if (unread := self._fault(record)) is None:
            self._objects.append(record.value)
            self._lines.append(record.line)
        else:
            self._aside.append(unread)
        self._weight += len(record.text)
        if len(self._objects) >= ROWS or self._weight >= BYTES:
            self.flush()

    def flush(self) -> None:
        columns = [_column([found.get(key) for found in self._objects]) for key in self.header]
        self.spool.add(columns, lines=np.array(self._lines, dtype=np.int64), aside=self._aside)
        self._objects, self._lines, self._aside, self._weight = [], [], [], 0

    def _fault(self, record: _Record) -> Unread | None:
        wrong, value = record.wrong, record.value
        if not wrong and not isinstance(value, dict):
            wrong = "it is a single value or a list"
        if wrong:
            unread = Unread(
                line=record.line,
                text=record.text,
                fault="source-error",
                message=f"The record is no JSON object: {wrong}.",
                hint=HINT,
            )
            self.first_wrong = self.first_wrong or unread
            return unread
        self.any_object = True
        if not value.keys() <= self.header.keys():
            self.header.update(dict.fromkeys(value))
            refuse_too_many_columns(len(self.header), line=record.line)
        nested = self._nested(record)
        if nested is None:
            return None
        return Unread(
            line=record.line,
            text=record.text,
            fault="type-error",
            message=f"{nested!r} holds a list or an object, not one value.",
            hint="Write the value itself, as a text or a number.",
        )

    def _nested(self, record: _Record) -> str | None:
        """The first column of the department that holds no single value."""
        if "[" not in record.text and record.text.find("{", 1) < 0:
            return None
        return next(
            (key for key, value in record.value.items() if isinstance(value, list | dict) and self.known(key)), None
        )


def _lines(stream: Utf8Stream) -> Iterator[_Record]:
    """The lines that are not blank. Raises FileRefused line-too-long."""
    rest, line = b"", 0
    while True:
        chunk = stream.read(CHUNK)
        *lines, rest = (rest + chunk).split(b"\n")
        if not chunk and rest:
            lines, rest = [rest], b""
        for text in lines:
            line += 1
            if len(text) > LONGEST_LINE:
                raise _too_long(line)
            # Of nothing but spaces, those of every alphabet.
            if (record := _parsed(text, line=line)).text:
                yield record
        if len(rest) > LONGEST_LINE:
            raise _too_long(line + 1)
        if not chunk:
            return


def _parsed(line_text: bytes, *, line: int) -> _Record:
    text = line_text.decode(errors="replace").strip()
    try:
        line_text.decode()
        return _Record(line=line, text=text, value=_decoder.decode(text))
    except UnicodeDecodeError as error:
        wrong = f"byte 0x{error.object[error.start]:02X} is no UTF-8"
    except json.JSONDecodeError as error:
        wrong = f"{error.msg} at column {error.colno}"
    except RecursionError:
        wrong = "it is nested too deeply"
    return _Record(line=line, text=text, wrong=wrong)


def _elements(stream: Utf8Stream, *, filename: str) -> Iterator[_Record]:
    """The elements of an array, numbered as if they stood under a header. Raises FileRefused source-error, and
    UnicodeDecodeError."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    text, at, number, ended = "", 0, 1, False
    while not ended:
        chunk = stream.read(CHUNK)
        ended = not chunk
        text = text[at:] + decoder.decode(chunk, final=ended)
        at = 0
        if number == 1 and (opening := re.match(r"\s*\[", text)):
            text = text[opening.end() :]
            number = 2
        while True:
            if between := BETWEEN.match(text, at):
                at = between.end()
            if text[at : at + 1] == "]":
                return
            try:
                value, end = _decoder.raw_decode(text, at)
            except (ValueError, RecursionError) as error:
                if ended or len(text) - at > LONGEST_LINE:
                    raise _broken(filename, number=number - 1, error=error) from error
                break
            if end == len(text) and not ended:
                break  # a number may go on
            yield _Record(line=number, text=text[at:end], value=value)
            at, number = end, number + 1


def _column(values: Sequence[Any]) -> pa.StringArray:
    try:
        return pa.array(values, pa.string()).fill_null("")
    except (pa.ArrowTypeError, pa.ArrowInvalid, UnicodeEncodeError):
        return pa.array(list(map(_text, values)), pa.string())


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    # Half of a surrogate pair is no character.
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def _no_object(wrong: Unread | None, *, filename: str) -> FileRefused:
    if wrong is None:
        return FileRefused(
            f"{filename} holds no rows.",
            code="no-rows",
            hint="Check the filter of the export, and upload a file with at least one row.",
        )
    return FileRefused(
        f"{filename} holds no JSON object per row. Line {wrong.line:,}: {wrong.message}",
        code="format-error",
        hint=wrong.hint,
        line=wrong.line,
    )


def _broken(filename: str, *, number: int, error: Exception) -> FileRefused:
    why = error.msg if isinstance(error, json.JSONDecodeError) else "it is nested too deeply"
    return FileRefused(
        f"{filename} breaks off or is no valid JSON in row {number:,}: {why}.",
        code="source-error",
        hint="Export the file again. One object per line (.jsonl) keeps the other rows when one is damaged.",
        line=number + 1,
    )


def _too_long(line: int) -> FileRefused:
    return FileRefused(
        f"Line {line:,} is longer than {LONGEST_LINE:,} bytes.",
        code="line-too-long",
        hint=HINT,
        line=line,
    )
