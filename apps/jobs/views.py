"""Jobs, retry and undo; health. Each view: shape in, one call, answer."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.authentication import user_of
from apps.accounts.fields import TextField
from apps.accounts.pagination import ListPagination
from apps.accounts.selectors import require_admin, require_department
from apps.accounts.services.limits import Limit, take
from apps.datasets.filters import MomentFilter, TotalOrderingFilter
from apps.datasets.selectors import dataset_for
from apps.datasets.views import DatasetView
from apps.insights.selectors import settings_for
from apps.insights.views.dashboards import SettingsOutput, SettingsView
from apps.jobs import clock
from apps.jobs.headers import request_id
from apps.jobs.models import Job, JobStatus, Stage
from apps.jobs.readiness import readiness
from apps.jobs.selectors import job_for, jobs_for
from apps.jobs.serializers import CHECK, JobOutput, SystemStatusOutput
from apps.jobs.services.again import change_settings, retry, undo
from apps.jobs.status import system_status

_RETRIES = Limit(rate="RATE_RETRY_USER", code="too-many-retries", message="You have retried many jobs in a short time.")


class DatasetDetailView(DatasetView):
    @extend_schema(operation_id="datasets_undo", responses={204: None})
    def delete(self, request: Request, dataset_id: UUID) -> Response:
        """Undo the upload and its corrections: their rows and insights go, what they superseded counts again. The raw
        files are kept a while.
        """
        dataset = dataset_for(user_of(request), dataset_id)
        undo(dataset=dataset, by=user_of(request), at=clock.now(), request_id=request_id(request))
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
            request_id=request_id(request),
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
