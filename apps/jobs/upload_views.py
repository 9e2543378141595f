"""How files come: through the gateway, or straight into the store. Each view: shape in, one call, answer."""

from typing import Any
from uuid import UUID

from django.http import QueryDict
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from aetherflow.errors import InvalidError
from apps.accounts.authentication import user_of
from apps.accounts.fields import TextField
from apps.accounts.models import User
from apps.accounts.selectors import require_department
from apps.datasets import direct
from apps.datasets.direct import MOST_PARTS, Begun, upload_for
from apps.datasets.models import DirectUpload
from apps.datasets.multipart import ADDRESS_SECONDS
from apps.datasets.quotas import Allowance, allowance
from apps.datasets.selectors import correctable_for, same_file
from apps.jobs import clock
from apps.jobs.headers import idempotency_key, request_id
from apps.jobs.read_options import UploadFields, refuse_wrong_mapping
from apps.jobs.selectors import job_for
from apps.jobs.serializers import SubmissionOutput
from apps.jobs.services.direct import complete
from apps.jobs.services.submission import Submission, submit

_MOST_SIGNED = 100
_SHA256 = r"^[0-9a-f]{64}$"
_IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="The same key and content again is answered by the same job. At most 200 characters.",
)


class UploadInput(UploadFields):
    file = serializers.FileField(allow_empty_file=True, max_length=None)


class UploadView(APIView):
    limited = True
    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="datasets_upload",
        request={"multipart/form-data": UploadInput},
        parameters=[_IDEMPOTENCY_KEY],
        responses={202: SubmissionOutput},
    )
    def post(self, request: Request) -> Response:
        """Upload a file: it is stored, recorded and queued; `Location` is the job to watch."""
        with allowance(user=user_of(request), size_bytes=_content_length(request), at=clock.now()) as allowed:
            submission = self._submit(request, allowed)
        return _submitted(request, submission)

    def _submit(self, request: Request, allowed: Allowance) -> Submission:
        # Only here the file is read. Of a request without a body DRF makes a plain dict.
        upload = UploadInput(data=request.data or QueryDict())
        upload.is_valid(raise_exception=True)
        fields = upload.validated_data
        submission = submit(
            **_placed(fields, by=user_of(request), allowed=allowed),
            idempotency_key=idempotency_key(request),
            by=user_of(request),
            at=clock.now(),
            request_id=request_id(request),
        )
        if not submission.replayed:
            allowed.stored(submission.job.dataset.size_bytes)
        return submission


class DirectUploadInput(UploadFields):
    filename = TextField(max_length=1_000)
    size_bytes = serializers.IntegerField(min_value=0)
    sha256 = serializers.RegexField(
        _SHA256, required=False, default="", help_text="Of the whole file, in hexadecimal, where it is known by now."
    )


