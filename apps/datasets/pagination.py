"""Pages by cursor, where a list can be long."""

import re
from typing import Any

from django.db.models import QuerySet
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

from aetherflow.errors import AnticipatedError
from apps.accounts.pagination import whole_number

_LINE = re.compile(r"[0-9]{1,18}")


class LinePagination(CursorPagination):
    """By line of the file: a page costs the same at the start of a file and at its ten-millionth row."""

    ordering: str | tuple[str, ...] = "line"
    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 1000

    def get_page_size(self, request: Request) -> int:
        return min(whole_number(request, "limit", least=1) or self.page_size, self.max_page_size)

    def decode_cursor(self, request: Request) -> Cursor | None:
        """AnticipatedError `invalid-cursor` (400) for one that no page of ours has given out."""
        try:
            cursor = super().decode_cursor(request)
        except NotFound:
            raise _invalid_cursor() from None
        # The position goes into the query as it is: text there is an error of the database's, not of the caller's.
        if cursor and cursor.position is not None and not _LINE.fullmatch(str(cursor.position)):
            raise _invalid_cursor()
        return cursor


class RowPagination(LinePagination):
    """From the last line backwards with `ordering=-line`."""

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: Any) -> tuple[str, ...]:  # noqa: ARG002
        return ("-line",) if request.query_params.get("ordering") == "-line" else ("line",)


class RejectPagination(LinePagination):
    ordering = ("line", "id")


def _invalid_cursor() -> AnticipatedError:
    return AnticipatedError(
        "The cursor is none that this list has given out.",
        code="invalid-cursor",
        hint="Start at the first page, without `cursor`, and follow `next`.",
    )
