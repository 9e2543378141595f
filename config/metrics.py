"""`GET /metrics`: the web process' own figures and the platform's, for Prometheus and for admins."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django_prometheus.middleware import PrometheusAfterMiddleware  # type: ignore[import-untyped]
from drf_spectacular.utils import extend_schema
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.accounts.authentication import CHALLENGE, SessionJWTAuthentication, Unauthenticated, bearer_token
from apps.accounts.choices import Role
from apps.accounts.errors import UnauthenticatedError
from apps.accounts.models import User
from apps.accounts.scope import enter_all_departments
from apps.jobs.metrics import PlatformCollector

# What `request.auth` is where the token was shown.
_SCRAPER = "metrics-token"


class RequestMetrics(PrometheusAfterMiddleware):
    """Made-up methods (`FOO1`, `FOO2` …) count as one: each would become a series that is kept for ever."""

    def label_metric(self, metric: Any, request: HttpRequest, response: Any = None, **labels: Any) -> Any:
        if "method" in labels:
            labels["method"] = self._method(request)
        return super().label_metric(metric, request, response, **labels)


class MetricsTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer $METRICS_TOKEN`. Asks no database, which may be what is down."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, str] | None:
        shown = bearer_token(request)
        if not settings.METRICS_TOKEN or not shown or not constant_time_compare(shown, settings.METRICS_TOKEN):
            return None
        enter_all_departments("metrics")
        return AnonymousUser(), _SCRAPER

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002  (DRF's signature)
        return CHALLENGE


class ReadsMetrics(BasePermission):
    """Every department's name and volume is in them: nobody's business but the operators'."""

    def has_permission(self, request: Request, view: Any) -> bool:  # noqa: ARG002  (DRF's signature)
        user = request.user
        if request.auth == _SCRAPER:
            return True
        if isinstance(user, User) and user.may_enter and user.role == Role.ADMIN:
            enter_all_departments("metrics")  # a log-in of the console has opened nothing here
            return True
        raise Unauthenticated(
            UnauthenticatedError(
                "The metrics are for the operators.",
                code="metrics-not-open",
                hint="Send METRICS_TOKEN as a bearer token, or log in as an admin.",
            )
        )


class MetricsView(APIView):
    authentication_classes = [MetricsTokenAuthentication, SessionJWTAuthentication, SessionAuthentication]
    permission_classes = [ReadsMetrics]

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        registry = CollectorRegistry()
        if settings.PROMETHEUS_MULTIPROC_DIR:
            MultiProcessCollector(registry, path=settings.PROMETHEUS_MULTIPROC_DIR)
        else:
            registry.register(REGISTRY)
        registry.register(PlatformCollector())
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return HttpResponse(encode(registry), content_type=content_type, headers={"Cache-Control": "no-store"})
