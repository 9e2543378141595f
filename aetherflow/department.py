"""A department is a value: its rows, how its files are read and cleaned, and the insights it offers."""

from __future__ import annotations

import csv
import inspect
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pandera.pandas as pa

from aetherflow.columns import Column, columns_of, label_key
from aetherflow.insight import Insight

# The clean table and the batches carry these beside the department's own columns.
RESERVED = frozenset({"id", "dataset", "dataset_id", "line"})


class Samples(NamedTuple):
    """A file that loads, with every edge case in it, and one that is refused."""

    good: Path
    bad: Path


@dataclass(frozen=True, kw_only=True)
class Department:
    """One department's whole contract.

    `table` is the plural of what one row is. `natural_key` names what makes a row the same row in another upload.
    `aliases` map other spellings of a header to a column. `clean` are applied in order to rows that passed the schema
    and must give rows that pass it again; applying them twice changes nothing. `max_reject_share` is the share of
    rows (0 to 1) that may be rejected before the whole file is refused. Raises ValueError for a contract that
    contradicts itself.
    """

    slug: str
    label: str
    table: str
    rows: type[pa.DataFrameModel]
    natural_key: tuple[str, ...]
    aliases: Mapping[str, str]
    clean: tuple[Callable[[pd.DataFrame], pd.DataFrame], ...]
    insights: tuple[Insight, ...]
    max_reject_share: float = 0.20

    def __post_init__(self) -> None:
        faults = [*self._own_faults(), *self._key_faults(), *self._alias_faults(), *self._insight_faults()]
        if faults:
            raise ValueError(f"Department {self.slug!r}: {' '.join(faults)}")

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        return columns_of(self.rows)

    @cached_property
    def decimals(self) -> Mapping[str, int]:
        """The decimal places of the columns of numbers."""
        return {column.name: column.decimal_places for column in self.columns if column.decimal_places is not None}

    @cached_property
    def samples(self) -> Samples:
        folder = Path(inspect.getfile(self.rows)).parent / "samples"
        return Samples(good=folder / "good.csv", bad=folder / "bad.csv")

    def column(self, name: str) -> Column:
        """The column of that name; raises KeyError."""
        return self._by_name[name]

    def template_csv(self) -> str:
        """The header and two worked rows, as CSV with CRLF line ends: what a person fills in."""
        sheet = io.StringIO(newline="")
        writer = csv.writer(sheet)
        writer.writerow(column.name for column in self.columns)
        for row in zip(*(column.examples for column in self.columns), strict=True):
            writer.writerow(row)
        return sheet.getvalue()

    @cached_property
    def _by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    def _own_faults(self) -> list[str]:
        faults = []
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.slug):
            faults.append("The slug must be lower-case letters, digits and underscores.")
        if not 0 <= self.max_reject_share <= 1:
            faults.append(f"max_reject_share is a share from 0 to 1, not {self.max_reject_share}.")
        if taken := sorted(RESERVED & self._by_name.keys()):
            faults.append(f"The column names {taken} are the platform's own.")
        schema = self.rows.to_schema()
        if schema.unique or any(column.unique for column in schema.columns.values()):
            faults.append(
                "What must be unique is the natural key; the schema's `unique` sees one batch of a file only."
            )
        faults += [
            f"{column.name!r} may be left out of a file, so its cells must be nullable."
            for column in self.columns
            if not column.required and not column.nullable
        ]
        return faults

    def _key_faults(self) -> list[str]:
        if not self.natural_key:
            return ["It needs a natural key."]
        faults = []
        for name in self.natural_key:
            if name not in self._by_name:
                faults.append(f"The natural key names {name!r}, which is no column.")
            elif self._by_name[name].nullable:
                faults.append(f"{name!r} is part of the natural key and may not be nullable.")
        return faults

    def _alias_faults(self) -> list[str]:
        faults = []
        keys = {label_key(name): name for name in self._by_name}
        for alias, name in self.aliases.items():
            if name not in self._by_name:
                faults.append(f"The alias {alias!r} leads to {name!r}, which is no column.")
            elif keys.setdefault(label_key(alias), name) != name:
                faults.append(f"The alias {alias!r} leads to {name!r} and to {keys[label_key(alias)]!r}.")
        return faults

    def _insight_faults(self) -> list[str]:
        return [
            f"The insight {insight.kind!r} wants {name!r}, which is no column."
            for insight in self.insights
            for name in insight.columns
            if name not in self._by_name
        ]
