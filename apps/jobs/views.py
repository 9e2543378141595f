"""Uploads, jobs, retry and undo; health. Each view: shape in, one call, answer."""

from typing import Any, cast
from uuid import UUID

from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import generics, serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from aetherflow.errors import AnticipatedError, InvalidError
from aetherflow.seen import in_one_line, seen
from apps.accounts.authentication import user_of
from apps.accounts.fields import TextField
from apps.accounts.models import User
from apps.accounts.pagination import ListPagination
from apps.accounts.selectors import require_admin, require_department
from apps.accounts.services.limits import Limit, take
from apps.datasets.filters import MomentFilter, TotalOrderingFilter
from apps.datasets.models import OnError
from apps.datasets.quotas import Allowance, allowance
from apps.datasets.selectors import correctable_for, dataset_for, same_file
from apps.datasets.views import DatasetView
from apps.insights.selectors import settings_for
from apps.insights.views.dashboards import SettingsOutput, SettingsView
from apps.jobs import clock
from apps.jobs.models import Job, JobStatus, Stage
from apps.jobs.read_options import ReadOptionsInput, refuse_wrong_mapping
from apps.jobs.readiness import readiness
from apps.jobs.selectors import job_for, jobs_for
from apps.jobs.serializers import CHECK, JobOutput, SubmissionOutput, SystemStatusOutput
from apps.jobs.services.again import change_settings, retry, undo
from apps.jobs.services.submission import Submission, submit
from apps.jobs.status import system_status

_IDEMPOTENCY_KEY_LENGTH = 200
_RETRIES = Limit(rate="RATE_RETRY_USER", code="too-many-retries", message="You have retried many jobs in a short time.")
_ID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


@extend_schema_field({"type": "string", "pattern": f"^({_ID})?$"})
class IdField(serializers.UUIDField):
    """Of a form, where an empty field says nothing."""


class UploadInput(ReadOptionsInput):
    file = serializers.FileField(allow_empty_file=True, max_length=None)
    name = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    description = serializers.CharField(max_length=4000, required=False, allow_blank=True, default="")
    department = serializers.CharField(required=False, allow_blank=True, default="")
    on_error = serializers.ChoiceField(choices=OnError.choices, required=False, default=OnError.QUARANTINE)
    max_reject_share = serializers.FloatField(min_value=0, max_value=1, required=False, default=None)
    corrects = IdField(
        required=False,
        default=None,
        help_text="The dataset that the file completes with rows it rejected, mended: such as its list of rejects.",
    )

    def validate_name(self, name: str) -> str:
        """What cannot be seen goes: one dataset must not pass for another, nor turn the page it is named on."""
        return in_one_line(name).strip()

    def validate_description(self, description: str) -> str:
        return seen(description).strip()

    def to_internal_value(self, data: QueryDict) -> dict[str, Any]:
        """Refuses what would be dropped silently: a misspelt option, and all but the last of two files."""
        wrong: dict[str, Any] = {}
        for name, values in data.lists():
            if name not in self.fields:
                known = ", ".join(self.fields)
                wrong[name] = [ErrorDetail(f"An upload has no such field; it has {known}.", code="unknown-field")]
            elif len(values) > 1:
                wrong[name] = [ErrorDetail(f"It is there {len(values)} times; send it once.", code="repeated-field")]
        try:
            fields: dict[str, Any] = super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError(cast("dict[str, Any]", error.detail) | wrong) from None
        if wrong:
            raise serializers.ValidationError(wrong)
        return fields


class UploadView(APIView):
    limited = True
    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="datasets_upload",
        request={"multipart/form-data": UploadInput},
        parameters=[
            OpenApiParameter(
                "Idempotency-Key",
                str,
                OpenApiParameter.HEADER,
                description="The same key and content again is answered by the same job. At most 200 characters.",
            )
        ],
        responses={202: SubmissionOutput},
    )
    def post(self, request: Request) -> Response:
        """Upload a file: it is stored, recorded and queued; `Location` is the job to watch."""
        with allowance(user=user_of(request), size_bytes=_content_length(request), at=clock.now()) as allowed:
            submission = self._submit(request, allowed)
        job = job_for(user_of(request), submission.job.pk)
        dataset = job.dataset
        department = dataset.department
        twin = same_file(department=department, sha256=dataset.sha256, other_than=dataset.pk)
        answer = {"dataset": dataset, "job": job, "duplicate_of": twin.pk if twin else None}
        headers = {"Location": job.get_absolute_url()}
        if submission.replayed:
            headers["Idempotency-Replayed"] = "true"
        return Response(SubmissionOutput(answer).data, status=202, headers=headers)

    def _submit(self, request: Request, allowed: Allowance) -> Submission:
        # Only here the file is read. Of a request without a body DRF makes a plain dict.
        upload = UploadInput(data=request.data or QueryDict())
        upload.is_valid(raise_exception=True)
        fields = upload.validated_data
        corrects = fields.pop("corrects")
        root = correctable_for(user_of(request), corrects) if corrects else None
        department = fields.pop("department") or (root.department if root else _own_department(user_of(request)))
        require_department(user_of(request), department)
        allowed.of_department(department)
        refuse_wrong_mapping(fields["options"], department=department)
        submission = submit(
            **fields,
            department=department,
            corrects=root,
            idempotency_key=_idempotency_key(request),
            by=user_of(request),
            at=clock.now(),
            request_id=_request_id(request),
        )
        if not submission.replayed:
            allowed.stored(submission.job.dataset.size_bytes)
        return submission


