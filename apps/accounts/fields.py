"""Fields of request bodies."""

from typing import Any

from rest_framework import serializers


class TextField(serializers.CharField):
    """A text and nothing else: DRF's would make one of a number."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        text: str = super().to_internal_value(data)
        return text
