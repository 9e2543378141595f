"""JSON bodies, and what is wrong with those that cannot be read."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework import parsers

from aetherflow.errors import AnticipatedError


class JSONParser(parsers.JSONParser):
    """DRF's, except that a body of a hundred thousand brackets is the caller's mistake, not a crash of ours."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise AnticipatedError(
                "The JSON is nested too deeply to be read.",
                code="nested-too-deeply",
                hint="Send the fields as one object; see docs/openapi.json.",
            ) from None