class DirectPartOutput(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    size_bytes = serializers.IntegerField()
    sha256 = serializers.CharField(help_text="In hexadecimal; empty where the store keeps none.")


class DirectUploadOutput(serializers.ModelSerializer):
    parts = serializers.IntegerField(source="part_count", help_text="How many, from 1 on; the last one is the rest.")
    arrived = serializers.SerializerMethodField(help_text="Those the store has; none once the upload has ended.")

    class Meta:
        model = DirectUpload
        fields = [
            "id",
            "state",
            "department",
            "filename",
            "size_bytes",
            "part_size",
            "parts",
            "arrived",
            "created_at",
            "expires_at",
            "dataset_id",
        ]
        read_only_fields = fields

    @extend_schema_field(DirectPartOutput(many=True))
    def get_arrived(self, upload: DirectUpload) -> Any:
        return DirectPartOutput(direct.arrived(upload), many=True).data


class DirectUploadsView(APIView):
    limited = True

    @extend_schema(
        operation_id="datasets_uploads_begin",
        request=DirectUploadInput,
        parameters=[_IDEMPOTENCY_KEY],
        responses={201: DirectUploadOutput},
    )
    def post(self, request: Request) -> Response:
        """Begin to send a large file straight to the store, in parts: the gateway sees none of it."""
        said = DirectUploadInput(data=request.data)
        said.is_valid(raise_exception=True)
        size = said.validated_data["size_bytes"]
        with allowance(user=user_of(request), size_bytes=size, at=clock.now()) as allowed:
            begun = self._begin(request, said.validated_data, allowed)
        headers = {"Location": f"/api/v1/datasets/uploads/{begun.upload.pk}"}
        if begun.replayed:
            headers["Idempotency-Replayed"] = "true"
        return Response(DirectUploadOutput(begun.upload).data, status=201, headers=headers)

    def _begin(self, request: Request, fields: dict[str, Any], allowed: Allowance) -> Begun:
        begun = direct.begin(
            **_placed(fields, by=user_of(request), allowed=allowed),
            idempotency_key=idempotency_key(request),
            set_aside=allowed.whose,
            by=user_of(request),
            at=clock.now(),
        )
        if not begun.replayed:
            allowed.stored(begun.upload.size_bytes)
        return begun


class DirectUploadView(APIView):
    @extend_schema(operation_id="datasets_uploads_get", responses=DirectUploadOutput)
    def get(self, request: Request, upload_id: UUID) -> Response:
        """How far a direct upload of one's own has come: what to send yet, after an interruption."""
        return Response(DirectUploadOutput(upload_for(user_of(request), upload_id)).data)

    @extend_schema(operation_id="datasets_uploads_abort", responses={204: None})
    def delete(self, request: Request, upload_id: UUID) -> Response:
        """Give it up: what has arrived is thrown away. 409 where it has ended."""
        upload = upload_for(user_of(request), upload_id)
        if not direct.abort(upload, at=clock.now()):
            upload.refresh_from_db()
            raise direct.ended(upload)
        return Response(status=204)


class NamedPartInput(serializers.Serializer[Any]):
    number = serializers.IntegerField(min_value=1, max_value=MOST_PARTS)
    sha256 = serializers.RegexField(_SHA256, help_text="Of the part's bytes, in hexadecimal.")


class PartsInput(serializers.Serializer[Any]):
    parts = serializers.ListField(child=NamedPartInput(), min_length=1, max_length=_MOST_SIGNED)


class SignedPartOutput(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    size_bytes = serializers.IntegerField()
    url = serializers.CharField(help_text=f"To PUT the part's bytes to, within {ADDRESS_SECONDS} seconds.")
    headers = serializers.DictField(child=serializers.CharField(), help_text="To send along: they are signed.")


class SignedPartsOutput(serializers.Serializer[Any]):
    parts = SignedPartOutput(many=True)


class DirectPartsView(APIView):
    @extend_schema(operation_id="datasets_uploads_parts", request=PartsInput, responses=SignedPartsOutput)
    def post(self, request: Request, upload_id: UUID) -> Response:
        """Addresses at the store for parts, each good for one part of this length and with these bytes."""
        upload = upload_for(user_of(request), upload_id)
        asked = PartsInput(data=request.data)
        asked.is_valid(raise_exception=True)
        signed = direct.sign(upload, parts=_by_number(asked), at=clock.now())
        return Response(SignedPartsOutput({"parts": signed}).data)


class CompleteInput(serializers.Serializer[Any]):
    sha256 = serializers.RegexField(_SHA256, help_text="Of the whole file; the worker that reads it compares.")
    parts = serializers.ListField(
        child=NamedPartInput(), min_length=1, max_length=MOST_PARTS, help_text="All of them, as they were sent."
    )


class DirectCompleteView(APIView):
    @extend_schema(operation_id="datasets_uploads_complete", request=CompleteInput, responses={202: SubmissionOutput})
    def post(self, request: Request, upload_id: UUID) -> Response:
        """All parts are sent: the store's file is compared with them, recorded and queued. Once, however often it is
        asked; 409 `parts-missing` names what has not arrived."""
        upload = upload_for(user_of(request), upload_id)
        asked = CompleteInput(data=request.data)
        asked.is_valid(raise_exception=True)
        submission = complete(
            upload,
            sha256=asked.validated_data["sha256"],
            parts=_by_number(asked),
            by=user_of(request),
            at=clock.now(),
            request_id=request_id(request),
        )
        return _submitted(request, submission)


def _by_number(asked: "PartsInput | CompleteInput") -> dict[int, str]:
    return {each["number"]: each["sha256"] for each in asked.validated_data["parts"]}


def _placed(fields: dict[str, Any], *, by: User, allowed: Allowance) -> dict[str, Any]:
    """The fields with the department they are for, that counts them from here on, and the upload they correct."""
    corrects = fields.pop("corrects")
    root = correctable_for(by, corrects) if corrects else None
    department = fields.pop("department") or (root.department if root else _own_department(by))
    require_department(by, department)
    allowed.of_department(department)
    refuse_wrong_mapping(fields["options"], department=department)
    return fields | {"department": department, "corrects": root}


def _submitted(request: Request, submission: Submission) -> Response:
    job = job_for(user_of(request), submission.job.pk)
    dataset = job.dataset
    twin = same_file(department=dataset.department, sha256=dataset.sha256, other_than=dataset.pk)
    answer = {"dataset": dataset, "job": job, "duplicate_of": twin.pk if twin else None}
    headers = {"Location": job.get_absolute_url()}
    if submission.replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(SubmissionOutput(answer).data, status=202, headers=headers)


def _own_department(user: User) -> str:
    if not user.department:
        raise InvalidError(
            "The department is missing.",
            code="department-missing",
            hint="You see all departments: say in `department` which one the file is for.",
        )
    return user.department


def _content_length(request: Request) -> int:
    """At most so large is the file; 0 where it is not said, and then Django reads none."""
    try:
        return max(0, int(request.META.get("CONTENT_LENGTH") or 0))
    except ValueError:
        return 0
