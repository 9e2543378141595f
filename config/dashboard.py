"""The dashboard's page, for every address its own router knows. Its assets are whitenoise's."""

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe


@require_safe
def dashboard(request: HttpRequest) -> HttpResponseBase:  # noqa: ARG001  (Django's signature)
    page = settings.DASHBOARD_DIST / "index.html"
    if not page.is_file():
        return HttpResponse(
            "The dashboard is not built. Run `make build`; the API is at /api/v1/docs.",
            status=503,
            content_type="text/plain",
        )
    # The page names its assets by hash: it must be asked for anew after every deployment.
    return FileResponse(page.open("rb"), content_type="text/html; charset=utf-8", headers={"Cache-Control": "no-cache"})
