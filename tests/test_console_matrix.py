"""Who gets where in the operators' console: every address by method and role, every action by role.

The tables are reviewed like code. An address or an action that has no row fails, and so does a row without one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from apps.accounts.confirming import ConfirmsSteps
from apps.accounts.models import AuditEntry, User
from tests.accounts.factories import AdminFactory, OperatorFactory, UserFactory
from tests.console_samples import SAMPLES

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static_files")]


class Who(IntEnum):
    ANONYMOUS = 0
    MEMBER = 1
    VIEWER = 2
    OPERATOR = 3
    ADMIN = 4
    SUPERUSER = 5


NOBODY = len(Who)

# What each of them gets, in the order of `Who`: `login` is led there, `ok` is let in or led on.
PAGES = """
index                              GET   login login ok    ok    ok    ok
index                              POST  login login ok    ok    ok    ok
login                              GET   ok    ok    ok    ok    ok    ok
login                              POST  ok    ok    ok    ok    ok    ok
logout                             GET   ok    ok    405   405   405   405
logout                             POST  ok    ok    ok    ok    ok    ok
password_change                    GET   login login ok    ok    ok    ok
password_change                    POST  login login ok    ok    ok    ok
password_change_done               GET   login login ok    ok    ok    ok
password_change_done               POST  login login 405   405   405   405
second_factor_code                 GET   login login ok    ok    ok    ok
second_factor_code                 POST  login login ok    ok    ok    ok
second_factor                      GET   login login ok    ok    ok    ok
second_factor                      POST  login login ok    ok    ok    ok
second_factor_enrol                GET   login login ok    ok    ok    ok
second_factor_enrol                POST  login login ok    ok    ok    ok
second_factor_codes                GET   login login ok    ok    ok    ok
second_factor_codes                POST  login login ok    ok    ok    ok
second_factor_remove               GET   login login ok    ok    ok    ok
second_factor_remove               POST  login login ok    ok    ok    ok
autocomplete                       GET   login login 403   403   403   403
autocomplete                       POST  login login 405   405   405   405
jsi18n                             GET   login login ok    ok    ok    ok
jsi18n                             POST  login login 405   405   405   405
view_on_site                       GET   login login 404   404   404   404
view_on_site                       POST  login login 404   404   404   404
app_list                           GET   login login ok    ok    ok    ok
app_list                           POST  login login ok    ok    ok    ok
(anything-else)                    GET   login login 404   404   404   404
(anything-else)                    POST  login login 404   404   404   404

datasets_dataset_rows              GET   login login ok    ok    ok    ok
datasets_dataset_rows              POST  login login ok    ok    ok    ok

jobs_job_save_view                 GET   login login 405   405   405   405
jobs_job_save_view                 POST  login login ok    ok    ok    ok
jobs_job_remove_view               GET   login login 405   405   405   405
jobs_job_remove_view               POST  login login ok    ok    ok    ok

jobs_letters                       GET   login login ok    ok    ok    ok
jobs_letters                       POST  login login 405   405   405   405
jobs_letters_queue                 GET   login login ok    ok    ok    ok
jobs_letters_queue                 POST  login login 405   405   405   405
jobs_letters_redrive               GET   login login 403   ok    ok    ok
jobs_letters_redrive               POST  login login 403   ok    ok    ok
jobs_letters_redrive_all           GET   login login 403   ok    ok    ok
jobs_letters_redrive_all           POST  login login 403   ok    ok    ok
jobs_letters_discard               GET   login login 403   403   ok    ok
jobs_letters_discard               POST  login login 403   403   ok    ok
jobs_letters_discard_settled       GET   login login 403   403   ok    ok
jobs_letters_discard_settled       POST  login login 403   403   ok    ok
jobs_letters_purge                 GET   login login 403   403   ok    ok
jobs_letters_purge                 POST  login login 403   403   ok    ok
jobs_job_retry                     GET   login login 403   ok    ok    ok
jobs_job_retry                     POST  login login 403   ok    ok    ok
jobs_job_reprocess_etl             GET   login login 403   ok    ok    ok
jobs_job_reprocess_etl             POST  login login 403   ok    ok    ok
jobs_job_reprocess_ml              GET   login login 403   ok    ok    ok
jobs_job_reprocess_ml              POST  login login 403   ok    ok    ok
jobs_job_cancel                    GET   login login 403   ok    ok    ok
jobs_job_cancel                    POST  login login 403   ok    ok    ok
jobs_job_undo                      GET   login login 403   ok    ok    ok
jobs_job_undo                      POST  login login 403   ok    ok    ok
jobs_job_rescue                    GET   login login 403   ok    ok    ok
jobs_job_rescue                    POST  login login 403   ok    ok    ok
jobs_operation_stop                GET   login login 403   ok    ok    ok
jobs_operation_stop                POST  login login 403   ok    ok    ok

