"""Which column of the file is which column of the department."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from aetherflow.columns import Column, label_key
from aetherflow.department import Department
from aetherflow.etl.mapping import (
    LabelMapping,
    MappingSource,
    Memory,
    Remembered,
    mapping_faults,
    missing_labels,
    nothing_remembered,
)
from aetherflow.etl.rejects import FileRefused

_MOST_NAMED = 5
# A sentence or two; what is longer is a cell that was not closed, or meant to fill whatever shows it.
LONGEST_LABEL = 1_000


@dataclass(frozen=True, kw_only=True)
class Mapping:
    """`positions` leads from a department's column to its place in the file, `labels` to the user's header.

    Not read are `left_out`, the labels somebody said to leave out, `unknown` ones, and the columns at the places
    `unlabelled` (from 1), which have none. `suggestions` leads from unknown labels to the optional columns they may
    have been meant for; nothing is read by them. `source` is whose mapping was followed, `memory` the remembered one.
    """

    positions: dict[str, int]
    labels: dict[str, str]
    left_out: list[str]
    unknown: list[str]
    unlabelled: list[int]
    suggestions: dict[str, str]
    missing_optional: list[str]
    source: MappingSource
    memory: Remembered | None = None


class Labels:
    """The spellings of headers a department understands, and before them those a mapping names."""

    def __init__(self, department: Department, *, mapping: LabelMapping | None = None) -> None:
        self.names = {label_key(column.name): column.name for column in department.columns}
        self.aliases = {label_key(alias): name for alias, name in department.aliases.items()}
        self.chosen = {label_key(label): column or None for label, column in (mapping or {}).items()}

    def __contains__(self, label: str) -> bool:
        key = label_key(label)
        return key in self.chosen or key in self.names or key in self.aliases


def match_header(
    header: Sequence[str],
    *,
    department: Department,
    line: int,
    mapping: LabelMapping | None = None,
    memory: Memory = nothing_remembered,
) -> Mapping:
    """Match the labels of a header, `line` being where it stands.

    The uploader's `mapping` comes first, then a column's own name, then an alias; what comes later for the same column
    counts as unknown. Without a mapping what `memory` knows of the header takes its place, as far as it fits. Raises
    FileRefused: label-too-long, duplicate-label, missing-label, mapping-error (never for a remembered one).
    """
    _refuse_long(header, line=line)
    _refuse_repeated(header, line=line)
    if mapping is not None:
        _refuse_wrong(mapping, header, department=department, line=line)
        return _match(
            header,
            labels=Labels(department, mapping=mapping),
            department=department,
            line=line,
            source="upload" if mapping else "none",
        )
    if (remembered := memory(header)) and (fitting := _fitting(remembered.mapping, header, department=department)):
        try:
            return _match(
                header,
                labels=Labels(department, mapping=fitting),
                department=department,
                line=line,
                source="remembered",
                memory=remembered,
            )
        except FileRefused:
            # The department's columns have changed since: nobody has said this of this file, so it is not its fault.
            pass
    return _match(header, labels=Labels(department), department=department, line=line, source="none")


def _match(
    header: Sequence[str],
    *,
    labels: Labels,
    department: Department,
    line: int,
    source: MappingSource,
    memory: Remembered | None = None,
) -> Mapping:
    keys = [label_key(label) for label in header]
    positions = {column: at for at, key in enumerate(keys) if header[at] and (column := labels.chosen.get(key))}
    for at, key in enumerate(keys):
        if key not in labels.chosen and (name := labels.names.get(key)) is not None:
            positions.setdefault(name, at)
    own = set(positions)
    for at, key in enumerate(keys):
        name = labels.aliases.get(key)
        if name is None or name in own or key in labels.names or key in labels.chosen:
            continue
        if name in positions:
            label = header[at]
            raise _duplicate(f"{header[positions[name]]!r} and {label!r} both mean {name}", column=label, line=line)
        positions[name] = at
    used = set(positions.values())
    left_out = [label for label, key in zip(header, keys, strict=True) if label and labels.chosen.get(key, "") is None]
    unknown = [label for at, label in enumerate(header) if label and at not in used and label not in left_out]
    missing = [column for column in department.columns if column.name not in positions]
    _refuse_missing([column for column in missing if column.required], header, unknown, labels=labels, line=line)
    return Mapping(
        positions=positions,
        labels={name: header[at] for name, at in positions.items()},
        left_out=left_out,
        unknown=unknown,
        unlabelled=[at + 1 for at, label in enumerate(header) if not label],
        suggestions={
            near: column.name for column in reversed(missing) if (near := _nearest(column.name, unknown, labels=labels))
        },
        missing_optional=[column.name for column in missing],
        source=source,
        memory=memory,
    )


def _fitting(mapping: LabelMapping, header: Sequence[str], *, department: Department) -> LabelMapping:
    """What of a remembered mapping still means something for this header and the department's columns."""
    present = {label_key(label) for label in header if label}
    known = {column.name for column in department.columns}
    return {
        label: column
        for label, column in mapping.items()
        if label_key(label) in present and (not column or column in known)
    }


