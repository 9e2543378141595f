"""The dashboard's page, for every address its own router knows. Its assets are whitenoise's."""

from typing import Any

from csp.decorators import csp
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from whitenoise.middleware import WhiteNoiseMiddleware

from config import headers

# Stands in index.html where the nonce of each answer is to be.
NONCE = "made-for-each-answer"


class StaticFiles(WhiteNoiseMiddleware):
    """Serves the dashboard's files, but not its page, which without a nonce has no style."""

    def add_file_to_dictionary(self, url: str, path: str, *args: Any, **kwargs: Any) -> None:
        if url != "/index.html":
            super().add_file_to_dictionary(url, path, *args, **kwargs)


@require_safe
@csp(headers.dashboard(store=settings.DIRECT_UPLOAD_ORIGIN if settings.DIRECT_UPLOAD else ""))
def dashboard(request: HttpRequest) -> HttpResponse:
    page = settings.DASHBOARD_DIST / "index.html"
    if not page.is_file():
        return HttpResponse(
            "The dashboard is not built. Run `make build`; the API is at /api/v1/docs.",
            status=503,
            content_type="text/plain",
        )
    text = page.read_text().replace(NONCE, str(request.csp_nonce))  # type: ignore[attr-defined]
    # The page names its assets by hash: it must be asked for anew after every deployment.
    return HttpResponse(text, headers={"Cache-Control": "no-cache"})
