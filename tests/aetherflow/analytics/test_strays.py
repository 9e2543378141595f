"""Which dates are far beyond the rest."""

import numpy as np
import pandas as pd
import pytest

from aetherflow.analytics.strays import strays
from aetherflow.registry import departments


def days(first, count, *others):
    usual = np.datetime64(first) + np.arange(count)
    return np.append(usual, np.array(others, dtype="datetime64[D]"))


def ends(got):
    return [(end.rows, end.first, end.last) for end in got.ends]


def test_a_lone_future_and_a_lone_past_date_are_left_out_and_told():
    got = strays(days("2026-01-05", 420, "2062-01-01", "2062-01-03", "1926-03-04"))
    assert ends(got) == [(1, "1926-03-04", "1926-03-04"), (2, "2062-01-01", "2062-01-03")]
    assert got.kept.sum() == 420
    assert got.told() == (
        " 1 row dated 1926-03-04 left out: far beyond the rest."
        " 2 rows dated 2062-01-01 to 2062-01-03 left out: far beyond the rest."
    )


def test_strays_of_several_years_go_together():
    got = strays(days("2026-01-05", 1_000, "2062-01-01", "2099-01-01"))
    assert ends(got) == [(2, "2062-01-01", "2099-01-01")]


def test_a_year_typed_one_too_high_is_seen_within_the_year():
    assert ends(strays(days("2026-01-05", 300, "2027-03-20"))) == [(1, "2027-03-20", "2027-03-20")]


@pytest.mark.parametrize(
    "stamps",
    [
        # the first day after a summer's closure
        days("2026-01-05", 200, "2026-09-30"),
        # a department that is seen every half year
        np.repeat(np.datetime64("2020-01-01") + 182 * np.arange(12), 30)[:-29],
        # years apart, and much on both sides
        np.append(days("2021-01-04", 84), days("2026-01-05", 35)),
        # too few rows to say what is usual
        days("2026-01-05", 18, "2062-01-01"),
        # two counts a year apart say nothing of what is usual
        np.append(np.repeat(np.datetime64("2025-01-05"), 999), np.datetime64("2026-01-05")),
        days("2026-01-05", 0),
    ],
)
def test_what_may_be_so_stays(stamps):
    got = strays(stamps)
    assert got.ends == ()
    assert got.kept.all()


@pytest.mark.parametrize(("slug", "column"), [("sales", "date"), ("supply_chain", "snapshot_date")])
@pytest.mark.parametrize("slip", ["2062-01-01", "1926-01-01"])
def test_mistyped_years_in_a_real_file_change_nothing_but_what_is_told(slug, column, slip):
    department = departments()[slug]
    insight = department.insights[0]
    given = pd.read_csv(department.samples.good)
    rows = pd.DataFrame({name: given.get(name) for name in insight.columns})
    slipped = rows.head(1).assign(**{column: slip})
    clean, got = (insight.compute(each, insight.given()) for each in (rows, pd.concat([rows, slipped])))
    assert got.summary == f"{clean.summary} 1 row dated {slip} left out: far beyond the rest."
    assert got.data == {**clean.data, "stray_dates": [{"rows": 1, "first": slip, "last": slip}]}
    assert got.items == clean.items
