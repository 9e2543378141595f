"""The help texts of the figures: every kind has its own, and none is of a figure that there is not."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest
from rest_framework.test import APIClient

from aetherflow.insight import Insight
from aetherflow.registry import departments
from apps.insights.help import documented, figures_in
from tests.accounts.factories import AdminFactory, UserFactory, bearer

DECLARED = [(slug, insight) for slug, department in departments().items() for insight in department.insights]


def test_a_figure_is_what_stands_in_backticks_in_a_first_cell() -> None:
    text = """
## Sales · `forecast`
| figure | meaning |
|---|---|
| `history` | per `week` |
| `lower` … `upper.most` | between \\| and \\| |
| evidence | of nothing |

| code | what speaks |
|---|---|
| `weekend` | is no figure |
## Measured
| `other` | is no figure |
"""
    assert figures_in(text) == {
        "forecast": {"history": "per `week`", "lower": "between | and |", "upper.most": "between | and |"}
    }


@pytest.mark.parametrize(("slug", "insight"), DECLARED, ids=[insight.kind for _, insight in DECLARED])
def test_every_kind_has_its_help_and_every_figure_is_there(slug: str, insight: Insight) -> None:
    figures = documented()[insight.kind]
    assert figures
    assert all(figures.values())
    rows = pd.read_csv(departments()[slug].samples.good)
    wanted = pd.DataFrame({name: rows.get(name) for name in insight.columns})
    there: set[str] = set()
    # Of a short past too: some figures say why there is nothing to say.
    for taken in (wanted, wanted.head(30)):
        result = insight.compute(taken, insight.given())
        shown = [result.data, list(result.items or ()), dict(result.parameters), {"quality": result.quality}]
        there |= {name for each in shown for name in names_in(each)}
    missing = {name for name in figures if not set(name.split(".")) <= there}
    assert not missing


def names_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    for each in value if isinstance(value, list) else ():
        yield from names_in(each)


def test_one_is_told_of_the_figures_of_ones_own_department(client: APIClient, db: None) -> None:
    mine = client.get("/api/v1/insights/help", **bearer(UserFactory(department="finance"))).json()["figures"]
    assert set(mine) == {insight.kind for insight in departments()["finance"].insights}
    every = client.get("/api/v1/insights/help", **bearer(AdminFactory())).json()["figures"]
    assert set(every) == {insight.kind for _, insight in DECLARED}
    assert every["stockout_risk"]["at_risk"]
