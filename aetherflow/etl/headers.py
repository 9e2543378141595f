"""Which column of the file is which column of the department."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from aetherflow.columns import Column, label_key
from aetherflow.department import Department
from aetherflow.etl.rejects import FileRefused


@dataclass(frozen=True, kw_only=True)
class Mapping:
    """`positions` leads from a department's column to its place in the file, `labels` to the user's header."""

    positions: dict[str, int]
    labels: dict[str, str]
    unknown: list[str]
    missing_optional: list[str]


class Labels:
    """The spellings of headers a department understands."""

    def __init__(self, department: Department) -> None:
        self.names = {label_key(column.name): column.name for column in department.columns}
        self.aliases = {label_key(alias): name for alias, name in department.aliases.items()}

    def __contains__(self, label: str) -> bool:
        key = label_key(label)
        return key in self.names or key in self.aliases


def match_header(header: Sequence[str], *, department: Department, line: int) -> Mapping:
    """Match the labels of a header, `line` being where it stands.

    A column's own name wins over an alias, which then counts as unknown. Raises FileRefused: duplicate-label,
    missing-label.
    """
    _refuse_repeated(header, line=line)
    labels = Labels(department)
    positions: dict[str, int] = {}
    for at, label in enumerate(header):
        if (name := labels.names.get(label_key(label))) is not None:
            positions[name] = at
    own = set(positions)
    for at, label in enumerate(header):
        name = labels.aliases.get(label_key(label))
        if name is None or name in own or label_key(label) in labels.names:
            continue
        if name in positions:
            raise _duplicate(f"{header[positions[name]]!r} and {label!r} both mean {name}", column=label, line=line)
        positions[name] = at
    used = set(positions.values())
    unknown = [label for at, label in enumerate(header) if label and at not in used]
    missing = [column for column in department.columns if column.name not in positions]
    _refuse_missing([column for column in missing if column.required], header, unknown, labels=labels, line=line)
    return Mapping(
        positions=positions,
        labels={name: header[at] for name, at in positions.items()},
        unknown=unknown,
        missing_optional=[column.name for column in missing],
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
    return "Add or rename the columns; the template shows every name."
