"""The numbers a department chooses for its insights to be computed with."""

from collections.abc import Mapping
from datetime import datetime

import structlog
from django.db import transaction

from aetherflow.errors import InvalidError
from aetherflow.insight import Setting
from aetherflow.registry import department as find_department
from apps.accounts.choices import AuditAction
from apps.accounts.models import User
from apps.accounts.services.auditing import Target, record
from apps.insights.models import ChosenSetting
from apps.insights.selectors import chosen_settings

log = structlog.get_logger(__name__)


@transaction.atomic
def choose(*, department: str, values: Mapping[tuple[str, str], float | None], by: User, at: datetime) -> bool:
    """Set these, by kind and name; None is the default again, and what is not named stays. Under the department's lock.

    Whether anything is computed otherwise now. InvalidError, and nothing is set, for a setting that there is not or a
    number outside of its bounds.
    """
    declared = {
        (insight.kind, setting.name): setting
        for insight in find_department(department).insights
        for setting in insight.settings
    }
    for (kind, name), value in values.items():
        _require(declared.get((kind, name)), kind=kind, name=name, value=value)
    before = chosen_settings(department)
    for (kind, name), value in values.items():
        ChosenSetting.objects.update_or_create(
            department=department, kind=kind, name=name, defaults={"value": value, "set_by": by, "set_at": at}
        )
        log.info("setting_chosen", department=department, kind=kind, name=name, value=value)
    if chosen_settings(department) == before:
        return False
    details = {f"{kind} {name}": value for (kind, name), value in values.items()}
    chosen = Target(type="settings", id=department, name=find_department(department).label, department=department)
    record(AuditAction.SETTINGS_CHANGED, chosen, by=by, at=at, details=details)
    return True


def _require(setting: Setting | None, *, kind: str, name: str, value: float | None) -> None:
    if setting is None:
        raise InvalidError(
            f"There is no setting {name!r} of {kind!r}.",
            code="unknown-setting",
            hint="GET the settings: they are listed by `kind` and `name`.",
            details={"kind": kind, "name": name},
        )
    # Written so that what is no number is refused too.
    if value is not None and not setting.least <= value <= setting.most:
        raise InvalidError(
            f"{setting.label} goes from {setting.least:g} to {setting.most:g}, and {value:g} does not lie in between.",
            code="setting-out-of-bounds",
            hint=f"Choose a number in between, or null for the default of {setting.default:g}.",
            details={"kind": kind, "name": name},
        )
