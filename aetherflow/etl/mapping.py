"""Which label of a header a person has said means which column, and whether that can be followed."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from aetherflow.columns import label_key
from aetherflow.department import Department
from aetherflow.errors import InvalidError

# From a header's label to a column's name. None: the label's column is left out on purpose.
LabelMapping = Mapping[str, str | None]
MappingSource = Literal["upload", "remembered", "none"]

# As many as a header may have columns.
MOST_LABELS = 500
LONGEST_LABEL = 500
_EXAMPLE = 'Write it as {"Qty": "quantity", "Cashier": null}; null leaves a column out.'


@dataclass(frozen=True, kw_only=True)
class Remembered:
    """The mapping an earlier file with these labels was loaded with, who gave it, and when."""

    mapping: LabelMapping
    by: str
    at: datetime


# What is remembered for a header, if anything is.
Memory = Callable[[Sequence[str]], Remembered | None]


def nothing_remembered(header: Sequence[str]) -> None:
    """The Memory of those who keep none."""
    del header


@dataclass(frozen=True, kw_only=True)
class MappingFault:
    """Why one entry of a mapping cannot be followed. `near` is what may have been meant."""

    label: str
    message: str
    hint: str
    near: str | None = None


def header_shape(header: Sequence[str]) -> str:
    """The same 64 characters for all headers with these labels, in whatever order and spelling of case and spaces."""
    keys = sorted(label_key(label) for label in header if label)
    return hashlib.sha256(json.dumps(keys).encode()).hexdigest()


def parse_mapping(text: str) -> dict[str, str | None]:
    """A mapping from its JSON. Raises InvalidError mapping-error for what is no mapping."""
    try:
        pairs = json.loads(text, object_pairs_hook=_Pairs)
    except RecursionError:
        raise _unreadable("The mapping is nested too deeply to be read.") from None
    except ValueError as error:
        raise _unreadable(f"The mapping is not JSON: {error}.") from None
    if not isinstance(pairs, _Pairs):
        raise _unreadable("The mapping is not a JSON object.")
    if len(pairs) > MOST_LABELS:
        raise _unreadable(f"The mapping has {len(pairs):,} labels; at most {MOST_LABELS} are taken.")
    mapping: dict[str, str | None] = {}
    for label, column in pairs:
        _refuse_odd_text(label)
        if not label.strip():
            raise _unreadable("The mapping has an empty label.")
        if column is not None and not isinstance(column, str):
            raise _unreadable(f"The mapping leads {label!r} to something that is neither a text nor null.")
        if label in mapping:
            raise _unreadable(f"The mapping names {label!r} twice.")
        if column:
            _refuse_odd_text(column)
        mapping[label] = column or None
    return mapping


def mapping_faults(mapping: LabelMapping, *, department: Department) -> list[MappingFault]:
    """What is wrong with a mapping whatever the file: columns there are not, a label or a column twice."""
    names = {label_key(column.name): column.name for column in department.columns}
    spellings = names | {label_key(alias): name for alias, name in department.aliases.items()}
    known = {column.name for column in department.columns}
    labels: dict[str, str] = {}
    columns: dict[str, str] = {}
    faults = []
    for label, column in mapping.items():
        if (first := labels.setdefault(label_key(label), label)) != label:
            faults.append(
                MappingFault(
                    label=label,
                    message=f"The mapping names the label {label!r} twice, first as {first!r}.",
                    hint="Case, spaces, underscores, hyphens and dots do not tell labels apart: keep one.",
                )
            )
        if column and column not in known:
            near = _nearest(column, spellings)
            faults.append(
                MappingFault(
                    label=label,
                    message=f"The mapping leads {label!r} to {column!r}, which is no column of {department.label}.",
                    hint=f"Did you mean {near}?" if near else f"The columns are {', '.join(names.values())}.",
                    near=near,
                )
            )
        elif column and (other := columns.setdefault(column, label)) != label:
            faults.append(
                MappingFault(
                    label=label,
                    message=f"The mapping leads both {other!r} and {label!r} to {column}.",
                    hint="Keep one of them, and leave the other out with null.",
                )
            )
    return faults


def missing_labels(mapping: LabelMapping, *, header: Sequence[str]) -> Iterator[MappingFault]:
    """The labels of the mapping that the header has not."""
    present = {label_key(label): label for label in header if label}
    for label in mapping:
        if label_key(label) not in present:
            near = _nearest(label, present)
            yield MappingFault(
                label=label,
                message=f"The mapping names the label {label!r}, which the header has not.",
                hint=f"Did you mean {near!r}?" if near else f"Found: {', '.join(present.values())[:500]}.",
                near=near,
            )


class _Pairs(list[tuple[str, object]]):
    """A JSON object as it was written: a dict would keep the last of two equal names and say nothing."""


def _refuse_odd_text(text: str) -> None:
    if len(text) > LONGEST_LABEL:
        raise _unreadable(f"The mapping holds {text[:40]!r}…, of {len(text):,} characters; {LONGEST_LABEL} are taken.")
    # Neither can be stored as JSON, and no header has them.
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise _unreadable(f"The mapping holds a character that is none in {text!r}.")


def _unreadable(message: str) -> InvalidError:
    return InvalidError(message, code="mapping-error", hint=_EXAMPLE)


def _nearest(word: str, spellings: Mapping[str, str]) -> str | None:
    near = difflib.get_close_matches(label_key(word), spellings, n=1, cutoff=0.7)
    return spellings[near[0]] if near else None