class DatasetDetailView(DatasetView):
    @extend_schema(operation_id="datasets_undo", responses={204: None})
    def delete(self, request: Request, dataset_id: UUID) -> Response:
        """Undo the upload and its corrections: their rows and insights go, what they superseded counts again. The raw
        files are kept a while.
        """
        dataset = dataset_for(user_of(request), dataset_id)
        undo(dataset=dataset, by=user_of(request), at=clock.now(), request_id=_request_id(request))
        return Response(status=204)


class SettingInput(serializers.Serializer[Any]):
    kind = TextField(max_length=60)
    name = TextField(max_length=60)
    value = serializers.FloatField(allow_null=True, help_text="null: the default again.")


class SettingsInput(serializers.Serializer[Any]):
    settings = SettingInput(many=True)


class SettingsChangedOutput(SettingsOutput):
    job = JobOutput(allow_null=True, help_text="It computes the insights anew; null where none is needed or possible.")


class DashboardSettingsView(SettingsView):
    @extend_schema(operation_id="dashboards_settings_put", request=SettingsInput, responses=SettingsChangedOutput)
    def put(self, request: Request, department: str) -> Response:
        """Set the numbers that are named, the others stay; the insights are computed anew with them."""
        user = user_of(request)
        require_department(user, department)
        asked = SettingsInput(data=request.data)
        asked.is_valid(raise_exception=True)
        job = change_settings(
            department=department,
            values={(each["kind"], each["name"]): each["value"] for each in asked.validated_data["settings"]},
            by=user,
            at=clock.now(),
            request_id=_request_id(request),
        )
        answer = {
            "department": department,
            "settings": settings_for(user, department),
            "job": job_for(user, job.pk) if job else None,
        }
        return Response(SettingsChangedOutput(answer).data)


class JobFilter(filters.FilterSet):
    # DISTINCT, the default, would sort all that are found, of which none is found twice.
    status = filters.MultipleChoiceFilter(choices=JobStatus.choices, distinct=False)
    stage = filters.ChoiceFilter(choices=Stage.choices)
    dataset = filters.UUIDFilter(field_name="dataset_id")
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    ordering = TotalOrderingFilter(
        fields={"created_at": "created_at", "finished_at": "finished_at", "status": "status"}
    )

    class Meta:
        model = Job
        fields = ["department"]


@extend_schema_view(get=extend_schema(operation_id="jobs_list"))
class JobListView(generics.ListAPIView):
    """The department's jobs, newest first."""

    serializer_class = JobOutput
    pagination_class = ListPagination
    filterset_class = JobFilter
    queryset = Job.objects.none()

    def get_queryset(self) -> Any:
        return jobs_for(user_of(self.request))


class JobView(APIView):
    @extend_schema(operation_id="jobs_get", responses=JobOutput)
    def get(self, request: Request, job_id: UUID) -> Response:
        """One job with its stages, attempts, counts and, where it failed, the reason and what to do."""
        return Response(JobOutput(job_for(user_of(request), job_id)).data)


class JobRetryView(APIView):
    limited = True

    @extend_schema(operation_id="jobs_retry", request=None, responses={202: JobOutput})
    def post(self, request: Request, job_id: UUID) -> Response:
        """Run a failed job again, from the stage that failed. 409 where it has not failed."""
        at = clock.now()
        take(_RETRIES, str(user_of(request).pk), at=at)
        job = retry(job=job_for(user_of(request), job_id), by=user_of(request), at=at)
        return Response(JobOutput(job_for(user_of(request), job.pk)).data, status=202)


HEALTH = ["ok", "unavailable"]


class HealthOutput(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=HEALTH)


class CheckOutput(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=CHECK)
    detail = serializers.CharField()


class ReadinessOutput(HealthOutput):
    checks = serializers.DictField(child=CheckOutput())


class HealthView(APIView):
    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(operation_id="health", responses=HealthOutput, auth=[])
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """The process is alive."""
        return Response({"status": "ok"})


class ReadinessView(APIView):
    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(operation_id="health_ready", responses={200: ReadinessOutput, 503: ReadinessOutput}, auth=[])
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """What the platform needs, each by name: database, store, queues, workers."""
        checks = readiness()
        ok = all(check["status"] == "ok" for check in checks.values())
        return Response({"status": "ok" if ok else "unavailable", "checks": checks}, status=200 if ok else 503)


class SystemStatusView(APIView):
    @extend_schema(operation_id="system_status", responses=SystemStatusOutput)
    def get(self, request: Request) -> Response:
        """The platform at one look: services, queues, outbox, workers, failures. For admins. A source that is away or
        hangs says so in `problem` and takes no other with it."""
        require_admin(user_of(request), what="The status of the system")
        # Not the database's clock: it may be what does not answer.
        status = system_status(at=timezone.now())
        return Response(SystemStatusOutput(status).data)


def _own_department(user: User) -> str:
    if not user.department:
        raise InvalidError(
            "The department is missing.",
            code="department-missing",
            hint="You see all departments: say in `department` which one the file is for.",
        )
    return user.department


def _idempotency_key(request: Request) -> str:
    """Never cut: two keys that are equal up to the cut would be answered by one job."""
    key = str(request.headers.get("Idempotency-Key", ""))
    if len(key) > _IDEMPOTENCY_KEY_LENGTH:
        raise AnticipatedError(
            f"The Idempotency-Key has {len(key)} characters, {_IDEMPOTENCY_KEY_LENGTH} are allowed.",
            code="invalid-idempotency-key",
            hint="Use a short one, e.g. a UUID.",
        )
    return key


def _content_length(request: Request) -> int:
    """At most so large is the file; 0 where it is not said, and then Django reads none."""
    try:
        return max(0, int(request.META.get("CONTENT_LENGTH") or 0))
    except ValueError:
        return 0


def _request_id(request: HttpRequest | Request) -> str:
    return str(request.META["HTTP_X_REQUEST_ID"])
