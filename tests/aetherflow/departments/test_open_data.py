"""Real files of others, where they are at hand: they load, all of them."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import pytest

from aetherflow import registry
from aetherflow.etl import Counts, open_file

DATA = Path(__file__).parents[4] / "shared" / "data"
FILES = [
    ("finance", "finance_birmingham_pcard_2017h1", 15_814),
    ("finance", "finance_manchester_2019", 39_731),
    ("supply_chain", "inventory_iowa_cedar_rapids", 10_400),
    ("supply_chain", "inventory_uci", 7_800),
    ("sales", "sales_iowa_marion", 57_816),
    ("sales", "sales_uci_online_retail", 289_619),
]


@pytest.mark.skipif(not DATA.is_dir(), reason="the open data files are not on this machine")
@pytest.mark.parametrize(("slug", "name", "rows"), FILES, ids=[name for _, name, _ in FILES])
def test_loads_without_a_reject(slug: str, name: str, rows: int, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.csv"
    with gzip.open(DATA / f"{name}.csv.gz") as packed, path.open("wb") as unpacked:
        shutil.copyfileobj(packed, unpacked)
    with open_file(path, filename=path.name, department=registry.department(slug)) as source:
        counts = sum((batch.counts for batch in source.batches()), Counts())
    assert counts == Counts(read=rows, loaded=rows)
