"""How the operators' console looks and what its menu leads to (django-unfold's settings)."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def _asset(name: str) -> Callable[[HttpRequest], str]:
    # Later, when it is asked for: the names with hashes are known only after `collectstatic`.
    return lambda request: static(f"console/{name}")  # noqa: ARG005


def _group(title: str, *items: dict[str, Any]) -> dict[str, Any]:
    return {"title": title, "items": list(items)}


def _item(title: str, icon: str, route: str, permission: str) -> dict[str, Any]:
    """Shown to who has the permission; `icon` is a name of Material Symbols."""
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{route}"),
        "permission": lambda request: request.user.has_perm(permission),
    }


def _list(title: str, icon: str, model: str) -> dict[str, Any]:
    """A model's list, such as `jobs.stagerun`."""
    app, name = model.split(".")
    return _item(title, icon, f"{app}_{name}_changelist", f"{app}.view_{name}")


def _own_links(request: HttpRequest) -> list[dict[str, Any]]:  # noqa: ARG001
    """The menu of one's name."""
    second_factor = {"title": "Second factor", "link": reverse_lazy("admin:second_factor")}
    password = {"title": "Change password", "link": reverse_lazy("admin:password_change")}
    return [password] if settings.CONSOLE_TOTP == "off" else [password, second_factor]


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "AetherFlow console",
    "SITE_HEADER": "AetherFlow",
    "SITE_SUBHEADER": "Operators' console",
    "SITE_ICON": _asset("mark.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _asset("mark.svg")}],
    "DASHBOARD_CALLBACK": "apps.jobs.admin.home.show_home",
    "STYLES": [_asset("console.css")],
    "ACCOUNT": {"navigation": _own_links},
    # Django's journal of what was done in its forms: the audit says more, and of everything.
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SIDEBAR": {
        "navigation": [
            _group(
                "Operations",
                _item("Home", "monitoring", "index", "jobs.view_job"),
                _list("Jobs", "list_alt", "jobs.job"),
                _list("Operations", "playlist_add_check", "jobs.operation"),
                _list("Stages", "conversion_path", "jobs.stagerun"),
                _list("Journal", "history", "jobs.stageevent"),
                _list("Workers", "dns", "jobs.workerheartbeat"),
                _item("Dead letters", "mark_email_unread", "jobs_letters", "jobs.view_deadletter"),
            ),
            _group(
                "Data",
                _list("Datasets", "dataset", "datasets.dataset"),
                _list("Rejected rows", "rule", "datasets.reject"),
                _list("Mappings of labels", "swap_horiz", "datasets.headermapping"),
            ),
            _group(
                "Insights",
                _list("Insights", "insights", "insights.insight"),
                _list("Reviews", "fact_check", "insights.review"),
                _list("Snoozes", "snooze", "insights.snooze"),
                _list("What was said", "forum", "insights.reviewevent"),
                _list("Settings", "tune", "insights.chosensetting"),
            ),
            _group(
                "People",
                _list("Users", "group", "accounts.user"),
                _list("Groups", "groups", "auth.group"),
                _list("Sessions", "devices", "accounts.session"),
                _list("Invitations", "mail", "accounts.invitation"),
                _list("Audit", "policy", "accounts.auditentry"),
            ),
        ],
    },
}
