"""The OpenAPI description of errors: one problem schema, the same as `config.problems` writes."""

from typing import Any, Literal

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers


class ProblemEntrySerializer(serializers.Serializer[Any]):
    pointer = serializers.CharField(help_text="JSON pointer into the request's body; empty for the whole.")
    code = serializers.CharField()
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457 problem details."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField(help_text="Stable; made for programs.")
    errors = ProblemEntrySerializer(many=True)  # type: ignore[assignment]
    request_id = serializers.CharField(allow_null=True)
    hint = serializers.CharField(required=False, help_text="What to do about it.")
    details = serializers.DictField(required=False)


RETRY_AFTER = {
    "Retry-After": {
        "description": "Seconds until it may be asked for again.",
        "schema": {"type": "integer"},
        "required": True,
    }
}


class ProblemAutoSchema(AutoSchema):
    """Adds the problem document as the default answer of every operation, and as 429 where a view is `limited`."""

    def get_tags(self) -> list[str]:
        module = type(self.view).__module__
        return [module.split(".")[1]] if module.startswith("apps.") else super().get_tags()

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        if direction == "response":
            problem = self._get_response_for_code(
                OpenApiResponse(ProblemSerializer, description="Refused or failed; `code` says why."),
                "default",
                media_types=["application/problem+json"],
                direction=direction,
            )
            bodies.setdefault("default", problem)
            if getattr(self.view, "limited", False):
                bodies["429"] = problem | {
                    "description": "Asked for too often; `code` says what.",
                    "headers": RETRY_AFTER,
                }
        return bodies
