"""JSON lines and arrays of objects: a damaged record costs itself and not the file."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aetherflow.etl import FileRefused, ReadOptions

GOOD: dict[str, Any] = {
    "parcel": "P-1",
    "sent": "2026-03-31",
    "pieces": 3,
    "weight": 1.5,
    "value": 9.99,
    "remark": "ok",
}


def lines(*records: object) -> str:
    return "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in records)


def test_objects_become_rows_on_their_lines(load: Callable[..., Any]) -> None:
    loaded = load(
        lines(GOOD, "", {**GOOD, "parcel": "P-2", "weight": None, "remark": "zwei\nZeilen"}), filename="a.jsonl"
    )
    assert loaded.faults == []
    assert [(row["line"], row["weight"], row["value"], row["remark"]) for row in loaded.rows] == [
        (1, 1.5, 9.99, "ok"),
        (3, 0.5, 9.99, "zwei\nZeilen"),
    ]
    assert loaded.reading.summary == "JSON lines, ISO dates"


@pytest.mark.parametrize("name", ["march.jsonl", "march.ndjson", "march.csv", "march"])
def test_the_content_tells_the_format(load: Callable[..., Any], name: str) -> None:
    assert load(lines(GOOD), filename=name).reading.format == "jsonl"
    assert load(json.dumps([GOOD]), filename=name).reading.format == "json"
    table = "parcel,sent,pieces,weight,value,remark\n{x},2026-03-31,1,1,1,\n"
    assert load(table, filename=name).reading.format == "csv"


def test_the_header_is_the_keys_of_all_objects(load: Callable[..., Any]) -> None:
    short = {key: GOOD[key] for key in ("parcel", "sent", "pieces", "value")}
    many = [{**short, "parcel": f"P-{at}"} for at in range(4_999)]
    loaded = load(lines(*many, {**GOOD, "parcel": "P-last", "colour": "red"}))
    assert loaded.reading.header == ["parcel", "sent", "pieces", "value", "weight", "remark", "colour"]
    assert loaded.counts.loaded == 5_000
    assert loaded.rows[0]["weight"] == 0.5, "what an object does not have is empty"
    assert (loaded.rows[-1]["line"], loaded.rows[-1]["weight"]) == (5_000, 1.5)


def test_numbers_keep_the_digits_they_were_written_with(load: Callable[..., Any]) -> None:
    loaded = load(lines(json.dumps(GOOD).replace("9.99", "0.10").replace('"ok"', "12345678901234567890.10")))
    assert loaded.rows[0]["remark"] == "12345678901234567890.10"
    assert loaded.rows[0]["value"] == 0.1


def test_texts_with_a_decimal_comma_leave_numbers_alone(load: Callable[..., Any]) -> None:
    loaded = load(lines({**GOOD, "weight": 1.234, "value": "1.234,50 €"}))
    assert (loaded.rows[0]["weight"], loaded.rows[0]["value"]) == (1.234, 1234.5)
    assert loaded.reading.summary == "JSON lines, decimal comma, ISO dates"


def test_truths_and_unknown_nested_values_are_texts(load: Callable[..., Any]) -> None:
    loaded = load(lines({**GOOD, "remark": True, "tags": ["a", {"b": 1}]}))
    assert loaded.rows[0]["remark"] == "true"
    assert loaded.reading.unknown_columns == ["tags"]


def test_records_that_are_no_row_are_rejects_with_their_text(load: Callable[..., Any]) -> None:
    broken = ['{"parcel": "P-2", "sent":', "[1, 2]", "none", '"text"', "\x00", '{"parcel": ' * 2_000]
    loaded = load(lines(GOOD, *broken, {**GOOD, "remark": {"de": "ja"}}, {**GOOD, "parcel": "P-9"}))
    assert loaded.lines == [1, 9]
    assert loaded.counts.read == 9
    assert [(reject.line, reject.code) for reject in loaded.rejects] == [
        *((line, "source-error") for line in range(2, 8)),
        (8, "type-error"),
    ]
    assert loaded.rejects[0].cells == [broken[0]]
    assert loaded.rejects[-1].message == "'remark' holds a list or an object, not one value."
    assert all(reject.hint for reject in loaded.rejects)


def test_a_line_above_the_objects_costs_only_itself(load: Callable[..., Any]) -> None:
    loaded = load(lines("exported on Monday", GOOD), filename="parcels.jsonl")
    assert (loaded.lines, loaded.faults) == ([2], [(1, None, "source-error")])


def test_bytes_that_are_no_utf8_cost_their_line(load: Callable[..., Any]) -> None:
    content = lines(GOOD).encode() + lines({**GOOD, "remark": "x"}).encode().replace(b'"x"', b'"caf\xe9"')
    loaded = load(content)
    assert loaded.faults == [(2, None, "source-error")]
    told = load(content.replace(b"P-1", b"P-2", 1), said=ReadOptions(encoding="cp1252"))
    assert [row["remark"] for row in told.rows] == ["ok", "café"]
    assert told.reading.basis["encoding"] == "given"


def test_utf16_with_a_mark_is_read(load: Callable[..., Any]) -> None:
    loaded = load(lines({**GOOD, "remark": "Grüße"}).encode("utf-16"))
    assert (loaded.rows[0]["remark"], loaded.reading.encoding) == ("Grüße", "utf-16-le")


def test_half_a_character_is_shown_as_the_sign_for_it(load: Callable[..., Any]) -> None:
    loaded = load(lines(json.dumps(GOOD).replace('"ok"', '"a\\ud800b"')))
    assert "\ufffd" in str(loaded.rows[0]["remark"])


def test_a_nul_is_found(load: Callable[..., Any]) -> None:
    assert load(lines(GOOD, {**GOOD, "remark": "a\x00b"})).faults == [(2, "remark", "null-byte")]


@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_is_read_however_it_is_laid_out(load: Callable[..., Any], indent: int | None) -> None:
    rows = [{**GOOD, "parcel": f"P-{at}"} for at in range(6_000)]
    loaded = load(json.dumps([*rows, "no row"], indent=indent))
    assert loaded.lines == list(range(2, 6_002)), "rows are numbered as under a header"
    assert loaded.faults == [(6_002, None, "source-error")]
    assert loaded.reading.format == "json"


REFUSED: dict[str, tuple[str, str]] = {
    "one object over several lines": (json.dumps(GOOD, indent=2), "format-error"),
    "lines that are all broken": ('{"a": 1\n{"b": 2\n', "format-error"),
    "an empty array": ("[]", "no-rows"),
    "an array of numbers": ("[1, 2]", "format-error"),
    "an array that breaks off": (json.dumps([GOOD, GOOD])[:-20], "source-error"),
    "an array without an end": (json.dumps([GOOD])[:-1], "source-error"),
    "an array with an error in it": (json.dumps([GOOD, GOOD]).replace(': "ok"', ' "ok"'), "source-error"),
    "an array nested without end": ("[" + '{"a": [' * 5_000, "source-error"),
    "objects without keys": ("{}\n{}\n", "missing-label"),
    "keys twice": (lines({**GOOD, "Pieces": 1}), "duplicate-label"),
    "more keys than columns are read": (lines({f"c{at}": 1 for at in range(501)}), "too-many-columns"),
    "a line without end": ('{"a": "' + "x" * 600_000, "line-too-long"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused_as_a_whole(load: Callable[..., Any], name: str) -> None:
    content, code = REFUSED[name]
    with pytest.raises(FileRefused) as refusal:
        load(content, filename="march.json")
    assert refusal.value.code == code
    assert refusal.value.message.endswith(".")
    assert refusal.value.hint.endswith(".")


RECORD = st.one_of(
    st.just(json.dumps(GOOD)),
    st.sampled_from([f"P-{at}" for at in range(9)]).map(lambda key: json.dumps({**GOOD, "parcel": key})),
    st.dictionaries(
        st.sampled_from([*GOOD, "x"]), st.one_of(st.none(), st.booleans(), st.floats(), st.text(max_size=5))
    ).map(json.dumps),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r"), max_size=9),
)


@settings(max_examples=100, deadline=None)
@given(records=st.lists(RECORD, min_size=1, max_size=30))
def test_every_record_is_loaded_rejected_or_a_duplicate(load: Callable[..., Any], records: list[str]) -> None:
    content = lines(GOOD, *records)
    loaded = load(content, filename="march.jsonl")
    listed = {reject.line for reject in loaded.rejects} | set(loaded.lines)
    filled = {at for at, text in enumerate(content.split("\n"), 1) if text.strip() and not _is_blank(text)}
    assert listed == filled
    assert loaded.counts.read == len(filled)


def _is_blank(text: str) -> bool:
    """An object of which no value is anything is a blank row."""
    try:
        found = json.loads(text)
    except ValueError:
        return False
    return isinstance(found, dict) and not any(value is not None and str(value).strip() for value in found.values())
