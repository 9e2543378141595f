"""The addresses: the API under /api/v1, the operators' admin and metrics, the dashboard for everything else."""

from csp.decorators import csp
from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from config import headers
from config.dashboard import dashboard
from config.metrics import MetricsView
from config.problems import not_found
from config.security_txt import ADDRESS, security_txt

# Its script is asked for at an address of its own: the page's policy allows none in it.
docs = csp(headers.API_DOCS)(SpectacularSwaggerSplitView.as_view(url_name="schema", template_name="api/docs.html"))

api: list[URLPattern | URLResolver] = [
    path("auth/", include("apps.accounts.urls")),
    path("", include("apps.datasets.urls")),
    path("", include("apps.insights.urls")),
    path("", include("apps.jobs.urls")),
    path("schema", SpectacularAPIView.as_view(), name="schema"),
    path("docs", docs, name="docs"),
    re_path(r"^", not_found),
]

urlpatterns = [
    path("api/v1/", include(api)),
    re_path(r"^api(/|$)", not_found),
    path(settings.ADMIN_PATH, admin.site.urls),
    path(ADDRESS, security_txt, name="security-txt"),
    re_path(r"^metrics/?$", MetricsView.as_view(), name="metrics"),
    # The router of the page works in the browser: every other address is the page.
    re_path(r"^(?!static/|assets/).*$", dashboard),
]

handler400 = "config.problems.bad_request"
handler404 = "config.problems.not_found"
handler500 = "config.problems.server_error"
