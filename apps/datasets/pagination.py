"""The list envelopes of the API: {count, next, previous, results}, and cursors where a list can be long."""

from rest_framework.pagination import CursorPagination, LimitOffsetPagination


class ListPagination(LimitOffsetPagination):
    default_limit = 25
    max_limit = 200


class LinePagination(CursorPagination):
    """By line of the file: a page costs the same at the start of a file and at its ten-millionth row."""

    ordering: str | tuple[str, ...] = "line"
    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 1000


class RejectPagination(LinePagination):
    ordering = ("line", "id")
