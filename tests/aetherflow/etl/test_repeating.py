"""Texts that repeat are encoded, and whatever is made of the rows is what is made of the texts themselves."""

from __future__ import annotations

import dataclasses
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aetherflow.department import Department
from aetherflow.etl.digests import digests
from aetherflow.etl.profile import Profiler
from aetherflow.etl.repeating import ENOUGH_ROWS, ROWS_A_TEXT, RepeatingTexts, plain

WORDS = pa.array(["paid", "open", "", None, "a much longer word than eight bytes"])


def table(**columns: list[Any]) -> pa.Table:
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


def is_encoded(rows: pa.Table) -> list[bool]:
    return [pa.types.is_dictionary(kind) for kind in rows.schema.types]


def numbered(rows: int, *, different: int) -> list[str]:
    return [f"T-{at % different}" for at in range(rows)]


def test_a_column_is_encoded_where_texts_repeat_and_left_alone_where_they_do_not() -> None:
    rows = table(
        few=numbered(ENOUGH_ROWS, different=ENOUGH_ROWS // ROWS_A_TEXT),
        many=numbered(ENOUGH_ROWS, different=ENOUGH_ROWS // ROWS_A_TEXT + 1),
    ).append_column("n", pa.array(range(ENOUGH_ROWS), pa.int64()))
    found = RepeatingTexts().encoded(rows)
    assert is_encoded(found) == [True, False, False]
    assert found.to_pylist() == rows.to_pylist()


def test_a_short_batch_says_nothing_and_a_column_once_found_unlike_is_asked_no_more() -> None:
    repeating = RepeatingTexts()
    short, few = table(a=["x"] * 9), table(a=["x"] * ENOUGH_ROWS)
    assert is_encoded(repeating.encoded(short)) == [False]
    assert is_encoded(repeating.encoded(few)) == [True]
    assert is_encoded(repeating.encoded(table(a=numbered(ENOUGH_ROWS, different=ENOUGH_ROWS)))) == [False]
    assert is_encoded(repeating.encoded(few)) == [False]


@st.composite
def encoded_rows(draw: st.DrawFn) -> pa.Table:
    """Two columns over one dictionary each, of which not every entry is used, sliced from longer ones."""
    rows = draw(st.integers(1, 60))
    columns = {}
    for name in ("id", "state"):
        places = draw(st.lists(st.none() | st.sampled_from([0, 1, 2, 4]), min_size=rows + 2, max_size=rows + 2))
        words = WORDS.fill_null("unused")
        columns[name] = pa.DictionaryArray.from_arrays(pa.array(places, pa.int32()), words)
    return pa.table(columns).slice(1, rows)


@settings(max_examples=50, deadline=None)
@given(rows=encoded_rows())
def test_digests_are_those_of_the_texts(rows: pa.Table) -> None:
    texts = pa.table({name: plain(rows.column(name).combine_chunks()) for name in rows.column_names})
    found, expected = (digests(each, key=("id",), decimals={}) for each in (rows, texts))
    for part in dataclasses.fields(found):
        assert getattr(found, part.name).tolist() == getattr(expected, part.name).tolist()


@pytest.mark.parametrize("different", [7, 400])
def test_a_profile_is_that_of_the_texts(parcels: Department, different: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted one by one, and estimated too."""
    monkeypatch.setattr("aetherflow.etl.summaries.FEW", 100)
    rows = pa.table(
        {
            column.name: pa.array(
                [None if at % 5 == 0 else f"{column.name} {at % different}" for at in range(8_000)]
                if column.kind == "text"
                else [None] * 8_000,
                pa.string() if column.kind == "text" else pa.float64(),
            )
            for column in parcels.columns
        }
    )
    of_texts, of_codes = Profiler(parcels), Profiler(parcels)
    for batch in (rows.slice(0, 3_000), rows.slice(3_000)):
        of_texts.add(batch)
        of_codes.add(
            pa.table(
                [c.combine_chunks().dictionary_encode() if pa.types.is_string(c.type) else c for c in batch.columns],
                names=batch.column_names,
            )
        )
    assert of_codes.result() == of_texts.result()
