"""How many bad rows are too many, and what is said about it."""

from __future__ import annotations

import pytest

from aetherflow.etl import Counts, FaultKind, FileRefused, RejectPolicy
from aetherflow.etl.rejects import counted_by_column

CODES = {"constraint-error": 40, "type-error": 180, "unique-error": 900}


def counts(*, read: int = 1_000, rejected: int, duplicate: int = 0) -> Counts:
    return Counts(read=read, loaded=read - rejected - duplicate, rejected=rejected, duplicate=duplicate)


@pytest.mark.parametrize("rejected", [0, 1, 200])
def test_up_to_the_share_the_good_rows_are_kept(rejected: int) -> None:
    RejectPolicy(max_share=0.2).check(counts(rejected=rejected), CODES)


def test_above_the_share_the_file_is_refused_with_its_commonest_fault() -> None:
    with pytest.raises(FileRefused) as refusal:
        RejectPolicy(max_share=0.2).check(counts(rejected=201), CODES)
    assert refusal.value.code == "too-many-rejects"
    assert refusal.value.message == (
        "201 of 1,000 rows (20.1%) cannot be loaded; at most 20% may be set aside. Most often: a cell that cannot be "
        "read as what its column holds (type-error, 180 times)."
    )
    assert refusal.value.details["by_code"] == CODES


def test_a_refusal_tells_the_commonest_columns_and_not_all_of_five_hundred() -> None:
    faults = {FaultKind(column=None, label=f"extra {at:03}", code="null-byte"): at for at in range(1, 501)}
    faults[FaultKind(column="value", label="Worth", code="type-error")] = 1_000
    with pytest.raises(FileRefused) as refusal:
        RejectPolicy(max_share=0.2).check(counts(rejected=1_000), CODES, by_column=counted_by_column(faults))
    told: list[dict[str, object]] = refusal.value.details["by_column"]  # type: ignore[assignment]
    assert told[0] == {"column": "value", "label": "Worth", "code": "type-error", "count": 1_000}
    assert [each["count"] for each in told[1:]] == [*range(500, 481, -1)]


def test_a_file_of_which_nothing_is_left_is_refused_whatever_the_share() -> None:
    with pytest.raises(FileRefused, match="1,000 of 1,000 rows"):
        RejectPolicy(max_share=1.0).check(counts(rejected=1_000), CODES)


def test_duplicates_are_not_rejects() -> None:
    RejectPolicy(max_share=0.0, on_error="refuse").check(counts(rejected=0, duplicate=999), {"unique-error": 999})


def test_one_reject_is_too_many_for_an_upload_that_accepts_none() -> None:
    with pytest.raises(FileRefused) as refusal:
        RejectPolicy(max_share=0.2, on_error="refuse").check(counts(rejected=1), {"type-error": 1})
    assert refusal.value.code == "refused-on-error"
    assert "on_error=quarantine" in refusal.value.hint


def test_counts_that_lose_a_row_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="lost or counted twice"):
        Counts(read=3, loaded=1, rejected=1, duplicate=0)
