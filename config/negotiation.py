"""What an answer is written in: what the address says, whatever `Accept` asks for."""

from collections.abc import Iterable

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class LenientContentNegotiation(DefaultContentNegotiation):
    """Falls back to the view's first renderer where none fits (RFC 9110 12.5.1 lets a server disregard `Accept`).

    The renderers write JSON and problem documents; CSV and raw files are answered past them. With DRF's own rule
    whoever asks for the `text/csv` of an export by its name would get a 406.
    """

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        known = list(renderers)
        try:
            return super().select_renderer(request, known, format_suffix)
        except NotAcceptable:
            return known[0], str(known[0].media_type)
