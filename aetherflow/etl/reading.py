"""How a file was understood: shown with the job, so that a wrong guess is seen and not suffered."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from aetherflow.etl.casting import DateOrder, Decimal
from aetherflow.etl.mapping import MappingSource

DELIMITER_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
ORDER_NAMES = {"iso": "ISO dates", "day-first": "day first", "month-first": "month first"}


@dataclass(frozen=True, kw_only=True)
class Reading:
    """`mapping` leads from the user's headers to the columns they were read as, `mapping_from` says whether somebody
    had said so; of a remembered one `mapping_by` and `mapping_at` (ISO 8601) say who and when.

    Not read are `left_out` (on purpose), `unknown_columns` and, by their places from 1, `unlabelled_columns`;
    `suggestions` leads from unknown headers to the columns they may have been meant for. `decimal_assumed` and
    `date_order_assumed` say that no cell of the file settled the question and the default was taken.
    """

    encoding: str
    delimiter: str
    decimal: Decimal
    decimal_assumed: bool
    date_order: DateOrder
    date_order_assumed: bool
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
    def summary(self) -> str:
        """Such as 'cp1252, semicolon, decimal comma, day first'."""
        order = ORDER_NAMES[self.date_order] + (" (assumed)" if self.date_order_assumed else "")
        return ", ".join(
            (
                self.encoding,
                DELIMITER_NAMES.get(self.delimiter, repr(self.delimiter)),
                "decimal comma" if self.decimal == "," else "decimal point",
                order,
            )
        )

    def as_dict(self) -> dict[str, object]:
        """JSON-ready."""
        return {**asdict(self), "summary": self.summary}
