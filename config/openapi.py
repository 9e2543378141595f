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


# Where an answer leads: operation, answer, name → operation and the parameter that the answer holds.
_LINKS = {
    ("datasets_upload", "202"): {
        "job": ("jobs_get", "job_id", "/job/id"),
        "retry": ("jobs_retry", "job_id", "/job/id"),
        "dataset": ("datasets_get", "dataset_id", "/dataset/id"),
        "rows": ("datasets_rows", "dataset_id", "/dataset/id"),
        "rejects": ("datasets_rejects", "dataset_id", "/dataset/id"),
        "undo": ("datasets_undo", "dataset_id", "/dataset/id"),
    },
    ("jobs_get", "200"): {"dataset": ("datasets_get", "dataset_id", "/dataset_id")},
}


def complete(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A postprocessing hook of drf-spectacular: the links by which a program follows a file through the line, and
    that an upload has no other fields."""
    operations = {each["operationId"]: each for path in result["paths"].values() for each in path.values()}
    for (source, status), links in _LINKS.items():
        operations[source]["responses"][status]["links"] = {
            name: {"operationId": target, "parameters": {parameter: f"$response.body#{pointer}"}}
            for name, (target, parameter, pointer) in links.items()
        }
    result["components"]["schemas"]["UploadInputRequest"]["additionalProperties"] = False
    return result


class ProblemAutoSchema(AutoSchema):
    """Adds the problem document as the default answer of every operation, and as 429 where a view is `limited`."""

    def get_tags(self) -> list[str]:
        module = type(self.view).__module__
        return [module.split(".")[1]] if module.startswith("apps.") else super().get_tags()

    def _get_filter_parameters(self) -> Any:
        """An empty filter narrows nothing, like one that is left out; but one that is repeated has only full values."""
        return [
            each
            if each["schema"].get("type") == "array" and each.get("explode", True)
            else each | {"allowEmptyValue": True}
            for each in super()._get_filter_parameters()
        ]

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
