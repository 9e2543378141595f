"""What a ledger's own words for the approval of a payment mean."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from aetherflow.analytics.columns import Bools, Ints

RARE = 0.05  # of the approved payments; a word that neither list knows and that is more frequent is a way of approving
_WORDS = re.compile(r"[^\W_]+")
# Beginnings of words: "pend" is pending, "abgelehn" abgelehnt and abgelehnte.
REFUSED = (
    *("pend", "reject", "declin", "deni", "deny", "refus", "disapprov", "unapprov", "unauthor", "unconfirm", "cancel"),
    *("draft", "await", "wait", "hold", "held", "block", "suspend", "submi", "request", "escalat", "disput", "return"),
    *("withdraw", "void", "revok", "expire", "stopp", "incomplet", "abgelehn", "ausstehend", "gesperrt", "storn"),
    *("ungepr", "nicht", "offen", "rejet", "attente", "annul", "pendient", "rechaz"),
)
REFUSED_WORDS = frozenset({"not", "open", "review", "reviewing", "required", "needed", "never"})
REFUSED_ALONE = frozenset({"no", "n", "false", "0", "nein", "new"})
APPROVED_WORDS = frozenset(
    {
        *("approved", "approve", "preapproved", "autoapproved", "paid", "posted", "ok", "okay", "released", "accepted"),
        *("authorised", "authorized", "confirmed", "cleared", "complete", "completed", "settled", "booked", "signed"),
        *("granted", "validated", "verified", "passed", "processed", "genehmigt", "freigegeben", "bezahlt", "gebucht"),
        *("approuvé", "validé", "payé", "aprobado", "pagado", "exempt"),
    }
)
APPROVED_ALONE = frozenset({"yes", "y", "true", "1", "ja", "oui", "si", "sí"})
NEEDS_NONE = frozenset({"not required", "not needed", "not applicable", "no approval required", "no approval needed"})


def said(status: str) -> bool | None:
    """Whether a status says that the payment was approved; None where it says neither."""
    words = _WORDS.findall(status.casefold())
    text = " ".join(words)
    if text in NEEDS_NONE or text in APPROVED_ALONE:
        return True
    if text in REFUSED_ALONE or any(word.startswith(REFUSED) or word in REFUSED_WORDS for word in words):
        return False
    return True if APPROVED_WORDS.intersection(words) else None


def unapproved(codes: Ints, labels: Sequence[str]) -> Bools:
    """Which payments were not approved, `codes` being -1 where there is no status. A word of nobody's list is none of
    approval where it is rare beside approved payments: most ledgers have one word for what is in order."""
    known = [said(label) for label in labels]
    rows = np.bincount(codes + 1, minlength=len(labels) + 1)[1:]
    approved = sum(int(count) for count, told in zip(rows, known, strict=True) if told)
    refused = [
        told is False or (told is None and count <= RARE * approved) for count, told in zip(rows, known, strict=True)
    ]
    return np.array([*refused, False])[codes]
