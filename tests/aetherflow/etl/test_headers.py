"""Which column is which: by what the uploader says, by what is remembered, by name and by alias; never by a guess."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from aetherflow.department import Department
from aetherflow.errors import InvalidError
from aetherflow.etl import FileRefused, ReadOptions
from aetherflow.etl.headers import match_header
from aetherflow.etl.mapping import (
    LONGEST_LABEL,
    MOST_LABELS,
    LabelMapping,
    Remembered,
    header_shape,
    mapping_faults,
    parse_mapping,
)
from aetherflow.etl.options import NOTHING_SAID, parse_delimiter, parse_encoding

NAMES = ["parcel", "sent", "pieces", "weight", "value"]
FOREIGN = ["Paket", "Tag", "Menge", "Gewicht", "Wert"]
SAID = dict(zip(FOREIGN, NAMES, strict=True))
GIVEN_AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


def remembering(mapping: LabelMapping) -> Callable[[Sequence[str]], Remembered]:
    return lambda header: Remembered(mapping=mapping, by="Ada Novak", at=GIVEN_AT)


def refusal(parcels: Department, header: list[str], mapping: LabelMapping) -> FileRefused:
    with pytest.raises(FileRefused) as refused:
        match_header(header, department=parcels, line=3, mapping=mapping)
    assert (refused.value.code, refused.value.line) == ("mapping-error", 3)
    assert refused.value.hint
    return refused.value


def test_a_mapping_wins_over_names_and_aliases(parcels: Department) -> None:
    header = [*NAMES, "qty", "kg", "Really Sent"]
    matched = match_header(
        header, department=parcels, line=1, mapping={"QTY": "pieces", "really_sent": "sent", "kg": "weight"}
    )
    assert matched.labels | {"parcel": "parcel", "value": "value"} == matched.labels
    assert [matched.labels[name] for name in ("pieces", "sent", "weight")] == ["qty", "Really Sent", "kg"]
    assert matched.unknown == ["sent", "pieces", "weight"], "what lost is reported, not dropped"
    assert (matched.source, matched.left_out) == ("upload", [])


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_column_is_left_out_on_purpose_and_said_to_be(parcels: Department, nothing: str | None) -> None:
    matched = match_header(
        [*NAMES, "Remark", "Cashier", "Till"],
        department=parcels,
        line=1,
        mapping={"remark": nothing, "cashier": nothing},
    )
    assert (matched.left_out, matched.unknown) == (["Remark", "Cashier"], ["Till"])
    assert matched.missing_optional == ["remark"]
    assert matched.suggestions == {}


def test_a_required_column_left_out_is_missing(parcels: Department) -> None:
    with pytest.raises(FileRefused) as refused:
        match_header(NAMES, department=parcels, line=1, mapping={"value": None})
    assert (refused.value.code, refused.value.column) == ("missing-label", "value")


def test_an_empty_mapping_goes_by_names_and_aliases_alone(parcels: Department) -> None:
    matched = match_header([*NAMES, "kg"], department=parcels, line=1, mapping={}, memory=remembering({"kg": "weight"}))
    assert (matched.labels["weight"], matched.source, matched.memory) == ("weight", "none", None)


@pytest.mark.parametrize(
    ("mapping", "message", "hint", "near"),
    [
        ({"value": "vaule"}, "'value' to 'vaule', which is no column of Parcels", "Did you mean value?", "value"),
        ({"value": "Value"}, "'Value', which is no column", "Did you mean value?", "value"),
        ({"weight": "KG"}, "'KG', which is no column", "Did you mean weight?", "weight"),
        ({"value": "colour"}, "'colour', which is no column", "parcel, sent, pieces, weight, value, remark", None),
        ({"Sentt": "sent"}, "the label 'Sentt', which the header has not", "Did you mean 'sent'?", "sent"),
        ({"Farbe": None}, "the label 'Farbe', which the header has not", "Found: parcel, sent", None),
        ({"sent": "value", "value": "value"}, "both 'sent' and 'value' to value", "leave the other out", None),
        ({"value": "value", "VALUE": None}, "the label 'VALUE' twice, first as 'value'", "keep one", None),
    ],
)
def test_a_mapping_that_cannot_be_followed_refuses_the_file(
    parcels: Department, mapping: LabelMapping, message: str, hint: str, near: str | None
) -> None:
    refused = refusal(parcels, NAMES, mapping)
    label = list(mapping)[-1]
    assert message in refused.message
    assert hint in refused.hint
    assert refused.column == label
    assert refused.details["suggestions"] == ({label: near} if near else {})


def test_many_faults_are_counted_and_a_few_named(parcels: Department) -> None:
    refused = refusal(parcels, NAMES, {f"label {n}": "sent" for n in range(200)})
    assert "And 394 more." in refused.message
    assert len(refused.message) < 1_000
    assert refused.column is None


def test_what_is_remembered_is_used_where_nothing_is_said(parcels: Department) -> None:
    matched = match_header(FOREIGN, department=parcels, line=1, memory=remembering(SAID))
    assert matched.labels == {name: label for label, name in SAID.items()}
    assert (matched.source, matched.memory) == ("remembered", Remembered(mapping=SAID, by="Ada Novak", at=GIVEN_AT))
    ours = match_header(NAMES, department=parcels, line=1, mapping={"sent": "sent"}, memory=remembering({"sent": None}))
    assert ours.source == "upload"


@pytest.mark.parametrize(
    "stale",
    [
        {"Colour": "colour"},
        {"no such label": "value", "another": None},
        {"value": None},
        {"sent": "value", "value": "value"},
        {"value": "weight"},
    ],
)
def test_what_is_remembered_never_makes_a_file_fail(parcels: Department, stale: LabelMapping) -> None:
    matched = match_header([*NAMES, "Colour"], department=parcels, line=1, memory=remembering(stale))
    assert (matched.labels, matched.source) == ({name: name for name in NAMES}, "none")
    assert matched.memory is None


def test_the_fitting_part_of_what_is_remembered_is_used(parcels: Department) -> None:
    matched = match_header(
        [*NAMES, "note"],
        department=parcels,
        line=1,
        memory=remembering({"NOTE": "remark", "gone": "value", "value": "no column any more"}),
    )
    assert (matched.labels["remark"], matched.labels["value"], matched.source) == ("note", "value", "remembered")


def test_a_label_near_an_optional_column_is_suggested_and_not_read(load: Callable[..., Any]) -> None:
    loaded = load("parcel,sent,pieces,weight,value,Remarks\nP-1,2026-11-02,3,1,1,fragile\n")
    assert loaded.reading.suggestions == {"Remarks": "remark"}
    assert (loaded.reading.unknown_columns, loaded.reading.missing_optional) == (["Remarks"], ["remark"])
    assert loaded.rows[0]["remark"] is None
    plain = load("parcel,sent,pieces,weight,value,cashier\nP-1,2026-11-02,3,1,1,Jo\n")
    assert plain.reading.suggestions == {}


def test_a_column_without_a_label_is_said_to_be_left_out(load: Callable[..., Any]) -> None:
    loaded = load(f",{','.join(NAMES)},\n0,P-1,2026-11-02,3,1,1,\n")
    assert (loaded.reading.unlabelled_columns, loaded.reading.unknown_columns) == ([1, 7], [])
    assert load(f"{','.join(NAMES)}\nP-1,2026-11-02,3,1,1\n").reading.unlabelled_columns == []


def test_the_reading_says_whose_mapping_was_followed(load: Callable[..., Any]) -> None:
    content = f"{';'.join(FOREIGN)};Kasse\nP-1;2.11.2026;3;1,5;9,99;7\n"
    said = load(content, said=ReadOptions(mapping=SAID | {"Kasse": None})).reading
    assert (said.mapping, said.mapping_from, said.mapping_by) == (SAID, "upload", None)
    assert (said.left_out, said.unknown_columns) == (["Kasse"], [])
    again = load(content, memory=remembering(SAID)).reading
    assert (again.mapping, again.mapping_from) == (SAID, "remembered")
    assert (again.mapping_by, again.mapping_at) == ("Ada Novak", "2026-11-24T09:30:00+00:00")
    json.dumps(again.as_dict())


def test_the_labels_of_a_mapping_help_to_find_the_delimiter(load: Callable[..., Any]) -> None:
    """Split at its commas this file is just as even."""
    said = ReadOptions(mapping={"Tag, Monat": "sent", "Nr": "parcel", "Menge": "pieces", "kg": "weight", "€": "value"})
    loaded = load("Nr;Tag, Monat;Menge;kg;€\nP-1;2.11.2026;3;1;9,99\nP-2;2.11.2026;3;2;8,50\n", said=said)
    assert (loaded.reading.delimiter, loaded.counts.loaded) == (";", 2)


def test_rejects_name_the_label_the_mapping_names(load: Callable[..., Any]) -> None:
    loaded = load(f"{','.join(FOREIGN)}\nP-1,2026-11-02,many,1,1\n", said=ReadOptions(mapping=SAID))
    assert loaded.faults == [(2, "Menge", "type-error")]


def test_a_shape_is_the_labels_in_any_order_and_spelling() -> None:
    shape = header_shape(["Unit Price", "qty", "", "SKU"])
    assert shape == header_shape(["sku", "Qty", "unit_price"]) == header_shape(["\ufeffsku", "QTY", "Unit-Price", ""])
    assert len({shape, header_shape(["sku", "qty"]), header_shape(["sku", "qtyunitprice"])}) == 3
    assert len(shape) == 64


def test_a_mapping_is_read_from_json() -> None:
    text = '{"Qty": "quantity", "Größe": null, "Till": ""}'
    assert parse_mapping(text) == {"Qty": "quantity", "Größe": None, "Till": None}
    assert parse_mapping("{}") == {}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Qty=quantity",
        "[]",
        "null",
        '"quantity"',
        '[["Qty", "quantity"]]',
        '{"Qty": 5}',
        '{"Qty": {"to": "quantity"}}',
        '{"Qty": ["quantity"]}',
        '{"Qty": "quantity", "Qty": "unit_price"}',
        '{" ": "quantity"}',
        '{"Qty": "quantity\\u0000"}',
        '{"Qty\\ud800": "quantity"}',
        f'{{"{"x" * (LONGEST_LABEL + 1)}": "quantity"}}',
        json.dumps({f"label {n}": None for n in range(MOST_LABELS + 1)}),
        "[" * 100_000,
        '{"Qty": ' + "9" * 10_000 + "}",
    ],
)
def test_what_is_no_mapping_is_refused_in_few_words(text: str) -> None:
    with pytest.raises(InvalidError) as refused:
        parse_mapping(text)
    assert refused.value.code == "mapping-error"
    assert '{"Qty": "quantity"' in refused.value.hint
    assert len(refused.value.message) < 300


def test_a_mapping_as_large_as_a_header_is_taken(parcels: Department) -> None:
    text = json.dumps({f"label {n}": None for n in range(MOST_LABELS)})
    assert mapping_faults(parse_mapping(text), department=parcels) == []


@pytest.mark.parametrize(
    ("text", "delimiter"), [(";", ";"), ("\t", "\t"), ("tab", "\t"), (" Semicolon ", ";"), ("~", "~"), (" ", " ")]
)
def test_a_delimiter_is_a_character_or_its_name(text: str, delimiter: str) -> None:
    assert parse_delimiter(text) == delimiter


@pytest.mark.parametrize("text", ['"', "a", "5", "\n", ";;", "", "\x00", "§", "\ud800"])
def test_what_cannot_separate_columns_is_refused(text: str) -> None:
    with pytest.raises(InvalidError, match="cannot separate"):
        parse_delimiter(text)


def test_an_encoding_has_many_names() -> None:
    assert [parse_encoding(name) for name in ("latin1", "Windows-1252", "UTF8")] == ["iso8859-1", "cp1252", "utf-8"]
    for wrong in ("base64", "utf-9", "", "a\x00b", "\ud800"):
        with pytest.raises(InvalidError, match="no text encoding"):
            parse_encoding(wrong)


def test_only_what_was_said_is_kept() -> None:
    assert NOTHING_SAID.said() == {}
    said = ReadOptions(delimiter=";", mapping={"Qty": "quantity", "Till": None})
    assert said.said() == {"delimiter": ";", "mapping": {"Qty": "quantity", "Till": None}}
    assert ReadOptions(**said.said()) == said
    assert ReadOptions(mapping={}).said() == {"mapping": {}}
