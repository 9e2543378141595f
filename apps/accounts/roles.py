"""Which permission is whose: the console's three roles, kept as groups.

A permission is called after what is done, `jobs.retry_job`, and the verb decides. So a new model is looked at by every
role without a word here, and a new verb is nobody's until it is put into one of these sets. An account has one role
(`User.console_role`); the group of that name says what it may.
"""

from typing import Any

from django.apps.registry import Apps
from django.apps.registry import apps as installed
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Group, Permission
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.accounts.choices import ConsoleRole
from apps.accounts.models import User
from apps.accounts.scope import gate

_OURS = frozenset({"accounts", "datasets", "insights", "jobs"})
_VERBS = {
    ConsoleRole.VIEWER: {"view"},
    ConsoleRole.OPERATOR: {"retry", "reprocess", "undo", "cancel", "stop", "redrive", "rescue", "share"},
    ConsoleRole.ADMIN: {"approve", "deactivate", "move", "grant", "end", "withdraw", "discard", "purge", "export"},
}
# Rows are written by services: Django's own add, change and delete are nobody's but where a form calls one.
_NAMED = {
    "auth.view_group": ConsoleRole.VIEWER,
    "accounts.add_user": ConsoleRole.ADMIN,
    "accounts.change_user": ConsoleRole.ADMIN,
    "accounts.add_invitation": ConsoleRole.ADMIN,
}


def group_of(role: ConsoleRole) -> str:
    return f"console {role.value}"


def least_role(permission: str) -> ConsoleRole | None:
    """The first role that has it, given as `app.codename`; None where no role does."""
    app, _, codename = permission.partition(".")
    if permission in _NAMED or app not in _OURS:
        return _NAMED.get(permission)
    verb = codename.partition("_")[0]
    return next((role for role, verbs in _VERBS.items() if verb in verbs), None)


def give_permissions(*, using: str, apps: Apps = installed, **_: Any) -> None:
    """Bring the groups to what is said here, after each `migrate`: what was added by hand or is gone is put right."""
    if "auth" not in apps.app_configs:
        return  # migrated back to where it has no tables
    for role, permissions in _wanted(using).items():
        group, _made = Group.objects.using(using).get_or_create(name=group_of(role))
        group.permissions.set(permissions)


def out_of_step() -> list[str]:
    """The groups that are not what is said here."""
    groups = Group.objects.prefetch_related("permissions")
    there = {group.name: {each.pk for each in group.permissions.all()} for group in groups}
    return [group_of(role) for role, wanted in _wanted("default").items() if there.get(group_of(role)) != wanted]


def _wanted(using: str) -> dict[ConsoleRole, set[int]]:
    known = Permission.objects.using(using).select_related("content_type")
    least = {each.pk: least_role(f"{each.content_type.app_label}.{each.codename}") for each in known}
    return {role: {pk for pk, first in least.items() if first and first.rank <= role.rank} for role in _VERBS}


class ConsoleBackend(ModelBackend):
    """Who may log in to the console, and what their role lets them do there."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **more: Any
    ) -> Any:
        with gate():
            return super().authenticate(request, username, password, **more)

    def get_user(self, user_id: Any) -> Any:
        with gate():
            return super().get_user(user_id)

    def user_can_authenticate(self, user: Any) -> bool:
        return isinstance(user, User) and user.may_enter

    def _get_group_permissions(self, user_obj: User) -> QuerySet[Permission]:
        # Not the groups that a table would list beside the account's role: the two would come apart.
        return Permission.objects.filter(group__name=group_of(ConsoleRole(user_obj.console_role)))
