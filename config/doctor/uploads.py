"""Whether pages may send large files straight to the bucket: asked as a browser asks, which takes no right to look."""

from collections.abc import Iterator
from hashlib import sha256

from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session
from django.conf import settings

from apps.datasets.multipart import Multipart
from config.doctor.finding import Finding

_SECONDS = 5
_WITHOUT = "or set DIRECT_UPLOAD=false: every file then passes through the web server."


def uploads() -> Iterator[Finding]:
    if not settings.DIRECT_UPLOAD:
        yield Finding.ok("files pass through the web server")
        return
    part = Multipart("raw/.doctor/probe", store_id="none")
    digest = sha256(b"").hexdigest()
    address = part.address(1, size_bytes=1, sha256=digest)
    where, origins = settings.DIRECT_UPLOAD_ORIGIN, _origins()
    for origin in origins:
        asked = {
            "Origin": origin,
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": ", ".join(part.headers(digest)),
        }
        try:
            answer = URLLib3Session(timeout=_SECONDS).send(AWSRequest("OPTIONS", address, headers=asked).prepare())
        except BotoCoreError as error:  # whose text has the whole signed address
            told = f"This machine does not reach where browsers send large files ({where}): {type(error).__name__}."
            yield Finding.warn(told, f"Check DIRECT_UPLOAD_ENDPOINT and the network, {_WITHOUT}")
            return
        if answer.headers.get("Access-Control-Allow-Origin") not in {"*", origin}:
            told = f"The bucket refuses large files that pages of {origin} send to it ({where})."
            yield Finding.warn(told, f"Give it the CORS rule of docs/operations.md, {_WITHOUT}")
            return
    if origins:
        yield Finding.ok(f"pages of {', '.join(origins)} may send large files to {where}")
    else:
        yield Finding.ok("not asked: CSRF_TRUSTED_ORIGINS does not say where the pages are")


def _origins() -> list[str]:
    """Where the pages are, as far as settings tell. Without TLS it is somebody's own machine, at a port of theirs."""
    hosts = [f"https://{host}" for host in settings.ALLOWED_HOSTS] if settings.SECURE else []
    return [each for each in settings.CSRF_TRUSTED_ORIGINS or hosts if "*" not in each and "//." not in each]
