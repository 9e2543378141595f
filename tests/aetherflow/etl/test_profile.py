"""A profile worked by hand, against pandas on any rows, and within its stated errors where it estimates."""

from __future__ import annotations

import datetime as dt
import json
import math
import pickle
from collections import Counter
from dataclasses import replace
from itertools import pairwise, permutations
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aetherflow.columns import ARROW_TYPES
from aetherflow.department import Department
from aetherflow.etl import summaries
from aetherflow.etl.profile import ColumnProfile, Profile, Profiler
from aetherflow.etl.sketches import DistinctSketch, FrequentTexts, NumberBins
from aetherflow.etl.summaries import PERCENTS, TOP

DAY = dt.date(2026, 3, 2)


def table(department: Department, **columns: list[Any]) -> pa.Table:
    """Rows of the department; a column that is not given is empty."""
    rows = len(next(iter(columns.values())))
    return pa.table(
        {
            column.name: pa.array(columns.get(column.name, [None] * rows), ARROW_TYPES[column.kind])
            for column in department.columns
        }
    )


def profiled(department: Department, *batches: pa.Table) -> dict[str, ColumnProfile]:
    profiler = Profiler(department)
    for batch in batches:
        profiler.add(batch)
    return {column.name: column for column in profiler.result().columns}


def together(department: Department, *pieces: list[pa.Table]) -> dict[str, ColumnProfile]:
    """Every piece of a file profiled by itself, batch by batch, and what they found put together."""
    whole = Profiler(department)
    for batches in pieces:
        profiler = Profiler(department)
        for batch in batches:
            profiler.add(batch)
        whole.add_state(json.loads(json.dumps(profiler.state(), allow_nan=False)))
    return {column.name: column for column in whole.result().columns}


def test_a_few_rows_worked_by_hand(parcels: Department) -> None:
    found = profiled(
        parcels,
        table(
            parcels,
            parcel=["P-1", "P-2", "P-3", "P-4", "P-5"],
            sent=[DAY, DAY + dt.timedelta(days=2), DAY, DAY, DAY + dt.timedelta(days=1)],
            pieces=[3, 1, 3, 2, 3],
            weight=[0.5, None, 1.5, 2.5, None],
            remark=["Größe", None, "ok", "ok", None],
        ),
    )
    pieces = found["pieces"]
    assert (pieces.rows, pieces.nulls, pieces.distinct, pieces.min, pieces.max) == (5, 0, 3, 1, 3)
    assert (pieces.mean, pieces.std) == (pytest.approx(2.4), pytest.approx(math.sqrt(0.8)))
    # In order 1 2 3 3 3: a quarter of five values is more than one of them.
    assert pieces.quantiles == {"p01": 1, "p05": 1, "p25": 2, "p50": 3, "p75": 3, "p95": 3, "p99": 3}
    assert pieces.top == [{"value": 3, "rows": 3}, {"value": 1, "rows": 1}, {"value": 2, "rows": 1}]
    assert pieces.histogram == [
        {"low": 1, "high": 1, "rows": 1},
        {"low": 1, "high": 2, "rows": 1},
        {"low": 2, "high": 3, "rows": 3},
    ]
    weight = found["weight"]
    assert (weight.nulls, weight.distinct, weight.mean, weight.quantiles["p50"]) == (2, 3, 1.5, 1.5)
    sent = found["sent"]
    assert (sent.min, sent.max, sent.quantiles["p75"], sent.mean) == ("2026-03-02", "2026-03-04", "2026-03-03", None)
    remark = found["remark"]
    assert (remark.min, remark.max, remark.shortest, remark.longest) == ("Größe", "ok", 2, 5)
    assert remark.top == [{"value": "ok", "rows": 2}, {"value": "Größe", "rows": 1}]
    assert remark.categories is None, "two values in three rows are no categories"
    assert not any(column.distinct_is_estimate or column.top_short_by for column in found.values())


