"""What the uploader may say about a file, where what would be found by looking at it is not what they want."""

from __future__ import annotations

import string
from dataclasses import dataclass, fields
from typing import Any

from aetherflow.errors import InvalidError
from aetherflow.etl.casting import DateOrder, Decimal, Scale
from aetherflow.etl.encodings import encoding_name
from aetherflow.etl.mapping import LabelMapping
from aetherflow.etl.reading import DELIMITER_NAMES

DELIMITERS = frozenset("\t " + string.punctuation) - {'"'}


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """None: find it. A byte order mark overrides `encoding`. `mapping` wins over the names and aliases of columns; an
    empty one says to go by these alone, whatever is remembered. `percentages` says of all columns of percentages
    whether they are written in percent (15) or as shares of 1 (0.15)."""

    delimiter: str | None = None
    encoding: str | None = None
    decimal: Decimal | None = None
    date_order: DateOrder | None = None
    percentages: Scale | None = None
    sheet: str | None = None
    mapping: LabelMapping | None = None

    def said(self) -> dict[str, Any]:
        """Only what was said, JSON-ready. `ReadOptions(**said)` says the same."""
        return {each.name: value for each in fields(self) if (value := getattr(self, each.name)) is not None}


NOTHING_SAID = ReadOptions()


def parse_delimiter(text: str) -> str:
    """The character itself, from itself or from its name. Raises InvalidError invalid-delimiter."""
    named = {name: character for character, name in DELIMITER_NAMES.items()}
    delimiter = named.get(text.strip().lower(), text)
    if delimiter not in DELIMITERS:
        raise InvalidError(
            f"{text!r} cannot separate columns.",
            code="invalid-delimiter",
            hint=f"Give one character such as ; or one of the names {', '.join(named)}.",
        )
    return delimiter


def parse_encoding(text: str) -> str:
    """The encoding's own name, from any of its names. Raises InvalidError invalid-encoding."""
    name = encoding_name(text)
    if not name:
        raise InvalidError(
            f"There is no text encoding called {text!r}.",
            code="invalid-encoding",
            hint="Use utf-8, cp1252 or utf-16, or leave the encoding out to have it found.",
        )
    return name
