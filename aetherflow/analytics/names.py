"""Names and references as people vary them when they type the same thing twice."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from aetherflow.analytics.columns import Bools, Ints, Texts

Characters = npt.NDArray[np.uint32]

LEGAL_FORMS = frozenset(
    {"LTD", "LIMITED", "PLC", "LLP", "LLC", "INC", "CO", "CORP", "GMBH", "AG", "SA", "SARL", "BV", "AND", "THE"}
)
_WORDS = re.compile(r"[^\W_]+")
_REFERENCE = re.compile(r"[^\s,;:]*\d{3}[^\s,;:]*")
_SUFFIX = re.compile(r"(?<=\d)(?:[-/]?[A-Z]|[-/]\d)$")
LEAST_CHARACTERS = 5  # shorter references are a slip apart by chance
LEAST_LETTERS = 8  # a slip in a shorter name makes another name
_PAIRS = 4_096  # texts of 2,000 characters, so many at once, are 33 MB
MOST_NAMES = 100_000  # looking for slips costs the time of some twenty look-ups a name


def payee_key(name: str) -> str:
    """'Jacobs U.K. Limited' and 'JACOBS UK LTD' are one payee: letters and digits only, no legal form, no case."""
    words = [word for word in _WORDS.findall(name.upper().replace(".", "")) if word not in LEGAL_FORMS]
    return " ".join(words) or name.upper()


def reference_in(text: str) -> str:
    """The first word with three digits in a row in a note ('ref 5101014252A'), in capitals; '' without one."""
    found = _REFERENCE.search(text)
    return found.group().upper() if found else ""


def reference_core(reference: str) -> str:
    """The reference without a last letter or part number: invoices paid twice come as 4711 and 4711A or 4711-2."""
    return _SUFFIX.sub("", reference)


def kindred(keys: Sequence[str]) -> list[int]:
    """For every name the place of the first name it is at most one slip away from, its own where there is none.

    Two names are a slip apart when leaving one letter out of one or both makes them equal (a letter missing, doubled,
    mistyped, or two exchanged); digits must agree, since "store 12" is not "store 13". Deletion neighbourhoods: Mor &
    Fraenkel (1982), CACM 25.
    """
    first: dict[str, int] = {}
    root = list(range(len(keys)))
    if len(keys) > MOST_NAMES:
        return root
    for place, key in enumerate(keys):
        plain = key.replace(" ", "")
        if sum(map(str.isalpha, plain)) < LEAST_LETTERS:
            continue
        cut = {plain[:at] + plain[at + 1 :] for at, letter in enumerate(plain) if letter.isalpha()} | {plain}
        root[place] = min((root[first[text]] for text in cut if text in first), default=place)
        for text in cut:
            first.setdefault(text, place)
    return root


def slips_apart(texts: Texts, ones: Ints, others: Ints) -> Bools:
    """Which of the pairs, `texts[ones]` and `texts[others]` place by place, are two texts of at least five characters
    that differ by one missing, added or mistyped character, or by two neighbours exchanged."""
    length = pc.utf8_length(texts).to_numpy()
    lengths, other_lengths = length[ones], length[others]
    near = (np.minimum(lengths, other_lengths) >= LEAST_CHARACTERS) & (np.abs(lengths - other_lengths) <= 1)
    pairs = np.flatnonzero(near)
    found = np.zeros(len(near), dtype=bool)
    for at in range(0, len(pairs), _PAIRS):
        part = pairs[at : at + _PAIRS]
        swapped = (lengths[part] < other_lengths[part])[:, None]
        width = int(max(lengths[part].max(), other_lengths[part].max())) + 1
        one, other = (_characters(texts.take(rows[part]), width) for rows in (ones, others))
        longer, shorter = np.where(swapped, other, one), np.where(swapped, one, other)
        found[part] = _one_slip(longer, shorter, added=lengths[part] != other_lengths[part])
    return found


def _one_slip(longer: Characters, shorter: Characters, *, added: Bools) -> Bools:
    differ = longer != shorter
    row = np.arange(len(differ))
    first, count = differ.argmax(axis=1), differ.sum(axis=1)
    after = np.minimum(first + 1, differ.shape[1] - 1)
    exchanged = (longer[row, first] == shorter[row, after]) & (longer[row, after] == shorter[row, first])
    # Without the character that is one too many, all that follows it is the same.
    moved = longer[:, 1:] != shorter[:, :-1]
    last_moved = np.where(moved.any(axis=1), moved.shape[1] - 1 - moved[:, ::-1].argmax(axis=1), -1)
    mistyped = (count == 1) | ((count == 2) & differ[row, after] & exchanged)
    return np.asarray(np.where(added, last_moved < first, mistyped))


def _characters(texts: Texts, width: int) -> Characters:
    """(texts, width): the code points, and zeros to the end."""
    return np.array(texts.to_pylist(), dtype=f"U{width}").view(np.uint32).reshape(len(texts), width)