def _refuse_wrong(mapping: LabelMapping, header: Sequence[str], *, department: Department, line: int) -> None:
    faults = [*mapping_faults(mapping, department=department), *missing_labels(mapping, header=header)]
    if not faults:
        return
    named = " ".join(fault.message for fault in faults[:_MOST_NAMED])
    rest = f" And {len(faults) - _MOST_NAMED:,} more." if len(faults) > _MOST_NAMED else ""
    raise FileRefused(
        f"{named}{rest}",
        code="mapping-error",
        hint=" ".join(dict.fromkeys(fault.hint for fault in faults[:_MOST_NAMED])),
        line=line,
        column=faults[0].label if len(faults) == 1 else None,
        details={
            "labels": [fault.label for fault in faults],
            "found": [label for label in header if label],
            "suggestions": {fault.label: fault.near for fault in faults if fault.near},
        },
    )


def _refuse_long(header: Sequence[str], *, line: int) -> None:
    place, label = max(enumerate(header, 1), key=lambda column: len(column[1]), default=(0, ""))
    if len(label) > LONGEST_LABEL:
        raise FileRefused(
            f"The label of column {place} has {len(label):,} characters; at most {LONGEST_LABEL:,} are read. It begins "
            f"with {label[:60]!r}.",
            code="label-too-long",
            hint="Give the column a short name, and check whether a quotation mark in the header is left open.",
            line=line,
        )


def _refuse_repeated(header: Sequence[str], *, line: int) -> None:
    repeated = [key for key, count in Counter(label_key(label) for label in header if label).items() if count > 1]
    if repeated:
        same = [label for label in header if label and label_key(label) == repeated[0]]
        raise _duplicate(f"{same[1]!r} stands {len(same)} times", column=same[1], line=line)


def _duplicate(what: str, *, column: str, line: int) -> FileRefused:
    return FileRefused(
        f"The header has a column twice: {what}.",
        code="duplicate-label",
        hint="Keep one of the columns, or rename the other.",
        line=line,
        column=column,
    )


def _refuse_missing(
    missing: Sequence[Column], header: Sequence[str], unknown: Sequence[str], *, labels: Labels, line: int
) -> None:
    if not missing:
        return
    suggestions = {column.name: _nearest(column.name, unknown, labels=labels) for column in missing}
    named = ", ".join(f"{name} (did you mean {near!r}?)" if near else name for name, near in suggestions.items())
    found = ", ".join(label for label in header if label)
    raise FileRefused(
        f"The header lacks {'a required column' if len(missing) == 1 else 'required columns'}: {named}.",
        code="missing-label",
        hint=f"Found: {found[:500]}. {_what_to_do(header)}",
        line=line,
        column=missing[0].name if len(missing) == 1 else None,
        details={
            "missing": list(suggestions),
            "found": [label for label in header if label],
            "suggestions": {name: near for name, near in suggestions.items() if near},
        },
    )


def _nearest(name: str, unknown: Sequence[str], *, labels: Labels) -> str | None:
    keys = {label_key(label): label for label in unknown}
    spellings = [label_key(name), *(key for key, target in labels.aliases.items() if target == name)]
    for spelling in spellings:
        if near := difflib.get_close_matches(spelling, keys, n=1, cutoff=0.75):
            return keys[near[0]]
    return None


def _what_to_do(header: Sequence[str]) -> str:
    if any(any(character.isdigit() for character in label) and label[:1].isdigit() for label in header):
        return "The first line must hold the column names, not data."
    return "Add or rename the columns, or say at upload which label means which column; the template shows every name."
