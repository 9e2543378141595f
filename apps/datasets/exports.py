"""CSV answers, streamed, and safe to open in a spreadsheet.

A cell that begins like a formula would be run by the spreadsheet of whoever opens the export, so text gets a leading
apostrophe there (OWASP ASVS 5.0 1.2.10). Numbers are numbers and stay as they are; the stored data is never touched.
"""

import csv
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from django.http import StreamingHttpResponse

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\N{FULLWIDTH EQUALS SIGN}", "\N{FULLWIDTH PLUS SIGN}",
                   "\N{FULLWIDTH HYPHEN-MINUS}", "\N{FULLWIDTH COMMERCIAL AT}")  # fmt: skip


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
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    """A negative amount in a text cell is no formula."""
    try:
        float(text)
    except ValueError:
        return False
    return True


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
