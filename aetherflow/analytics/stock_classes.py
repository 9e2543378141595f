"""Which items matter and which can be planned: ABC by volume, XYZ by steadiness.

Silver, Pyke & Thomas, Inventory and Production Management in Supply Chains (2017), ch. 2.6 (distribution by value);
the XYZ limits are those usual in purchasing text books.
"""

from __future__ import annotations

import numpy as np

from aetherflow.analytics.columns import Floats, Labels

A_SHARE, B_SHARE = 0.80, 0.95
X_VARIATION, Y_VARIATION = 0.5, 1.0


def abc(volume: Floats) -> Labels:
    """A: the largest items that make up the first 80 % of all `volume`, the one that crosses the line included; B:
    up to 95 %; C: the rest, and whatever has none. Equal volumes share a class."""
    labels = np.full(len(volume), "C", dtype=object)
    total = volume.sum()
    if total <= 0:
        return labels
    sizes, place = np.unique(-volume, return_inverse=True)
    together = np.bincount(place, weights=volume, minlength=len(sizes))
    before = (np.cumsum(together) - together)[place] / total
    # a hair's breadth, so that a sum of 80 % in whole numbers is not above 80 % in binary ones
    labels[before < B_SHARE - 1e-9] = "B"
    labels[before < A_SHARE - 1e-9] = "A"
    labels[volume <= 0] = "C"
    return labels


def xyz(variation: Floats) -> Labels:
    """X: coefficient of variation of weekly demand up to 0.5; Y: up to 1; Z: above, and where it is not known."""
    return np.select([variation <= X_VARIATION, variation <= Y_VARIATION], ["X", "Y"], "Z").astype(object)
