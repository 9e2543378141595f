"""Names and references as people vary them when they type the same thing twice."""

from __future__ import annotations

import re

LEGAL_FORMS = frozenset(
    {"LTD", "LIMITED", "PLC", "LLP", "LLC", "INC", "CO", "CORP", "GMBH", "AG", "SA", "SARL", "BV", "AND", "THE"}
)
_WORDS = re.compile(r"[^\W_]+")
_REFERENCE = re.compile(r"[^\s,;:]*\d{3}[^\s,;:]*")
_SUFFIX = re.compile(r"(?<=\d)[-/]?[A-Z]$")


def payee_key(name: str) -> str:
    """'Jacobs U.K. Limited' and 'JACOBS UK LTD' are one payee: letters and digits only, no legal form, no case."""
    words = [word for word in _WORDS.findall(name.upper().replace(".", "")) if word not in LEGAL_FORMS]
    return " ".join(words) or name.upper()


def reference_in(text: str) -> str:
    """The first word with three digits in a row in a note ('ref 5101014252A'), in capitals; '' without one."""
    found = _REFERENCE.search(text)
    return found.group().upper() if found else ""


def reference_core(reference: str) -> str:
    """The reference without a last letter: invoices paid twice come as 4711 and 4711A."""
    return _SUFFIX.sub("", reference)
