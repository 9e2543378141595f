"""How a file was understood: shown with the job, so that a wrong guess is seen and not suffered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from aetherflow.etl.casting import Conventions, DateOrder, Decimal, Scale
from aetherflow.etl.formats.table import Basis
from aetherflow.etl.mapping import MappingSource

DELIMITER_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
FORMAT_NAMES = {
    "xlsx": "Excel workbook",
    "xls": "old Excel workbook",
    "parquet": "Parquet",
    "jsonl": "JSON lines",
    "json": "JSON",
}
ORDER_NAMES = {"iso": "ISO dates", "day-first": "day first", "month-first": "month first", "year-first": "year first"}


@dataclass(frozen=True, kw_only=True)
class Reading:
    """`mapping` leads from the user's headers to the columns they were read as, `mapping_from` says whether somebody
    had said so; of a remembered one `mapping_by` and `mapping_at` (ISO 8601) say who and when.

    Not read are `left_out` (on purpose), `unknown_columns` and, by their places from 1, `unlabelled_columns`;
    `suggestions` leads from unknown headers to the columns they may have been meant for.

    `percentages` says of columns of percentages whether they are written in percent or as shares of 1, as far as it
    makes a difference in the file.

    `basis` says of encoding, delimiter, sheet, decimal, date_order and percentages whether each was given at the
    upload, found in the file, or assumed because nothing in the file settled it. What the format does not have is None.
    """

    format: str
    compression: str | None
    encoding: str | None
    delimiter: str | None
    sheet: str | None
    decimal: Decimal
    date_order: DateOrder
    percentages: Mapping[str, Scale]
    basis: Mapping[str, Basis]
    header_line: int
    header: list[str]
    mapping: dict[str, str]
    mapping_from: MappingSource
    mapping_by: str | None
    mapping_at: str | None
    left_out: list[str]
    unknown_columns: list[str]
    unlabelled_columns: list[int]
    suggestions: dict[str, str]
    missing_optional: list[str]

    @property
    def decimal_assumed(self) -> bool:
        return self.basis["decimal"] == "assumed"

    @property
    def date_order_assumed(self) -> bool:
        return self.basis["date_order"] == "assumed"

    @property
    def percentages_assumed(self) -> bool:
        return self.basis.get("percentages") == "assumed"

    @property
    def conventions(self) -> Conventions:
        shares = frozenset(name for name, scale in self.percentages.items() if scale == "share")
        return Conventions(decimal=self.decimal, date_order=self.date_order, shares=shares)

    @property
    def summary(self) -> str:
        """Such as 'cp1252, semicolon, decimal comma, day first' or 'Excel workbook, sheet Sales, ISO dates'."""
        is_text = self.delimiter is not None
        parts = [
            self.compression,
            FORMAT_NAMES.get(self.format),
            self.encoding if is_text else None,
            DELIMITER_NAMES.get(self.delimiter, repr(self.delimiter)) if self.delimiter else None,
            f"sheet {self.sheet}" if self.sheet else None,
            # Numbers that are no texts have no sign to tell of.
            self._decimal if is_text or not self.decimal_assumed else None,
            ORDER_NAMES[self.date_order] + (" (assumed)" if self.date_order_assumed else ""),
            *self._percentages,
        ]
        return ", ".join(part for part in parts if part)

    @property
    def _decimal(self) -> str:
        return "decimal comma" if self.decimal == "," else "decimal point"

    @property
    def _percentages(self) -> list[str]:
        """Nothing where they are written in percent, as is usual, and nothing speaks against it."""
        shares = self.conventions.shares
        told = [f"{label} as shares of 1" for label, name in self.mapping.items() if name in shares]
        return [*told, "percentages in percent (assumed)"] if self.percentages_assumed else told

    def as_dict(self) -> dict[str, object]:
        """JSON-ready."""
        return {
            **asdict(self),
            "decimal_assumed": self.decimal_assumed,
            "date_order_assumed": self.date_order_assumed,
            "percentages_assumed": self.percentages_assumed,
            "summary": self.summary,
        }
