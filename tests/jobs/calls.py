"""The API as its clients call it: a file uploaded, and a refusal read."""

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from apps.accounts.models import User
from tests.accounts.factories import bearer
from tests.jobs.files import row, sales

UPLOAD = "/api/v1/datasets/upload"


def post_file(client: APIClient, user: User, content: bytes | None = None, **fields: Any) -> Any:
    headers = bearer(user)["headers"] | fields.pop("headers", {})
    file = SimpleUploadedFile(fields.pop("filename", "week 12.csv"), sales(row(1)) if content is None else content)
    return client.post(UPLOAD, {"file": file, **fields}, format="multipart", headers=headers)


def problem(response: Any, status: int, code: str) -> dict[str, Any]:
    """The problem document, which says this status and code, and the request's id."""
    assert response["Content-Type"] == "application/problem+json", response.content
    document: dict[str, Any] = response.json()
    assert (response.status_code, document["code"]) == (status, code), document
    assert document["request_id"] == response["X-Request-ID"]
    return document
