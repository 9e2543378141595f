"""A small department of its own, so that these tests do not change with a real one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pandera.pandas as pa
import pytest

from aetherflow.columns import Day, Integer, Number, Text, day, integer, number, text
from aetherflow.department import Department
from aetherflow.etl import Counts, FaultKind, Reading, ReadOptions, Reject, open_file
from aetherflow.etl.options import NOTHING_SAID
from aetherflow.etl.rejects import counted_by_code


class Parcels(pa.DataFrameModel):
    """One row is one parcel."""

    parcel: Text = text(description="Its number.", examples=("P-1", "P-2"), max_length=12)
    sent: Day = day(description="When it left.", examples=("2026-03-30", "2026-03-31"))
    pieces: Integer = integer(description="How many.", examples=("1", "2"), minimum=1, maximum=1_000_000)
    weight: Number = number(
        description="In kilograms.", examples=("1.5", "20"), max_digits=12, decimal_places=3, minimum=0, nullable=True
    )
    value: Number = number(
        description="What it is worth.", examples=("9.99", "10"), max_digits=15, decimal_places=2, unit="money"
    )
    remark: Text | None = text(
        description="Anything.", examples=("fragile", ""), max_length=200, nullable=True, multiline=True
    )

    class Config:
        strict = True
        coerce = False
        ordered = True


def weigh_what_was_not(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(weight=rows["weight"].fillna(0.5))


HEADER = "parcel,sent,pieces,weight,value,remark"


@dataclass(frozen=True)
class Loaded:
    reading: Reading
    rows: list[dict[str, object]]
    rejects: list[Reject]
    counts: Counts
    kinds: Counter[FaultKind]
    batches: int

    @property
    def by_code(self) -> Counter[str]:
        return counted_by_code(self.kinds)

    @property
    def lines(self) -> list[object]:
        return [row["line"] for row in self.rows]

    @property
    def faults(self) -> list[tuple[int, str | None, str]]:
        return [(reject.line, reject.column, reject.code) for reject in self.rejects]


@pytest.fixture(scope="session")
def parcels() -> Department:
    return Department(
        slug="parcels",
        label="Parcels",
        table="parcels",
        rows=Parcels,
        natural_key=("parcel",),
        aliases={"parcel no": "parcel", "parcel number": "parcel", "qty": "pieces", "date": "sent", "kg": "weight"},
        clean=(weigh_what_was_not,),
        insights=(),
    )


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@pytest.fixture(scope="session")
def load(parcels: Department, scratch: Path) -> Callable[..., Loaded]:
    """Put bytes through the whole line; session-wide, so that properties may use it."""

    def load(
        content: bytes | str, *, filename: str = "parcels.csv", said: ReadOptions = NOTHING_SAID, **options: object
    ) -> Loaded:
        path = scratch / "upload"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        with open_file(path, filename=filename, department=parcels, options=said, **options) as source:  # type: ignore[arg-type]
            batches = list(source.batches())
        counts, kinds = Counts(), Counter[FaultKind]()
        for batch in batches:
            counts += batch.counts
            kinds += batch.faults
        return Loaded(
            reading=source.reading,
            rows=[row for batch in batches for row in batch.rows.to_pylist()],
            rejects=[reject for batch in batches for reject in batch.rejects],
            counts=counts,
            kinds=kinds,
            batches=len(batches),
        )

    return load
