"""What the uploader may say about a file, where what would be found by looking at it is not what they want."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aetherflow.etl.casting import DateOrder, Decimal


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """None: find it. A byte order mark overrides `encoding`. `mapping` leads from the file's header labels to the
    department's columns, and wins over names and aliases."""

    delimiter: str | None = None
    encoding: str | None = None
    decimal: Decimal | None = None
    date_order: DateOrder | None = None
    sheet: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)


NOTHING_SAID = ReadOptions()
