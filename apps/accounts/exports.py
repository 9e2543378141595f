"""CSV answers, streamed, and safe to open in a spreadsheet.

A cell that begins like a formula would be run by the spreadsheet of whoever opens the export, so text gets an
apostrophe there, and wherever a spreadsheet that separates by another sign would begin a cell (OWASP ASVS 5.0 1.2.10).
Numbers are numbers and stay as they are; the stored data is never touched. What has apostrophes there already gets one
more, so that a list of rejects can be read back as it was.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from django.http import StreamingHttpResponse

from aetherflow.etl.corrections import BEGINNING, FORMULA, FORMULA_INSIDE

_FORMULA = re.compile(rf"'*{FORMULA}")
_FORMULA_INSIDE = re.compile(rf"({BEGINNING})(?='*{FORMULA_INSIDE})")
# A negative amount in a text cell is no formula, however it is written: -12,50 or -1.234,00 €.
_AMOUNT = re.compile(r"[+-][ \u00a0]?[.,]?\d[\d.,'\u2019\u00a0\u202f ]*(?:[eE][+-]?\d+)?[%€$£]?")


class _Echo:
    """A file for csv.writer whose write gives the line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def safe_cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, bool | int | float | date):
        return value
    text = _FORMULA_INSIDE.sub(r"\1'", str(value))
    return f"'{text}" if _FORMULA.match(text) and not _AMOUNT.fullmatch(text.strip(" ")) else text


def csv_response(header: Iterable[str], rows: Iterable[Iterable[object]], *, filename: str) -> StreamingHttpResponse:
    """A download of UTF-8 CSV with a BOM, which Excel needs to read it as UTF-8."""

    def lines() -> Iterator[str]:
        writer = csv.writer(_Echo())
        yield "\N{BOM}" + writer.writerow([safe_cell(name) for name in header])
        for row in rows:
            yield writer.writerow([safe_cell(value) for value in row])

    return StreamingHttpResponse(
        lines(),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{filename}"',
            "X-Content-Type-Options": "nosniff",
        },
    )