def test_a_column_of_nothing_and_a_file_of_one_row_or_none(parcels: Department) -> None:
    empty = profiled(parcels, table(parcels, parcel=["P-1"]))
    assert (empty["pieces"].rows, empty["pieces"].nulls, empty["pieces"].distinct, empty["pieces"].min) == (
        1,
        1,
        0,
        None,
    )
    one = profiled(parcels, table(parcels, pieces=[7]))["pieces"]
    assert (one.min, one.max, one.mean, one.std, set(one.quantiles.values())) == (7, 7, 7.0, None, {7})
    none = profiled(parcels)["pieces"]
    assert (none.rows, none.nulls, none.quantiles, none.top) == (0, 0, None, [])


def test_the_largest_numbers_there_can_be_keep_their_digits(parcels: Department) -> None:
    most = 9_999_999_999_999.99
    found = profiled(parcels, table(parcels, value=[most, -most, most - 0.01, 0.0, -0.0], pieces=[2**53, 1, 1, 1, 1]))
    assert (found["value"].min, found["value"].max, found["value"].distinct) == (-most, most, 4)
    assert found["pieces"].max == 2**53
    assert found["value"].std == pytest.approx(pd.Series([most, -most, most - 0.01, 0.0, 0.0]).std())


def test_a_spread_is_right_far_from_zero(parcels: Department) -> None:
    values = [9_999_999_999_990.00 + at % 3 for at in range(9_000)]
    halves = [table(parcels, value=values[at : at + 4_500]) for at in (0, 4_500)]
    assert profiled(parcels, *halves)["value"].std == pytest.approx(pd.Series(values).std(), rel=1e-6)


def test_long_texts_are_shown_short(parcels: Department) -> None:
    remark = profiled(parcels, table(parcels, remark=["x" * 200, "y"]))["remark"]
    assert (len(str(remark.min)), str(remark.min)[-1], remark.longest, remark.categories) == (100, "…", 200, None)


NUMBERS = st.one_of(st.none(), st.integers(-(10**6), 10**6).map(lambda cents: cents / 100))
ROWS = st.lists(
    st.tuples(
        st.text("abcé ", min_size=1, max_size=3),
        st.dates(dt.date(1900, 1, 1), dt.date(2100, 12, 31)),
        st.integers(-(2**53), 2**53) | st.integers(1, 5),
        NUMBERS,
    ),
    min_size=1,
    max_size=60,
)


def as_table(department: Department, rows: list[tuple[Any, ...]]) -> pa.Table:
    texts, days, pieces, values = zip(*rows, strict=True)
    return table(department, parcel=list(texts), sent=list(days), pieces=list(pieces), value=list(values))


def rounding(column: ColumnProfile) -> float:
    """Digits that large values of both signs may cancel."""
    return 1e-12 * max([1.0, *(abs(each) for each in (column.min, column.max) if isinstance(each, int | float))])


@settings(max_examples=150, deadline=None)
@given(rows=ROWS, cuts=st.lists(st.integers(0, 60), max_size=4))
def test_agrees_with_pandas_however_the_batches_fall(parcels: Department, rows: list[Any], cuts: list[int]) -> None:
    places = sorted({0, len(rows), *(min(cut, len(rows)) for cut in cuts)})
    whole = as_table(parcels, rows)
    found = profiled(parcels, *(whole.slice(a, b - a) for a, b in pairwise(places)))
    for name, column in profiled(parcels, whole).items():
        # The mean and the spread of parts are added up in another order.
        assert replace(found[name], mean=column.mean, std=column.std) == column
        assert (found[name].mean, found[name].std) == pytest.approx((column.mean, column.std), abs=rounding(column))
    frame = whole.to_pandas(types_mapper=pd.ArrowDtype)
    for name, column in found.items():
        values = frame[name].dropna()
        assert (column.rows, column.nulls, column.distinct) == (len(rows), len(rows) - len(values), values.nunique())
        if not len(values):
            continue
        in_order = sorted(values)
        shown = [each.isoformat() if isinstance(each, dt.date) else each for each in in_order]
        assert (column.min, column.max) == (shown[0], shown[-1])
        assert column.top[0]["rows"] == values.value_counts().max()
        assert sum(bar["rows"] for bar in column.histogram) == (0 if column.kind == "text" else len(values))
        if column.kind == "text":
            assert (column.shortest, column.longest) == (values.str.len().min(), values.str.len().max())
            continue
        expected = {f"p{p:02d}": shown[math.ceil(p * len(shown) / 100) - 1] for p in PERCENTS}
        assert column.quantiles == expected
        if column.kind != "date":
            assert column.mean == pytest.approx(float(values.astype("float64").mean()), abs=rounding(column))


