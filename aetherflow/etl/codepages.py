"""Which single-byte encoding a text is in, by the shape its words take in each.

Any bytes at all are some text in most of them, and no byte says which. But words have a shape in every language: no
capital stands behind a small letter, no sign between two letters, no letter beside a digit, and no Latin letter beside
a Cyrillic one. What is wrong in one encoding, £ódŸ, is right in another, Łódź.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

USUAL = "cp1252"
# In the order of how often they are met, where two of them make the same text of a file.
CENTRAL_EUROPEAN = ("cp1250", "iso8859-2")
# Old ones, whose signs and letters stand elsewhere. They only keep the others from being taken for them: what little
# of a text in Shift-JIS is beyond ASCII has the shape of words in them too.
ONLY_RIVALS = ("cp850", "mac-roman")
OF_OTHER_ALPHABETS = ("cp1251", "cp1253")
FIRST_BEYOND_ASCII = 0x80
CHUNK = 1 << 18
# A text of any language has fewer different ones; noise has more, and is not worth counting.
MOST_TRIPLES = 20_000
# The usual encoding must be wrong about one in so many of the signs that another reads differently, and that other one
# about so many times fewer: a slip of the pen must not turn all accents of a file into other ones.
TELLING = 10
JOINERS = frozenset("'\u2018\u2019-\u2013\u2014\u2026\u00ad\u00a0_.,/&")

Triples = Counter[tuple[int, int, int]]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sign:
    text: str
    script: str  # of a letter: its alphabet; else empty
    is_upper: bool
    is_lower: bool
    is_digit: bool
    is_joiner: bool
    is_apart: bool  # never beside a letter: a currency or a piece of a frame


def likeliest(path: Path) -> str:
    """The encoding of a file that is no UTF-8: cp1252 unless the shape of its words says clearly that it is another."""
    triples = _triples(path)
    # Latin letters with an accent stand alone or by two, and seldom by three as in żółty; of other alphabets all do.
    amid_others = sum(count for triple, count in triples.items() if min(triple) >= FIRST_BEYOND_ASCII)
    is_latin = 2 * amid_others <= triples.total()
    usual = _alphabet(USUAL)
    others = (*CENTRAL_EUROPEAN, *ONLY_RIVALS) if is_latin else OF_OTHER_ALPHABETS
    candidates = {name: _alphabet(name) for name in others}
    wrong = {
        name: _wrong(triples, alphabet)
        for name, alphabet in candidates.items()
        if not any(alphabet[sign] is None for _, sign, _ in triples)
    }
    if not wrong:
        return USUAL
    best = min(wrong, key=wrong.__getitem__)
    read = {name: [candidates[name][sign] for _, sign, _ in triples] for name in wrong if wrong[name] == wrong[best]}
    if best in ONLY_RIVALS or any(signs != read[best] for signs in read.values()):
        return USUAL
    wrong_in_usual = _wrong(triples, usual) if is_latin else amid_others
    differing = sum(count for (_, sign, _), count in triples.items() if candidates[best][sign] != usual[sign])
    is_clear = wrong_in_usual * TELLING >= differing and wrong[best] * TELLING <= wrong_in_usual
    return best if wrong_in_usual and is_clear else USUAL


def _wrong(triples: Triples, alphabet: list[_Sign | None]) -> int:
    return sum(count for triple, count in triples.items() if _is_wrong(triple, alphabet))


def _triples(path: Path) -> Triples:
    """How often each byte beyond ASCII stands between which two others."""
    found: Triples = Counter()
    before = b"\n"
    with path.open("rb") as file:
        while before and len(found) < MOST_TRIPLES:
            chunk = file.read(CHUNK)
            signs = np.frombuffer(before + (chunk or b"\n"), dtype=np.uint8)
            places = np.flatnonzero(signs[1:-1] >> 7) + 1
            ahead, sign, behind = (signs[places + step].astype(np.uint32) for step in (-1, 0, 1))
            codes, counts = np.unique(ahead << 16 | sign << 8 | behind, return_counts=True)
            for code, count in zip(codes.tolist(), counts.tolist(), strict=True):
                found[code >> 16, code >> 8 & 0xFF, code & 0xFF] += count
            before = signs[-2:].tobytes() if chunk else b""
    return found


def _alphabet(encoding: str) -> list[_Sign | None]:
    """What each byte is; None for those that are nothing in the encoding, or a control sign."""
    signs: list[_Sign | None] = []
    for byte in range(256):
        text = bytes([byte]).decode(encoding, errors="replace")
        is_none = text == "\ufffd" or "\x80" <= text <= "\x9f"
        signs.append(None if is_none else _sign(text))
    return signs


def _sign(text: str) -> _Sign:
    category = unicodedata.category(text)
    is_letter = category in {"Lu", "Ll", "Lt"} and text != "µ"
    return _Sign(
        text=text,
        script=unicodedata.name(text).split()[0] if is_letter else "",
        is_upper=category == "Lu",
        is_lower=category == "Ll",
        is_digit=category == "Nd",
        is_joiner=text in JOINERS,
        is_apart=category == "Sc" or "\u2500" <= text <= "\u259f",
    )


def _is_wrong(triple: tuple[int, int, int], alphabet: list[_Sign | None]) -> bool:
    before, sign, after = (alphabet[byte] for byte in triple)
    if sign is None:
        return True
    beside = [other for other in (before, after) if other is not None]
    letters = [other for other in beside if other.script]
    if not sign.script:
        is_inside = len(letters) == len((before, after)) and not sign.is_joiner
        return is_inside or (sign.is_apart and bool(letters))
    return (
        any(other.script != sign.script for other in letters)
        or any(other.is_digit for other in beside)
        or (sign.is_upper and before is not None and before.is_lower)
        or (sign.is_lower and after is not None and after.is_upper)
    )
