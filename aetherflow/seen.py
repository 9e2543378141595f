"""Texts of people's, as others may see them."""

import re

# Control signs, halves of characters, and what has no width or turns the direction of what stands behind it. Not the
# joiners, which some scripts and emoji need.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_BREAKS = re.compile(r"[\t\n\r]+")


def seen(text: str, *, instead: str = "") -> str:
    """Without what cannot be seen, `instead` in its place; line ends and tabs stay."""
    return _UNSEEN.sub(instead, text)


def in_one_line(text: str, *, instead: str = "") -> str:
    """As `seen`, on one line: a name, or a sentence that goes into a log or onto a terminal."""
    return _BREAKS.sub(" ", seen(text, instead=instead))
