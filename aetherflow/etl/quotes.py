"""Quotation marks in other ways than RFC 4180's: behind spaces, or with a backslash before them."""

from __future__ import annotations

import re
from dataclasses import dataclass

# What is longer than any record goes on as it is: a quotation mark was not closed, or stands inside of a cell.
_LONGEST_WAIT = 1 << 21
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class OddQuotes:
    """How quotation marks are used otherwise than usual: behind spaces that are not meant (`is_spaced`), or with a
    backslash before each that stands inside of a cell (`is_escaped`)."""

    delimiter: str
    is_spaced: bool
    is_escaped: bool


class UsualQuotes:
    """Rewrites quoted cells as they usually are. Cells without quotation marks stay as they are, so that MySQL's word
    for nothing does. What is inside of a cell must not be taken for the beginning of one, so it works on whole records.
    """

    def __init__(self, odd: OddQuotes) -> None:
        inside = rb'[^"\\]*(?:(?:""|\\.)[^"\\]*)*' if odd.is_escaped else rb'[^"]*(?:""[^"]*)*'
        begin = rb"(^|[\r\n]|" + re.escape(odd.delimiter.encode()) + (rb") *" if odd.is_spaced else rb")")
        self._cell = re.compile(begin + b'"(' + inside + b')"', re.DOTALL)
        self._is_escaped = odd.is_escaped
        self._waiting = b""

    def of(self, text: bytes, *, ended: bool) -> bytes:
        text, self._waiting = self._waiting + text, b""
        if not ended:
            text = self._whole_records(text)
        return self._cell.sub(self._rewritten, text)

    def _rewritten(self, cell: re.Match[bytes]) -> bytes:
        before, inside = cell.groups()
        return before + b'"' + (_ESCAPED.sub(_meant, inside) if self._is_escaped else inside) + b'"'

    def _whole_records(self, text: bytes) -> bytes:
        end = max(text.rfind(b"\n"), text.rfind(b"\r")) + 1
        marks = _ESCAPED.sub(b"", text[:end]) if self._is_escaped else text
        if marks.count(b'"', 0, end) % 2 and len(text) < _LONGEST_WAIT:
            end = 0
        self._waiting = text[end:]
        return text[:end]


def _meant(escaped: re.Match[bytes]) -> bytes:
    """Only what needs it is unescaped: a backslash before another letter may stand in the name of a folder."""
    (sign,) = escaped.groups()
    return {b'"': b'""', b"\\": b"\\", b"\n": b"\n", b"\r": b"\r"}.get(sign, escaped[0])
