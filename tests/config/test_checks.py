"""Settings that start and would hurt later are said by `manage.py check --deploy`."""

from typing import Any

import pytest
from django.core.checks import run_checks


def found() -> set[str | None]:
    return {
        message.id
        for message in run_checks(include_deployment_checks=True)
        if (message.id or "").startswith("platform")
    }


def test_good_settings_are_not_warned_of(settings: Any) -> None:
    settings.REGISTRATION_POLICY = "approval"
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
    settings.REGISTRATION_POLICY = "approval"
    setattr(settings, name, value)
    assert found() == {warning}
