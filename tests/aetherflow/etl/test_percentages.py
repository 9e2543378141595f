"""Whether percentages are written as shares of 1 is decided over all of a file, and never cell by cell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from aetherflow import registry
from aetherflow.etl import Correction, ReadOptions, ReadOtherwise, SourceFile, open_file
from aetherflow.etl.formats.typed import UNDECIDED
from aetherflow.etl.percentages import ScaleEvidence

LABELS = "transaction_id,date,store_id,product_category,sku,quantity,unit_price"
ODD = ["0.15", "0.1", "0.075"]


@pytest.mark.parametrize(
    ("label", "cells", "scale", "assumed"),
    [
        ("Discount Rate", ["0.15"], "share", False),
        ("discount_fraction", ["0.5", "1", "0"], "share", False),
        ("discountShare", ["0,5"], "share", False),
        ("DISCOUNT RATE", ["-0.5"], "share", False),
        ("Discount Rate", [f"0{UNDECIDED}15"], "share", False),
        ("Discount Rate", [f"1{UNDECIDED}5"], "percent", False),
        ("Discount Rate", ["1", "0"], "percent", True),
        ("Discount Rate", ["0.15", "1.5"], "percent", False),
        ("Discount Rate", ["0.15", "100"], "percent", False),
        ("Discount Rate", ["0.15", "020"], "percent", False),
        ("Discount Rate", ["0.15", "15,00"], "percent", False),
        ("Discount Rate", ["0.15"] * 100 + ["15"], "share", False),
        ("Discount Rate", ["0.15"] * 99 + ["15"], "percent", False),
        ("Discount Rate (%)", ["0.5"], "percent", False),
        ("Discount Rate", ["15%", "0.5 %"], "percent", False),
        ("corporate discount", ["0.15"], "percent", True),
        ("Discount", ODD, "share", False),
        ("Discount", [*ODD[:2], "0.150", ".1"], "percent", True),
        ("Discount", [*ODD, "2"], "percent", False),
        ("Discount", ["0.25", "0.5", "0.75", "1", "0"], "percent", True),
        ("Discount", ["0.15%", "0.1%", "0.075%"], "percent", False),
        ("Discount", ["0", "0.00", "", "-", "none"], "percent", False),
        ("Discount", ["1.00"], "percent", True),
        ("discount_pct", ["1.00", "0.5"], "percent", False),
        ("discount_pct", ODD, "percent", True),
        ("Discount %", [*ODD, "15"], "percent", False),
    ],
)
def test_the_header_and_the_cells_say_it_together(label: str, cells: list[str], scale: str, assumed: bool) -> None:
    evidence = ScaleEvidence(label=label)
    for cell in cells:
        evidence.take(pa.array([cell]))
    assert (evidence.scale, evidence.assumed) == (scale, assumed)
    at_once = ScaleEvidence(label=label)
    at_once.take(pa.array(cells))
    assert (at_once.scale, at_once.assumed) == (scale, assumed)


def test_a_thousand_percentages_are_no_slips_wherever_they_stand() -> None:
    parts = pa.array(["15"] * 1_000), pa.array(["0.15"] * 100_001)
    for order in (parts, parts[::-1]):
        evidence = ScaleEvidence(label="Discount Rate")
        for cells in order:
            evidence.take(cells)
        assert (evidence.scale, evidence.assumed) == ("percent", False)


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., SourceFile]:
    def opened(label: str, *cells: str, price: str = "9", **options: Any) -> SourceFile:
        path = tmp_path / "sales.csv"
        rows = [f'T-{at},2026-03-31,S-1,Toys,A-1,2,{price},"{cell}"\n' for at, cell in enumerate(cells)]
        path.write_text(f"{LABELS},{label}\n{''.join(rows)}")
        return open_file(path, filename=path.name, department=registry.department("sales"), **options)

    return opened


def values(source: SourceFile) -> list[float]:
    return [value for batch in source.batches() for value in batch.rows["discount_pct"].to_pylist()]


def test_shares_become_percentages_to_the_digit(opened: Callable[..., SourceFile]) -> None:
    with opened("Discount Rate", "0.07", "0.29", "0.145", "(0.2)", "15 %", "1.5e-1", " .5 ") as source:
        assert values(source) == [7, 29, 14.5, 15, 15, 50]
    with opened("Discount Rate", "0,07", "0,29", "15 %") as source:
        assert values(source) == [7, 29, 15]


def test_a_cell_that_is_no_share_is_told_how_it_was_read(opened: Callable[..., SourceFile]) -> None:
    with opened("Discount Rate", *["0.15"] * 100, "15") as source:
        (reject,) = (reject for batch in source.batches() for reject in batch.rejects)
    assert (reject.line, reject.column, reject.code) == (102, "Discount Rate", "constraint-error")
    assert "read as shares of 1, such as 0.15 for 15 %" in reject.hint


@pytest.mark.parametrize(
    ("label", "cells"),
    [
        ("Discount", ["0"] * 300 + ["0.5", *ODD]),
        ("Discount Rate", ["0.15"] * 300 + ["15"] * 10),
        ("Discount", ["15"] * 300 + ["0.5", *ODD]),
        ("Discount", ["15"] * 3 + ODD * 300),
    ],
)
def test_haste_makes_no_difference(label: str, cells: list[str], opened: Callable[..., SourceFile]) -> None:
    with opened(label, *cells, block=4_096) as source:
        expected = values(source), source.reading
    with opened(label, *cells, block=4_096, batch_rows=500, in_haste=True) as source:
        assert not source.is_surveyed
        if source.conventions != expected[1].conventions:
            with pytest.raises(ReadOtherwise):
                values(source)
        assert (values(source), source.reading) == expected


def test_a_column_of_nothing_but_zeros_is_no_reason_to_see_all_of_it_first(opened: Callable[..., SourceFile]) -> None:
    with opened("Discount", *["0"] * 300, price="9.99", block=4_096, in_haste=True) as source:
        assert not source.is_surveyed


def test_a_mended_list_of_rejects_is_read_like_its_file(opened: Callable[..., SourceFile]) -> None:
    with opened("Discount", *ODD) as source:
        shares = Correction.of(source.reading.as_dict())
    assert shares.percentages == {"discount_pct": "share"}
    with opened("Discount", "0.5", "1", correction=shares) as source:
        assert values(source) == [50, 100]
    with opened("Discount", "0.5", "15", "20", correction=shares) as source:
        assert values(source) == [0.5, 15, 20]
    with opened("Discount", *ODD, "15") as source:
        percent = Correction.of(source.reading.as_dict())
    with opened("Discount", *ODD, correction=percent) as source:
        assert values(source) == [0.15, 0.1, 0.08]
    with opened("Discount", "0.5") as source:
        assert Correction.of(source.reading.as_dict()).percentages == {}


@pytest.mark.parametrize(("said", "value"), [("share", 13), ("percent", 0.13), (None, 0.13)])
def test_the_upload_may_say_it(tmp_path: Path, said: Any, value: float) -> None:
    """What stands under a header that says percent is taken for percent, until somebody who knows says better."""
    path = tmp_path / "sales.csv"
    rows = "".join(
        f"T-{at},2026-03-0{at},S1,Tea,A-1,1,2.50,0.{share}\n" for at, share in enumerate((13, 27, 33, 41), 1)
    )
    path.write_text(f"{LABELS},discount_pct\n{rows}")
    options = ReadOptions(percentages=said)
    with open_file(path, filename=path.name, department=registry.department("sales"), options=options) as source:
        (batch,) = source.batches()
    assert float(batch.rows.column("discount_pct")[0].as_py()) == pytest.approx(value)
    assert source.reading.basis["percentages"] == ("given" if said else "assumed")
    assert ReadOptions(**options.said()) == options
