"""Rows that the database adds up for an insight come to what the rows themselves do."""

from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from aetherflow.insight import Factor, Rollup
from aetherflow.registry import departments
from apps.datasets.clean import clean_table
from apps.datasets.current import current_rows, rolled_up_rows
from apps.jobs.models import Job
from tests.accounts.factories import UserFactory
from tests.jobs.files import HEADER

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "loader"])

ROLLED_UP = [
    (slug, insight) for slug, department in departments().items() for insight in department.insights if insight.rollup
]
WAITS = Rollup(
    day="snapshot_date",
    by=("warehouse_id",),
    above_zero="current_stock",
    sums={"unit_days": (Factor(column="current_stock"), Factor(column="lead_time_days"))},
)


def a_second_file() -> bytes:
    """Keys of the sample with other figures, and of its own: refunds, no discount, a price with all its decimals."""
    rows = [
        "T-10001,2026-01-19,WEB,Online,Sports,SPO-006,7,61.25,12.5,business,cash",
        "T-1,2026-02-01,WEB,,Sports,SPO-006,-3,67.28,,business,cash",
        "T-2,2026-02-08,WEB,,Sports,SPO-006,3,0.01,33.33,business,cash",
        "T-3,2026-02-08,WEB,,Sports,SPO-006,1,67.28,99.99,business,cash",
    ]
    return (HEADER + "".join(f"{row}\n" for row in rows)).encode()


@pytest.mark.parametrize(("slug", "insight"), ROLLED_UP, ids=[f"{slug}-{each.kind}" for slug, each in ROLLED_UP])
def test_the_answer_is_the_same(slug: str, insight: Any, upload: Callable[..., Job], work: Callable[[], None]) -> None:
    upload(by=UserFactory(department=slug))
    if slug == "sales":
        upload(a_second_file())
    work()
    plain = current_rows(slug, columns=insight.columns)
    added = rolled_up_rows(slug, insight.rollup)
    assert added["rows"].sum() == len(plain)
    assert insight.compute(added, insight.given()) == insight.compute(plain, insight.given())


def test_sums_are_those_of_the_rows_to_the_last_digit(upload: Callable[..., Job], work: Callable[[], None]) -> None:
    upload(a_second_file())
    work()
    (insight,) = departments()["sales"].insights
    assert insight.rollup is not None
    expected: dict[tuple[Any, ...], list[Any]] = defaultdict(lambda: [0, Decimal(0), []])
    for row in clean_table("sales")._default_manager.values():
        monday = row["date"] - timedelta(days=row["date"].weekday())
        kept = 1 - (row["discount_pct"] or 0) / Decimal(100)
        found = expected[row["sku"], monday, row["quantity"] > 0]
        found[0] += 1
        found[1] += row["quantity"] * row["unit_price"] * kept
        found[2].append(row["date"])
    got = rolled_up_rows("sales", insight.rollup)
    assert {
        (row.sku, row.first - timedelta(days=row.first.weekday()), row.units > 0): [
            row.rows,
            row.paid,
            row.first,
            row.last,
        ]
        for row in got.itertuples()
    } == {key: [rows, float(paid), min(days), max(days)] for key, (rows, paid, days) in expected.items()}


def test_rows_that_lack_a_factor_come_by_themselves(upload: Callable[..., Job], work: Callable[[], None]) -> None:
    upload(by=UserFactory(department="supply_chain"))
    work()
    rows = current_rows("supply_chain", columns=("warehouse_id", "current_stock", "lead_time_days"))
    unknown = rows["lead_time_days"].isna()
    assert unknown.any()
    got = rolled_up_rows("supply_chain", WAITS)
    lacking = got["unit_days"].isna()
    assert got[lacking]["rows"].sum() == unknown.sum()
    assert got[lacking][["first", "last"]].isna().all(axis=None)
    expected = (rows["current_stock"] * rows["lead_time_days"])[~unknown].groupby(rows["warehouse_id"]).sum()
    assert got[~lacking].groupby("warehouse_id")["unit_days"].sum().to_dict() == expected.to_dict()