accounts_auditentry_export         GET   login login 405   405   405   405
accounts_auditentry_export         POST  login login 403   403   ok    ok

accounts_user_add                  GET   login login 403   403   ok    ok
accounts_user_add                  POST  login login 403   403   ok    ok
accounts_user_change               POST  login login 403   403   ok    ok
accounts_user_approve              GET   login login 403   403   ok    ok
accounts_user_approve              POST  login login 403   403   ok    ok
accounts_user_move                 GET   login login 403   403   ok    ok
accounts_user_move                 POST  login login 403   403   ok    ok
accounts_user_role                 GET   login login 403   403   ok    ok
accounts_user_role                 POST  login login 403   403   ok    ok
accounts_user_console_role         GET   login login 403   403   ok    ok
accounts_user_console_role         POST  login login 403   403   ok    ok
accounts_user_password             GET   login login 403   403   ok    ok
accounts_user_password             POST  login login 403   403   ok    ok
accounts_user_second_factor        GET   login login 403   403   ok    ok
accounts_user_second_factor        POST  login login 403   403   ok    ok
accounts_user_end_sessions         GET   login login 403   403   ok    ok
accounts_user_end_sessions         POST  login login 403   403   ok    ok
accounts_user_deactivate           GET   login login 403   403   ok    ok
accounts_user_deactivate           POST  login login 403   403   ok    ok
accounts_user_reopen               GET   login login 403   403   ok    ok
accounts_user_reopen               POST  login login 403   403   ok    ok
accounts_session_end               GET   login login 403   403   ok    ok
accounts_session_end               POST  login login 403   403   ok    ok
accounts_invitation_add            GET   login login 403   403   ok    ok
accounts_invitation_add            POST  login login 403   403   ok    ok
accounts_invitation_withdraw       GET   login login 403   403   ok    ok
accounts_invitation_withdraw       POST  login login 403   403   ok    ok
"""

# Of each model below that has no row of its own above.
LOOKED_AT = """
changelist                         GET   login login ok    ok    ok    ok
changelist                         POST  login login ok    ok    ok    ok
add                                GET   login login 403   403   403   403
add                                POST  login login 403   403   403   403
change                             GET   login login ok    ok    ok    ok
change                             POST  login login 403   403   403   403
delete                             GET   login login 403   403   403   403
delete                             POST  login login 403   403   403   403
history                            GET   login login ok    ok    ok    ok
history                            POST  login login ok    ok    ok    ok
(object)                           GET   login login ok    ok    ok    ok
(object)                           POST  login login ok    ok    ok    ok
"""
MODELS = {
    "accounts.auditentry",
    "accounts.invitation",
    "accounts.session",
    "accounts.user",
    "auth.group",
    "datasets.dataset",
    "datasets.headermapping",
    "datasets.reject",
    "insights.chosensetting",
    "insights.insight",
    "insights.review",
    "insights.reviewevent",
    "insights.snooze",
    "jobs.idempotentrequest",
    "jobs.job",
    "jobs.operation",
    "jobs.stageevent",
    "jobs.stagerun",
    "jobs.workerheartbeat",
}

# Model and action → from whom on it is offered and done. To delete what is chosen is for nobody, whatever it is.
ACTIONS = {
    ("accounts.invitation", "withdraw"): Who.ADMIN,
    ("accounts.session", "end"): Who.ADMIN,
    ("accounts.user", "approve"): Who.ADMIN,
    ("accounts.user", "console-role"): Who.ADMIN,
    ("accounts.user", "deactivate"): Who.ADMIN,
    ("accounts.user", "end-sessions"): Who.ADMIN,
    ("accounts.user", "move"): Who.ADMIN,
    ("accounts.user", "reopen"): Who.ADMIN,
    ("jobs.job", "cancel"): Who.OPERATOR,
    ("jobs.job", "reprocess_etl"): Who.OPERATOR,
    ("jobs.job", "reprocess_ml"): Who.OPERATOR,
    ("jobs.job", "retry"): Who.OPERATOR,
    ("jobs.job", "undo"): Who.OPERATOR,
} | {(model, "delete_selected"): NOBODY for model in MODELS}


# --- What there is ---


@dataclass(frozen=True)
class Address:
    """One address of the console: the key of its rows, and the path with its parts in angle brackets."""

    key: str
    path: str


def addresses() -> list[Address]:
    found = []
    for pattern in get_resolver().url_patterns:
        if isinstance(pattern, URLResolver) and pattern.namespace == "admin":
            found += [Address(_key(each, path), path) for each, path in _leaves(pattern, f"/{pattern.pattern}")]
    return found


def _leaves(resolver: URLResolver, prefix: str) -> Iterator[tuple[URLPattern, str]]:
    for each in resolver.url_patterns:
        path = prefix + re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", str(each.pattern)).strip("^$")
        if isinstance(each, URLResolver):
            yield from _leaves(each, path)
        else:
            yield each, path


def _key(pattern: URLPattern, path: str) -> str:
    if pattern.name:
        return pattern.name
    if path == "/admin/<url>":
        return "(anything-else)"
    app, model, rest = path.removeprefix("/admin/").split("/", 2)
    return f"{app}_{model}_(object)" if rest == "<path:object_id>/" else path


def model_of(address: Address) -> str:
    """`jobs.job`; empty for a page of the whole console."""
    parts = address.path.removeprefix("/admin/").split("/")
    return next((label for label in registered() if parts[:2] == label.split(".")), "")


def registered() -> dict[str, admin.ModelAdmin]:
    return {model._meta.label_lower: each for model, each in admin.site._registry.items()}


def table(text: str, *, prefix: str = "") -> dict[tuple[str, str], list[str]]:
    rows = (line.split() for line in text.splitlines() if line)
    return {(prefix + key, method): found for key, method, *found in rows}


def expected() -> dict[tuple[str, str], list[str]]:
    rows: dict[tuple[str, str], list[str]] = {}
    for label in MODELS:
        rows |= table(LOOKED_AT, prefix=f"{label.replace('.', '_')}_")
    return rows | table(PAGES)


# --- A person of each kind, and their way to an address ---


def person(who: Who) -> User | None:
    if who == Who.ANONYMOUS:
        return None
    if who in {Who.MEMBER, Who.SUPERUSER}:
        user: User = UserFactory() if who == Who.MEMBER else AdminFactory()
        return user
    operator: User = OperatorFactory(console_role=who.name.lower())
    return operator


def filled(path: str, sample: Model | None) -> str:
    """The address with its parts: what they are called says what they are."""
    parts = {
        "object_id": sample.pk if sample else uuid4(),
        "pk": sample.pk if sample else "",
        "content_type_id": ContentType.objects.get_for_model(User).pk,
        "app_label": "jobs",
        "url": "nothing/",
        "view_id": 1,
        "queue": "etl",
    }
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda part: str(parts[part[1]]), path)


def browser(who: Who) -> Client:
    client, user = Client(), person(who)
    if user:
        client.force_login(user)
    return client


def visit(client: Client, method: str, path: str) -> str:
    answer = client.generic(method, path, content_type="application/x-www-form-urlencoded")
    if answer.status_code == 302 and urlsplit(answer["Location"]).path == reverse("admin:login"):
        return "login"
    return "ok" if answer.status_code < 400 else str(answer.status_code)


# --- The tables hold ---


def test_every_address_has_its_rows_and_every_row_an_address() -> None:
    there = {(each.key, method) for each in addresses() for method in ("GET", "POST")}
    assert not there - set(expected()), "say who gets there"
    assert not set(expected()) - there, "there is no such address any more"


def test_every_model_is_listed_and_has_a_sample() -> None:
    assert set(registered()) == MODELS == set(SAMPLES)


@pytest.mark.parametrize("model", ["", *sorted(MODELS)])
def test_who_gets_where(model: str) -> None:
    rows, sample = expected(), SAMPLES[model]() if model else None
    browsers, wrong = {who: browser(who) for who in Who}, []
    for address in addresses():
        if model_of(address) != model:
            continue
        path = filled(address.path, sample)
        for method in ("GET", "POST"):
            found = [visit(browsers[who], method, path) for who in Who]
            if address.key == "logout":
                browsers = {who: browser(who) for who in Who}
            if found != rows[address.key, method]:
                wrong.append(f"{address.key} {method} {' '.join(found)}")
    assert not wrong


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_no_other_method_opens_what_get_and_post_do_not(method: str) -> None:
    rows, wrong = expected(), []
    browsers = {who: browser(who) for who in (Who.ANONYMOUS, Who.MEMBER, Who.OPERATOR)}
    for address in addresses():
        for who, client in browsers.items():
            if all(rows[address.key, each][who] in {"login", "403"} for each in ("GET", "POST")):
                found = visit(client, method, filled(address.path, None))
                if found not in {"login", "403", "405"}:
                    wrong.append(f"{address.key} {method} {who.name}: {found}")
    assert not wrong


# --- Actions ---


def actions() -> set[tuple[str, str]]:
    found = set()
    for label, model_admin in registered().items():
        found |= {(label, name) for _, name, _ in model_admin._get_base_actions()}
        if isinstance(model_admin, ConfirmsSteps):
            found |= {(label, step.name) for step in model_admin.steps if step.in_list}
    return found


def test_every_action_has_its_row_and_every_row_an_action() -> None:
    assert actions() == set(ACTIONS)


@pytest.mark.parametrize("who", [Who.VIEWER, Who.OPERATOR, Who.ADMIN, Who.SUPERUSER])
def test_what_a_list_offers(who: Who) -> None:
    request = RequestFactory().get("/")
    request.user = person(who)  # type: ignore[assignment]
    offered = {(label, name) for label, each in registered().items() for name in each.get_actions(request)}
    assert offered == {action for action, first in ACTIONS.items() if who >= first}


@pytest.mark.parametrize(("model", "action"), sorted(ACTIONS))
def test_an_action_that_is_not_offered_is_not_done_either(model: str, action: str) -> None:
    sample = SAMPLES[model]()
    kept = type(sample)._default_manager.filter(pk=sample.pk).values()  # type: ignore[attr-defined]
    before, entries = kept.get(), AuditEntry.objects.count()
    address = reverse(f"admin:{model.replace('.', '_')}_changelist")
    for who in Who:
        if who >= ACTIONS[model, action]:
            continue
        chosen = {"action": action, "_selected_action": str(sample.pk), "post": "yes", "reason": "none"}
        answer = browser(who).post(address, chosen)
        assert answer.status_code in {200, 302}, who
        assert "question" not in (answer.context or {}), who
        assert kept.get() == before, who
    assert AuditEntry.objects.count() == entries
