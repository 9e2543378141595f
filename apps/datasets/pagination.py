"""The list envelopes of the API: {count, next, previous, results}, and cursors where a list can be long."""

import re
from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from django_filters.constants import EMPTY_VALUES
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination, LimitOffsetPagination
from rest_framework.request import Request

from aetherflow.errors import AnticipatedError

_LINE = re.compile(r"[0-9]{1,18}")


class ListPagination(LimitOffsetPagination):
    default_limit = 25
    max_limit = 200


class LinePagination(CursorPagination):
    """By line of the file: a page costs the same at the start of a file and at its ten-millionth row."""

    ordering: str | tuple[str, ...] = "line"
    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 1000

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


class TotalOrderingFilter(filters.OrderingFilter):
    """Orders by the primary key at last: rows that are equal otherwise come in any order, and another one for each
    page, so that some would stand on two pages and some on none."""

    def filter(self, qs: QuerySet[Any], value: Any) -> QuerySet[Any]:
        ordered = super().filter(qs, value)
        return ordered if value in EMPTY_VALUES else ordered.order_by(*ordered.query.order_by, "pk")


def _invalid_cursor() -> AnticipatedError:
    return AnticipatedError(
        "The cursor is none that this list has given out.",
        code="invalid-cursor",
        hint="Start at the first page, without `cursor`, and follow `next`.",
    )
