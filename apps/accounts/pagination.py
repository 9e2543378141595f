"""Pages of lists. A page that cannot be told is refused: the first one in its place would be taken for it."""

import re
from typing import Any

from rest_framework import serializers
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request

LARGEST = 2**31 - 1
LIMIT = {"type": "integer", "minimum": 1, "maximum": LARGEST}
OFFSET = {"type": "integer", "minimum": 0, "maximum": LARGEST}
_DIGITS = re.compile(r"[0-9]{1,10}")


def whole_number(request: Request, name: str, *, least: int) -> int | None:
    """What the address says of `name`; None where nothing. ValidationError where it is no number from `least` on."""
    given = request.query_params.get(name, "")
    if not given:
        return None
    if not _DIGITS.fullmatch(given) or not least <= int(given) <= LARGEST:
        raise serializers.ValidationError({name: f"Give a whole number from {least} to {LARGEST}."}, code="invalid")
    return int(given)


class ListPagination(LimitOffsetPagination):
    default_limit = 25
    max_limit = 200

    def get_limit(self, request: Request) -> int:
        return min(whole_number(request, "limit", least=1) or self.default_limit, self.max_limit)

    def get_offset(self, request: Request) -> int:
        return whole_number(request, "offset", least=0) or 0

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        known = {"limit": LIMIT, "offset": OFFSET}
        told = super().get_schema_operation_parameters(view)
        return [each | {"schema": known[each["name"]], "allowEmptyValue": True} for each in told]
