"""What Django's own checks do not know: settings that start, and would hurt later. `manage.py check --deploy`."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register  # noqa: A004  (Django's name for it)

# RFC 7518 3.2: an HS256 key must be as long as the hash.
_SIGNING_KEY_BYTES = 32


@register(Tags.security, deploy=True)
def check_signing_key(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:  # noqa: ARG001
    if all(len(key.encode()) >= _SIGNING_KEY_BYTES for key in settings.JWT_KEYS):
        return []
    hint = (
        "Set JWT_SIGNING_KEY (or SECRET_KEY) to python3 -c 'import secrets; print(secrets.token_urlsafe(50))', and "
        "take out of JWT_ACCEPTED_KEYS what is shorter."
    )
    told = "A key whose signature is good for the API's tokens is shorter than 32 bytes."
    return [Warning(told, hint=hint, id="platform.W001")]


@register(Tags.security, deploy=True)
def check_key_of_its_own(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:  # noqa: ARG001
    if settings.JWT_KEYS[0] != settings.SECRET_KEY:
        return []
    hint = "Set JWT_SIGNING_KEY to another one: python3 -c 'import secrets; print(secrets.token_urlsafe(50))'."
    told = "SECRET_KEY signs the API's tokens too: who learns one key has both, and they can be changed only together."
    return [Warning(told, hint=hint, id="platform.W005")]


@register(Tags.security, deploy=True)
def check_registration(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:  # noqa: ARG001
    if settings.REGISTRATION_POLICY != "open":
        return []
    hint = "Set REGISTRATION_POLICY=approval or invite; `open` is for one machine."
    return [Warning("Anybody who reaches the site can join any department.", hint=hint, id="platform.W002")]


@register(Tags.compatibility, deploy=True)
def check_raw_storage(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:  # noqa: ARG001
    if settings.RAW_STORAGE == "s3":
        return []
    hint = "Set STORAGE=s3, unless web and workers share one machine."
    return [
        Warning(
            "Raw files lie on this machine's disk, where no other worker finds them.", hint=hint, id="platform.W003"
        )
    ]


@register(Tags.security, deploy=True)
def check_trusted_proxies(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[CheckMessage]:  # noqa: ARG001
    if not settings.SECURE or settings.REST_FRAMEWORK["NUM_PROXIES"]:
        return []
    hint = "Set TRUSTED_PROXIES to the number of your proxies (a load balancer: 1)."
    told = (
        "The site is behind a proxy that speaks TLS, and is not told of any: everybody seems to come from the proxy's "
        "address, so that one who guesses passwords keeps others from logging in."
    )
    return [Warning(told, hint=hint, id="platform.W004")]
