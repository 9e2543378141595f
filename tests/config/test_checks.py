"""Settings that start and would hurt later are said by `manage.py check --deploy`."""

import os
import secrets
import subprocess
import sys
from typing import Any

import pytest
from django.core.checks import run_checks

from config.local import ROOT


def found() -> set[str | None]:
    return {
        message.id
        for message in run_checks(include_deployment_checks=True)
        if (message.id or "").startswith("platform")
    }


@pytest.fixture(autouse=True)
def good(settings: Any) -> None:
    settings.REGISTRATION_POLICY = "approval"
    settings.JWT_KEYS = ["a key of its own, longer than the hash is"]


def test_good_settings_are_not_warned_of(settings: Any) -> None:
    assert found() == set()
    settings.SECURE, settings.REST_FRAMEWORK = True, settings.REST_FRAMEWORK | {"NUM_PROXIES": 1}
    assert found() == set()


@pytest.mark.parametrize(
    ("name", "value", "warning"),
    [
        ("JWT_KEYS", ["short"], "platform.W001"),
        ("JWT_KEYS", ["k" * 50, "short"], "platform.W001"),
        ("REGISTRATION_POLICY", "open", "platform.W002"),
        ("RAW_STORAGE", "disk", "platform.W003"),
        ("SECURE", True, "platform.W004"),
    ],
)
def test_a_dangerous_setting_is(settings: Any, name: str, value: object, warning: str) -> None:
    setattr(settings, name, value)
    assert found() == {warning}


def test_one_key_for_two_ends_is(settings: Any) -> None:
    settings.JWT_KEYS = [settings.SECRET_KEY]
    assert found() == {"platform.W005"}


def test_settings_of_production_leave_nothing_to_object_to() -> None:
    production = {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "JWT_SIGNING_KEY": secrets.token_urlsafe(50),
        "ALLOWED_HOSTS": "data.example.org",
        "HTTPS": "true",
        "TRUSTED_PROXIES": "1",
        "REGISTRATION_POLICY": "approval",
    }
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | production, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
