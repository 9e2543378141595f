"""Fields of request bodies."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from rest_framework import serializers


class TextField(serializers.CharField):
    """A text and nothing else: DRF's would make one of a number."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        text: str = super().to_internal_value(data)
        return text


class TextSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Says of a text that is trimmed and may not be empty that spaces alone are none."""

    target_class = TextField

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        schema: dict[str, Any] = auto_schema._map_serializer_field(self.target, direction, bypass_extensions=True)
        if self.target.trim_whitespace and not self.target.allow_blank:
            # Python trims these too, which not every reader of a pattern takes for spaces.
            schema["pattern"] = r"[^\s\x1c-\x1f\x85]"
        return schema
