"""What a person is told about a file that differs from the one before, and that an ordinary file says nothing."""

from __future__ import annotations

import datetime as dt
import json
import math
from typing import Any

import numpy as np
import pytest

from aetherflow.department import Department
from aetherflow.etl import summaries
from aetherflow.etl.drift import LEAST_ROWS, Drift, compare, stability_index
from aetherflow.etl.profile import Profile, Profiler
from tests.aetherflow.etl.test_profile import table

FIRST = dt.date(2026, 3, 2)


def profiler(department: Department, **columns: list[Any]) -> Profiler:
    made = Profiler(department)
    made.add(table(department, **columns))
    return made


def drift(department: Department, before: dict[str, list[Any]], now: dict[str, list[Any]]) -> Drift:
    """Of two files, the first of which was stored meanwhile."""
    stored = json.loads(json.dumps(profiler(department, **before).result().as_dict()))
    earlier = Profile.from_dict(stored)
    assert earlier is not None
    return compare(profiler(department, **now), earlier)


def told(found: Drift) -> list[tuple[str | None, str, str]]:
    return [(flag.column, flag.code, flag.severity) for flag in found.flags]


def stable(found: Drift) -> dict[str, float]:
    return {each.column: each.index for each in found.stability}


def only_message(found: Drift) -> str:
    (flag,) = found.flags
    return flag.message


def ordinary(seed: int, rows: int = 500, day: dt.date = FIRST) -> dict[str, list[Any]]:
    """A week's file: keys of its own, three remarks, prices and pieces of one kind."""
    rng = np.random.default_rng(seed)
    return {
        "parcel": [f"P-{seed}-{at}" for at in range(rows)],
        "sent": [day + dt.timedelta(days=int(at)) for at in rng.integers(0, 7, rows)],
        "pieces": rng.integers(1, 6, rows).tolist(),
        "weight": [None if rng.random() < 0.02 else float(each) for each in rng.lognormal(1, 0.5, rows).round(3)],
        "value": rng.lognormal(3, 0.8, rows).round(2).tolist(),
        "remark": rng.choice(["fragile", "heavy", "cold"], rows, p=[0.5, 0.3, 0.2]).tolist(),
    }


def test_the_stability_index_is_the_formula() -> None:
    """With half a row more in each of the two bins: shares of 30 and 70 % now, of 50 and 50 % before."""
    found, _ = stability_index(np.array([29.5, 69.5]), np.array([49.5, 49.5]))
    assert found == pytest.approx((0.3 - 0.5) * math.log(0.3 / 0.5) + (0.7 - 0.5) * math.log(0.7 / 0.5))


@pytest.mark.parametrize(("bins", "chi_squared"), [(2, 10.83), (10, 27.88), (100, 148.23)])
def test_chance_is_the_99_9_percent_point_of_chi_squared(bins: int, chi_squared: float) -> None:
    """Of as many degrees of freedom as there are bins, less one, from the tables."""
    counts = np.full(bins, 10)
    assert stability_index(counts, counts) == (0.0, pytest.approx(chi_squared * 2 / counts.sum(), rel=0.035))


def test_a_bin_that_was_empty_makes_no_infinity() -> None:
    found, _ = stability_index(np.array([0, 100]), np.array([100, 0]))
    assert math.isfinite(found)
    assert found > 1


def test_ordinary_files_of_any_size_are_not_flagged(parcels: Department) -> None:
    for seed in range(1, 40):
        rows = (LEAST_ROWS, 100, 1_000)[seed % 3]
        found = drift(parcels, ordinary(seed, rows), ordinary(seed + 100, rows, FIRST + dt.timedelta(days=7)))
        assert told(found) == [], found.flags
        assert {"pieces", "value", "remark"} <= stable(found).keys()


def test_of_too_few_rows_nothing_is_said_but_why(parcels: Department) -> None:
    found = drift(parcels, ordinary(1), ordinary(2, rows=12))
    assert (found.flags, found.stability) == ([], [])
    assert found.reason == "12 rows now and 500 before: shares mean something from 30 rows on."


def test_an_emptied_column_is_told_with_both_shares(parcels: Department) -> None:
    now = ordinary(2)
    now["weight"] = [None if at % 4 == 0 else each for at, each in enumerate(now["weight"])]
    before = ordinary(1) | {"weight": [None if at % 100 == 0 else 1.5 + at % 7 for at in range(500)]}
    found = drift(parcels, before, now)
    flag = next(flag for flag in found.flags if flag.code == "null-share")
    assert flag.message == "weight: the share of empty cells rose from 1 % to 27 %."
    assert flag.severity == "warning"
    empty = drift(parcels, before, ordinary(2) | {"weight": [None] * 500})
    assert told(empty) == [("weight", "all-empty", "warning")]
    assert only_message(empty) == "weight: every cell is empty; 1 % were before."


