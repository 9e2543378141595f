"""The matrix finds what it is there to find: with a door taken off on purpose it names the routes behind it, where
row-level security is off; where it is on, there is nothing to be found."""

import sys
from collections.abc import Callable
from typing import Any

import pytest

from aetherflow.registry import departments
from apps.accounts import selectors as of_accounts
from apps.accounts.models import Session, User
from apps.datasets import selectors as of_datasets
from apps.datasets.models import Dataset
from apps.insights import selectors as of_insights
from apps.insights.models import Insight
from apps.jobs import selectors as of_jobs
from apps.jobs.models import Job
from tests.isolation.actors import Who
from tests.isolation.conftest import Town
from tests.isolation.matrix import in_table, wrong_with
from tests.isolation.routes import API
from tests.isolation.test_side_paths import test_nobody_hears_that_another_department_has_the_same_file as twins

pytestmark = pytest.mark.xdist_group("isolation")


def everywhere(monkeypatch: pytest.MonkeyPatch, there: Callable[..., Any], instead: Callable[..., Any]) -> None:
    """Put another function in the place of this one, wherever it was imported to."""
    modules = [module for name, module in list(sys.modules.items()) if name.startswith("apps.")]
    for module in modules:
        for name, value in list(vars(module).items()):
            if value is there:
                monkeypatch.setattr(module, name, instead)


def forget_datasets(_: User) -> Any:
    return Dataset.objects.filter(deleted_at=None).select_related("uploaded_by")


def forget_jobs(_: User) -> Any:
    return Job.objects.select_related("dataset", "requested_by").prefetch_related("stages")


def forget_insights(_: User) -> Any:
    return Insight.objects.select_related("compared_with")


def forget_sessions(_: User, *, at: Any) -> Any:
    return Session.objects.filter(ended_at=None, expires_at__gt=at).order_by("-last_used_at", "pk")


def forget_the_rule(_: User) -> tuple[str, ...]:
    return tuple(departments())


# Selector, what stands in its place, and the routes that the matrix must name then.
_FORGOTTEN = [
    (
        of_datasets.datasets_for,
        forget_datasets,
        ["datasets", *(f"datasets/{{dataset_id}}{each}" for each in ("", "/rows", "/rows.csv", "/rejects", "/raw"))],
    ),
    (of_jobs.jobs_for, forget_jobs, ["jobs", "jobs/{job_id}", "jobs/{job_id}/retry"]),
    (
        of_insights.insights_for,
        forget_insights,
        [f"insights/{{insight_id}}{each}" for each in ("", "/items", "/facets", "/snoozes", "/reviews/bulk")],
    ),
    (of_accounts.sessions_for, forget_sessions, ["auth/sessions", "auth/sessions/{session_id}"]),
    (
        of_accounts.require_department,
        lambda *_: None,
        ["dashboards/{department}/settings", "schemas/{department}/template.csv", "datasets/upload"],
    ),
    (
        of_accounts.departments_of,
        forget_the_rule,
        ["datasets", "jobs", "insights/{insight_id}", "dashboards/{department}", "schemas/{department}/mappings"],
    ),
]


@pytest.mark.parametrize(
    ("selector", "forgetful", "named"), _FORGOTTEN, ids=lambda each: getattr(each, "__name__", "") or None
)
def test_a_selector_that_forgets_its_scope_is_found_by_every_route_behind_it(
    without_policies: None,
    town: Town,
    monkeypatch: pytest.MonkeyPatch,
    selector: Callable[..., Any],
    forgetful: Callable[..., Any],
    named: list[str],
) -> None:
    everywhere(monkeypatch, selector, forgetful)
    for path in named:
        assert wrong_with(town, in_table(API + path), asking=[Who.OTHER]), path


@pytest.mark.parametrize(
    ("selector", "forgetful", "named"), _FORGOTTEN, ids=lambda each: getattr(each, "__name__", "") or None
)
def test_what_a_selector_forgets_the_database_holds_back(
    town: Town,
    monkeypatch: pytest.MonkeyPatch,
    selector: Callable[..., Any],
    forgetful: Callable[..., Any],
    named: list[str],
) -> None:
    everywhere(monkeypatch, selector, forgetful)
    for path in named:
        found = wrong_with(town, in_table(API + path), asking=[Who.OTHER])
        assert not [each for each in found if "it tells" in each], path


def test_a_twin_that_is_looked_for_everywhere_is_found(
    without_policies: None, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def same_file(*, sha256: str, other_than: Any, **_: Any) -> Dataset | None:
        return Dataset.objects.filter(sha256=sha256).exclude(pk=other_than).first()

    everywhere(monkeypatch, of_datasets.same_file, same_file)
    with pytest.raises(AssertionError):
        twins(town)


def test_an_account_that_is_shut_and_let_in_nonetheless_is_found(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(User, "may_enter", True)
    assert wrong_with(town, in_table(f"{API}datasets"), asking=[Who.PENDING])
    # Its session has ended all the same.
    assert not wrong_with(town, in_table(f"{API}datasets"), asking=[Who.SHUT])
