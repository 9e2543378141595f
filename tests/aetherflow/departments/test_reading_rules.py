"""Where one department reads a cell in a way of its own."""

from __future__ import annotations

from pathlib import Path

from aetherflow import registry
from aetherflow.etl import open_file


def first_row(path: Path, slug: str, **cells: str) -> dict[str, object]:
    department = registry.department(slug)
    names = [column.name for column in department.columns]
    row = {column.name: column.example for column in department.columns} | cells
    path.write_text("\n".join([";".join(names), ";".join(row[name] for name in names), ""]))
    with open_file(path, filename=path.name, department=department) as source:
        (batch,) = source.batches()
    assert [reject.message for reject in batch.rejects] == []
    read: dict[str, object] = batch.rows.to_pylist()[0]
    return read


def test_north_america_is_a_region(tmp_path: Path) -> None:
    assert first_row(tmp_path / "f.csv", "sales", region="NA")["region"] == "NA"
    assert first_row(tmp_path / "f.csv", "sales", region="N/A")["region"] is None


def test_a_sale_without_a_discount_has_none(tmp_path: Path) -> None:
    row = first_row(tmp_path / "f.csv", "sales", discount_pct="", quantity="-2", payment_method="CARD")
    assert (row["discount_pct"], row["quantity"], row["payment_method"]) == (0.0, -2, "card")


def test_the_bounds_of_a_discount_belong_to_it(tmp_path: Path) -> None:
    assert first_row(tmp_path / "f.csv", "sales", discount_pct="100%")["discount_pct"] == 100.0
    assert first_row(tmp_path / "f.csv", "sales", discount_pct="0")["discount_pct"] == 0.0


def test_an_unknown_lead_time_stays_unknown_and_an_unknown_minimum_is_one(tmp_path: Path) -> None:
    row = first_row(
        tmp_path / "f.csv",
        "supply_chain",
        lead_time_days="",
        supplier_id="",
        min_order_qty="",
        current_stock="0",
        reorder_point="0",
    )
    assert (row["lead_time_days"], row["supplier_id"], row["min_order_qty"]) == (None, None, 1)
    assert (row["current_stock"], row["reorder_point"]) == (0, 0)


def test_a_ledger_row_keeps_its_gaps_but_has_a_category(tmp_path: Path) -> None:
    row = first_row(
        tmp_path / "f.csv",
        "finance",
        vendor="",
        category="",
        currency="eur",
        approval_status="Declined",
        amount="(1,204.50)",
    )
    assert (row["vendor"], row["category"], row["currency"]) == (None, "Uncategorised", "EUR")
    assert (row["approval_status"], row["amount"]) == ("rejected", -1204.5)
