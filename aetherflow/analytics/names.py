"""Names and references as people vary them when they type the same thing twice."""

from __future__ import annotations

import re
from collections.abc import Sequence

LEGAL_FORMS = frozenset(
    {"LTD", "LIMITED", "PLC", "LLP", "LLC", "INC", "CO", "CORP", "GMBH", "AG", "SA", "SARL", "BV", "AND", "THE"}
)
_WORDS = re.compile(r"[^\W_]+")
_REFERENCE = re.compile(r"[^\s,;:]*\d{3}[^\s,;:]*")
_SUFFIX = re.compile(r"(?<=\d)(?:[-/]?[A-Z]|[-/]\d)$")
LEAST_CHARACTERS = 5  # shorter references are a slip apart by chance
LEAST_LETTERS = 8  # a slip in a shorter name makes another name
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


def one_slip_apart(one: str, other: str) -> bool:
    """Two texts of at least five characters that differ by one missing, added or mistyped character, or by two
    neighbours exchanged."""
    if one == other or min(len(one), len(other)) < LEAST_CHARACTERS or abs(len(one) - len(other)) > 1:
        return False
    begin = 0
    shortest = min(len(one), len(other))
    while begin < shortest and one[begin] == other[begin]:
        begin += 1
    rest, other_rest = one[begin:], other[begin:]
    if len(rest) != len(other_rest):
        return rest[1:] == other_rest or rest == other_rest[1:]
    return rest[1:] == other_rest[1:] or (rest[:2] == other_rest[1::-1] and rest[2:] == other_rest[2:])