def test_new_and_vanished_categories_are_named(parcels: Department) -> None:
    now = ordinary(2)
    now["remark"] = ["frgile" if each == "heavy" else each for each in now["remark"]]
    found = drift(parcels, ordinary(1), now)
    assert told(found) == [
        ("remark", "new-values", "warning"),
        ("remark", "gone-values", "notice"),
        ("remark", "distribution", "warning"),
    ]
    assert found.flags[0].message == "remark: values that were not there before, in 27 % of the rows: 'frgile'."
    assert found.flags[1].message == "remark: values that are no longer there: 'heavy'."


def test_one_new_value_in_a_long_file_is_a_notice(parcels: Department) -> None:
    now = ordinary(2)
    now["remark"][7] = "fragil"
    assert told(drift(parcels, ordinary(1), now)) == [("remark", "new-values", "notice")]


def test_a_column_of_names_that_turns_into_keys(parcels: Department, monkeypatch: pytest.MonkeyPatch) -> None:
    now = ordinary(2) | {"remark": [f"R-{at}" for at in range(500)]}
    assert told(drift(parcels, ordinary(1), now)) == [("remark", "many-more-values", "warning")]
    before = ordinary(1)
    monkeypatch.setattr(summaries, "FEW", 100)
    assert told(drift(parcels, before, now)) == [("remark", "many-more-values", "warning")]


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (100, "about 100 times what it was: perhaps cents."),
        (0.01, "about a hundredth of what it was: perhaps no longer cents."),
        (1_000, "about 1,000 times what it was: perhaps no longer in thousands."),
    ],
)
@pytest.mark.parametrize("few", [5_000, 50])
def test_another_unit_is_told_from_another_price(
    parcels: Department, factor: float, words: str, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summaries, "FEW", few)
    now = ordinary(2)
    now["value"] = [round(each * factor, 2) for each in now["value"]]
    found = drift(parcels, ordinary(1), now)
    assert told(found) == [("value", "another-scale", "warning")]
    assert only_message(found).endswith(words)


def test_higher_prices_are_another_spread_not_another_unit(parcels: Department) -> None:
    now = ordinary(2)
    now["value"] = [round(each * 2, 2) for each in now["value"]]
    found = drift(parcels, ordinary(1), now)
    assert told(found) == [("value", "distribution", "warning")]
    assert stable(found)["value"] > 0.25


def test_values_past_all_earlier_ones_are_told(parcels: Department) -> None:
    now = ordinary(2)
    now["value"][3], now["pieces"][4] = 1_000_000.0, -2
    assert told(drift(parcels, ordinary(1), now)) == [
        ("pieces", "below-zero", "notice"),
        ("value", "far-above", "notice"),
    ]


def test_a_column_that_has_one_value_left(parcels: Department) -> None:
    found = drift(parcels, ordinary(1), ordinary(2) | {"pieces": [1] * 500})
    assert told(found) == [("pieces", "one-value", "warning")]
    assert only_message(found) == "pieces: every row has 1; 5 values differed."


def test_a_column_that_had_one_value_is_no_longer_constant(parcels: Department) -> None:
    found = drift(parcels, ordinary(1) | {"pieces": [3] * 500}, ordinary(2))
    assert told(found) == [("pieces", "distribution", "warning")]


@pytest.mark.parametrize(
    ("first_day", "code", "words"),
    [
        (FIRST - dt.timedelta(days=30), "older-days", "2026-03-02 to 2026-03-08"),
        (FIRST + dt.timedelta(days=28), "missing-days", "the 21 days between 2026-03-08 and 2026-03-30"),
    ],
)
def test_days_that_do_not_follow(parcels: Department, first_day: dt.date, code: str, words: str) -> None:
    found = drift(parcels, ordinary(1), ordinary(2, day=first_day))
    assert told(found) == [("sent", code, "notice")]
    assert words in only_message(found)


def test_days_and_months_that_were_exchanged(parcels: Department) -> None:
    days = [dt.date(2026, 3, 1 + at % 12) for at in range(500)]
    exchanged = [dt.date(2026, day.day, day.month) for day in days]
    found = drift(parcels, ordinary(1) | {"sent": days}, ordinary(2) | {"sent": exchanged})
    assert told(found) == [("sent", "wider-days", "notice")]


def test_a_file_of_another_size_is_told_once(parcels: Department) -> None:
    found = drift(parcels, ordinary(1, rows=2_000), ordinary(2, rows=100))
    assert told(found) == [(None, "row-count", "notice")]
    assert only_message(found) == "100 rows, 20 times fewer than the 2,000 of the upload before."


def test_a_column_that_is_new_to_the_schema_is_passed_over(parcels: Department) -> None:
    earlier = profiler(parcels, **ordinary(1)).result()
    without = Profile(rows=earlier.rows, columns=[each for each in earlier.columns if each.name != "value"])
    assert "value" not in stable(compare(profiler(parcels, **ordinary(2)), without))