@settings(max_examples=60, deadline=None)
@given(
    numbers=st.lists(st.integers(-(10**11), 10**11) | st.integers(-2_000, 2_000), min_size=20, max_size=300),
    few=st.integers(1, 10),
)
def test_estimates_of_many_numbers_keep_within_their_stated_error(
    parcels: Department, numbers: list[int], few: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(summaries, "FEW", few)
        batches = [table(parcels, value=[n / 100 for n in numbers[at : at + 50]]) for at in range(0, len(numbers), 50)]
        column = profiled(parcels, *batches)["value"]
    exact = sorted(number / 100 for number in numbers)
    for percent in PERCENTS:
        truth = exact[math.ceil(percent * len(exact) / 100) - 1]
        # Half a cent for the rounding to the column's decimals.
        assert abs(column.quantiles[f"p{percent:02d}"] - truth) <= abs(truth) * NumberBins.ERROR + 0.005 + 1e-9
    assert (column.min, column.max, column.distinct) == (exact[0], exact[-1], len(set(exact)))
    assert column.mean == pytest.approx(math.fsum(exact) / len(exact), rel=1e-9, abs=1e-6)
    assert column.std == pytest.approx(pd.Series(exact).std(), rel=1e-6, abs=1e-6)
    assert sum(bar["rows"] for bar in column.histogram) == len(exact)


def test_whole_numbers_up_to_a_thousand_stay_exact_among_many(
    parcels: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summaries, "FEW", 10)
    numbers = list(range(-1_023, 1_024))
    pieces = profiled(parcels, *(table(parcels, pieces=numbers[at::3]) for at in range(3)))["pieces"]
    assert pieces.quantiles == {f"p{p:02d}": numbers[math.ceil(p * len(numbers) / 100) - 1] for p in PERCENTS}
    assert {bar["rows"] for bar in pieces.histogram} == {204, 205}


@pytest.mark.parametrize("distinct", [10_000, 300_000])
def test_the_number_of_different_texts_is_estimated_within_three_standard_errors(
    parcels: Department, distinct: int
) -> None:
    rng = np.random.default_rng(distinct)
    rows = np.concatenate([np.arange(distinct), rng.integers(0, distinct, distinct)])
    batches = np.array_split(rng.permutation(rows), 20)
    column = profiled(parcels, *(table(parcels, parcel=[f"P-{n}" for n in batch]) for batch in batches))["parcel"]
    assert column.distinct_is_estimate == (distinct > DistinctSketch.KEPT)
    assert column.distinct == pytest.approx(distinct, rel=3 * column.distinct_error + 1e-12)
    assert (column.min, column.max) == ("P-0", max(f"P-{n}" for n in range(distinct)))


def test_frequent_texts_among_many_are_found_and_never_counted_too_high(parcels: Department) -> None:
    """50 texts of falling frequency in 200,000 rows, between 100,000 that come once."""
    rng = np.random.default_rng(7)
    weights = 1 / np.arange(1, 51)
    frequent = rng.choice(50, size=100_000, p=weights / weights.sum())
    texts = rng.permutation([*(f"often {at}" for at in frequent), *(f"once {at}" for at in range(100_000))])
    batches = [table(parcels, parcel=part.tolist()) for part in np.array_split(texts, 6)]
    column = profiled(parcels, *batches)["parcel"]
    counts = np.bincount(frequent)
    assert [each["value"] for each in column.top] == [f"often {at}" for at in range(10)]
    for each in column.top:
        truth = counts[int(each["value"].split()[1])]
        assert truth - column.top_short_by <= each["rows"] <= truth
    assert column.top_short_by <= 200_000 / FrequentTexts.SPARSE + 1


def test_of_keys_none_is_called_frequent(parcels: Department) -> None:
    batches = [
        table(parcels, parcel=[f"P-{at}" for at in range(start, start + 20_000)]) for start in range(0, 80_000, 20_000)
    ]
    column = profiled(parcels, *batches)["parcel"]
    assert (column.top, column.categories) == ([], None)


def test_a_profile_comes_back_from_json_as_it_was_and_another_version_does_not(parcels: Department) -> None:
    profiler = Profiler(parcels)
    profiler.add(table(parcels, parcel=["a", "b"], sent=[DAY, DAY], value=[1.5, None]))
    profile = profiler.result()
    stored = json.loads(json.dumps(profile.as_dict(), allow_nan=False))
    assert Profile.from_dict(stored) == profile
    assert Profile.from_dict(stored | {"version": 0}) is None
    assert Profile.from_dict({}) is None


def test_memory_does_not_grow_with_the_file(parcels: Department) -> None:
    """What the profile keeps of a column of keys and one of amounts, all different, after 100,000 and 400,000 rows."""
    profiler, sizes = Profiler(parcels), []
    for start in range(0, 400_000, 20_000):
        at = np.arange(start, start + 20_000)
        profiler.add(table(parcels, parcel=[f"P-{n}" for n in at], value=(at / 100).tolist()))
        sizes.append(len(pickle.dumps([vars(column.summary) for column in profiler.columns])))
    assert max(sizes[4:]) < 2_000_000
    assert max(sizes[10:]) <= max(sizes[:10]) * 1.1


@settings(max_examples=150, deadline=None)
@given(rows=ROWS, cuts=st.lists(st.integers(0, 60), max_size=4), few=st.sampled_from([3, 10, 100]))
def test_pieces_of_a_file_tell_together_what_all_of_it_tells(
    parcels: Department, rows: list[Any], cuts: list[int], few: int
) -> None:
    """Exactly where few values differ; else whatever is exact or estimated alike, in whichever order."""
    whole = as_table(parcels, rows)
    places = sorted({0, len(rows), *(min(cut, len(rows)) for cut in cuts)})
    # A row a batch, so that a piece of a few rows passes the bound within.
    pieces = [[whole.slice(at, 1) for at in range(start, end)] for start, end in pairwise(places)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(summaries, "FEW", few)
        expected, found = profiled(parcels, whole), together(parcels, [], *pieces, [])
    for name, column in expected.items():
        assert (found[name].mean, found[name].std) == pytest.approx((column.mean, column.std), abs=rounding(column))
        if column.distinct <= few or column.kind == "date":
            assert replace(found[name], mean=column.mean, std=column.std) == column
            assert (found[name].mean, found[name].std) == (column.mean, column.std)
        elif column.kind == "text":
            assert found[name].categories is None
            truth = whole.column(name).to_pylist()
            assert_true_within_what_it_is_short_by(found[name], truth)
            assert replace(found[name], top=column.top, top_short_by=column.top_short_by) == column
        else:
            assert replace(found[name], mean=column.mean, std=column.std) == column


def assert_true_within_what_it_is_short_by(column: ColumnProfile, texts: list[str]) -> None:
    rows, counted = Counter(texts), {each["value"]: each["rows"] for each in column.top}
    for text, count in counted.items():
        assert rows[text] - column.top_short_by <= count <= rows[text]
    least = min(counted.values()) if len(counted) == TOP else 0
    for text in rows.keys() - counted.keys():
        assert rows[text] <= max(least, column.top_short_by) + column.top_short_by


def test_pieces_of_many_values_are_as_well_estimated_as_all_of_them(parcels: Department) -> None:
    rng = np.random.default_rng(11)
    weights = 1 / np.arange(1, 51)
    often = [f"often {at}" for at in rng.choice(50, size=60_000, p=weights / weights.sum())]
    texts = rng.permutation([*often, *(f"once {at}" for at in range(60_000))]).tolist()
    # Sorted by what they are worth, so that no piece has what another has.
    values = (np.sort(rng.lognormal(3, 2, 120_000)).round(2) - 20).tolist()
    batches = [
        table(parcels, parcel=texts[at : at + 8_000], value=values[at : at + 8_000]) for at in range(0, 120_000, 8_000)
    ]
    whole = profiled(parcels, *batches)
    found = together(parcels, batches[:1], batches[1:7], [batches[7]], batches[8:])
    parcel, value = found["parcel"], found["value"]
    assert (parcel.distinct, parcel.distinct_is_estimate) == (whole["parcel"].distinct, True)
    assert [each["value"] for each in parcel.top] == [f"often {at}" for at in range(TOP)]
    assert_true_within_what_it_is_short_by(parcel, texts)
    assert parcel.top_short_by <= 120_000 / FrequentTexts.SPARSE + 4
    assert (value.mean, value.std) == pytest.approx((whole["value"].mean, whole["value"].std), rel=1e-9)
    assert replace(value, mean=whole["value"].mean, std=whole["value"].std) == whole["value"]


def test_texts_that_one_piece_forgot_are_short_by_what_is_said(
    parcels: Department, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every piece remembers so few that they, put together, forget again."""
    monkeypatch.setattr(summaries, "FEW", 3)
    monkeypatch.setattr(FrequentTexts, "KEPT", 8)
    rng = np.random.default_rng(3)
    texts = [f"P-{at}" for at in np.minimum(rng.geometric(0.05, 4_000), 60)]
    pieces = [
        [table(parcels, parcel=texts[at : at + 40]) for at in range(start, start + 400, 40)]
        for start in range(0, 4_000, 400)
    ]
    profiler = Profiler(parcels)
    for batches in pieces:
        piece = Profiler(parcels)
        for batch in batches:
            piece.add(batch)
        profiler.add_state(piece.state())
    frequent = profiler.state()["columns"]["parcel"]["summary"]["frequent"]
    assert len(frequent["counts"]) <= 2 * FrequentTexts.KEPT
    for text, rows in Counter(texts).items():
        assert rows - frequent["short_by"] <= frequent["counts"].get(text, 0) <= rows
    assert frequent["short_by"] < len(texts)


@pytest.mark.parametrize("order", list(permutations(("few", "many", "nulls", "none"))))
def test_a_piece_of_few_and_one_of_many_in_any_order(
    parcels: Department, monkeypatch: pytest.MonkeyPatch, order: tuple[str, ...]
) -> None:
    monkeypatch.setattr(summaries, "FEW", 10)
    pieces = {
        "few": [table(parcels, parcel=["a", "b", "b"], pieces=[7, 7, 8], value=[0.5, -0.0, None], remark=["c"] * 3)],
        "many": [table(parcels, parcel=[f"P-{at}" for at in range(50)], pieces=range(50), value=range(50))],
        "nulls": [table(parcels, parcel=[None] * 5)],
        "none": [],
    }
    found = together(parcels, *(pieces[name] for name in order))
    whole = profiled(parcels, *pieces["many"], *pieces["few"], *pieces["nulls"])
    assert (found["parcel"].rows, found["parcel"].nulls, found["parcel"].distinct) == (58, 5, 52)
    assert (found["parcel"].min, found["parcel"].max, found["parcel"].shortest) == ("P-0", "b", 1)
    for name in ("pieces", "value"):
        assert found[name].mean == pytest.approx(whole[name].mean)
        assert found[name].std == pytest.approx(whole[name].std)
        assert replace(found[name], mean=whole[name].mean, std=whole[name].std) == whole[name]
    assert (found["remark"], found["sent"]) == (whole["remark"], whole["sent"])


def test_a_file_of_one_piece_goes_on_as_if_its_rows_had_been_taken_here(parcels: Department) -> None:
    first = Profiler(parcels)
    first.add(table(parcels, parcel=[f"P-{at}" for at in range(9_000)], value=np.arange(9_000) / 100))
    went_on = Profiler(parcels)
    went_on.add_state(json.loads(json.dumps(first.state())))
    assert (went_on.state(), went_on.result()) == (first.state(), first.result())
    rest = table(parcels, parcel=["P-1", "Q"], value=[-1.0, 2.5])
    for profiler in (first, went_on):
        profiler.add(rest)
    assert went_on.result() == first.result()


def test_what_a_piece_tells_is_small(parcels: Department) -> None:
    profiler = Profiler(parcels)
    for start in range(0, 100_000, 20_000):
        at = np.arange(start, start + 20_000)
        profiler.add(table(parcels, parcel=[f"P-{n}" for n in at], value=(at / 100 - 500).tolist()))
    assert len(json.dumps(profiler.state())) < 700_000
