"""The settings: what Django's and our own checks say of them, and what is set that nobody reads."""

import os
import re
from collections.abc import Iterator
from difflib import get_close_matches

from django.conf import settings
from django.core.checks import ERROR, run_checks

from apps.jobs.sqs.pins import UnpinnedVersion, check_pins
from config.doctor.finding import Finding
from config.env import env

# In .env for others: boto3, the launcher and Django itself read these.
_OTHERS = re.compile(r"AWS_\w+|PORT|AETHERFLOW_HOME|DJANGO_SETTINGS_MODULE")


# Django's warnings of what one setting of ours decides.
_NO_TLS = {f"security.W{number:03}" for number in (4, 5, 8, 12, 16, 21)}
_OURS = {
    "security.W009": "Set SECRET_KEY to python3 -c 'import secrets; print(secrets.token_urlsafe(50))'.",
    "security.W018": "Set DEBUG=false.",
    "security.W020": "Set ALLOWED_HOSTS to the names under which the site is reached.",
}


def settings_said() -> Iterator[Finding]:
    said = [message for message in run_checks(include_deployment_checks=True) if not message.is_silenced()]
    if any(message.id in _NO_TLS for message in said):
        told = "The site takes plain HTTP: on their way passwords and sessions can be read."
        yield Finding.warn(told, "Set HTTPS=true behind a proxy that speaks TLS; one machine alone can do without.")
    for message in said:
        if message.id not in _NO_TLS:
            tell = Finding.fault if message.level >= ERROR else Finding.warn
            fix = _OURS.get(message.id or "") or message.hint or "See the settings in Django's documentation."
            yield tell(f"{message.msg} ({message.id})", fix)
    if not said:
        yield Finding.ok("nothing to object to")


def environment() -> Iterator[Finding]:
    """A misspelt variable stops nothing: its setting has its default, and nobody is told."""
    from_file = _names_in_file()
    strays = {name for name in from_file - env.asked if not _OTHERS.fullmatch(name)}
    for name in sorted(strays):
        yield Finding.warn(f"{name} in .env is no setting, and is not read.", _meant(name) or "Take it out of .env.")
    for name in sorted(set(os.environ) - from_file - env.asked):
        if (meant := _meant(name)) and not _OTHERS.fullmatch(name):
            strays.add(name)
            yield Finding.warn(f"{name} is set in the environment, and is not read.", meant)
    if not strays:
        yield Finding.ok(f"{len(env.asked & set(os.environ))} of {len(env.asked)} settings are set, none misspelt")


def packages() -> Iterator[Finding]:
    try:
        check_pins()
    except UnpinnedVersion as error:
        yield Finding.fault(str(error), "pip install --require-hashes -r requirements/prod.txt")
    else:
        yield Finding.ok("Celery and kombu are those the transport is proven with")


def _names_in_file() -> set[str]:
    file = settings.BASE_DIR / ".env"
    text = file.read_text() if file.is_file() else ""
    return set(re.findall(r"^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=", text, re.MULTILINE))


def _meant(name: str) -> str:
    close = get_close_matches(name, env.asked, n=1, cutoff=0.85)
    return f"Did you mean {close[0]}?" if close else ""
