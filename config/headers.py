"""What every answer tells the browser that it may do with it, and who else may see it."""

from typing import Any

from csp.constants import NONCE, NONE, SELF, UNSAFE_EVAL
from csp.middleware import CSPMiddleware, PolicyParts
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

Policy = dict[str, Any]

# The policy of whatever has chosen no other: data and downloads, in which nothing may ever run.
DATA: Policy = {
    "default-src": [NONE],
    "base-uri": [NONE],
    "form-action": [NONE],
    "frame-ancestors": [NONE],
    "sandbox": True,
}
_PAGE: Policy = {
    "default-src": [NONE],
    "base-uri": [NONE],
    "connect-src": [SELF],
    "font-src": [SELF],
    "form-action": [SELF],
    "frame-ancestors": [NONE],
    "img-src": [SELF, "data:"],
    "object-src": [NONE],
    "script-src": [SELF],
    "style-src": [SELF],
}
# Mantine and the lock of the page's scrolling make style elements; they know the page's nonce. What packs a workbook
# (fflate) does so in a worker, whose script it has as a text; so does what hashes a large file.
DASHBOARD: Policy = _PAGE | {"style-src": [SELF, NONCE], "worker-src": ["blob:"]}
# Alpine, of which django-unfold's pages are made, compiles what stands in their attributes (docs/security-headers.md).
CONSOLE: Policy = _PAGE | {"script-src": [SELF, UNSAFE_EVAL]}
API_DOCS: Policy = _PAGE

_EVERYWHERE = {
    # Django's SecurityMiddleware says some of these too, but not on what is refused before it.
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def dashboard(*, store: str) -> Policy:
    """`store`: the origin that large files are sent to; empty where none is."""
    return DASHBOARD | {"connect-src": [SELF, store]} if store else DASHBOARD


class HeadersMiddleware(CSPMiddleware):
    """Outermost, so that static files and what the others refuse have these headers too."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        answer = super().process_response(request, response)
        for name, value in _EVERYWHERE.items():
            answer.headers.setdefault(name, value)
        return answer

    def get_policy_parts(
        self,
        request: HttpRequest,
        response: HttpResponseBase,
        report_only: bool = False,  # noqa: FBT001, FBT002  (django-csp's signature)
    ) -> PolicyParts:
        parts = super().get_policy_parts(request, response, report_only)
        if parts.config is None and not report_only and _is_page_of_console(request, response):
            parts.config = CONSOLE
        return parts


def _is_page_of_console(request: HttpRequest, response: HttpResponseBase) -> bool:
    below = request.path_info.startswith(reverse("admin:index"))
    return below and response.headers.get("Content-Type", "").startswith("text/html")
