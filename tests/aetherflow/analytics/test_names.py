"""Names of payees and references: which are spellings of one, and which a slip of the hand apart."""

import itertools

import numpy as np
import pyarrow as pa
import pytest

from aetherflow.analytics import names


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Jacobs U.K. Limited", "JACOBS UK LTD"),
        ("Smith & Sons plc", "smith and sons"),
        ("A-B  Supplies", "a b supplies"),
    ],
)
def test_spellings_of_one_payee_meet(one, other):
    assert names.payee_key(one) == names.payee_key(other)


def test_a_name_of_legal_forms_only_keeps_itself():
    assert names.payee_key("The Limited Co") == "THE LIMITED CO"
    assert names.payee_key("Müller GmbH") == "MÜLLER"


def test_references_are_found_and_lose_a_last_letter():
    assert names.reference_in("ref 5101014252A, urgent") == "5101014252A"
    assert names.reference_in("thank you") == ""
    assert names.reference_core("5101014252A") == names.reference_core("5101014252") == "5101014252"


def test_names_a_slip_apart_are_kin_and_numbered_ones_are_not():
    told = [
        "ALDER STATIONERS",
        "ALDER STATOINERS",
        "ALDER STATIONRS",
        "OAK",
        "OAKS",
        "TESCO STORE 12",
        "TESCO STORE 13",
    ]
    assert names.kindred(told) == [0, 0, 0, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("one", "other", "slip"),
    [
        ("123456", "123465", True),
        ("123456", "12356", True),
        ("123456", "1234567", True),
        ("123456", "123956", True),
        ("123456", "123456", False),
        ("123456", "654321", False),
        ("1234", "1243", False),
        ("123456", "213456", True),
        ("123456", "234561", False),
        ("123456", "23456", True),
        ("123456", "0123457", False),
        ("123456", "12345678", False),
        ("123456", "124365", False),
        ("12é456", "12456", True),
        ("12é456", "1é2456", True),
        ("112222", "11222", True),
    ],
)
def test_slips_of_the_hand_in_references(one, other, slip):
    # Among longer and shorter ones: pairs are compared many at a time.
    told = pa.array(["LONGER-REFERENCE-1", "LONGER-REFERENCE-X", one, other], pa.large_string())
    assert names.slips_apart(told, np.array([0, 2, 3, 2]), np.array([1, 3, 2, 2])).tolist() == [True, slip, slip, False]


@pytest.mark.parametrize("seed", range(3))
def test_slips_agree_with_editing_one_text_by_hand(seed):
    rng = np.random.default_rng(seed)
    told = ["".join(rng.choice(list("A1"), rng.integers(4, 8))) for _ in range(3_000)]
    found = names.slips_apart(pa.array(told, pa.large_string()), np.arange(2_999), np.arange(1, 3_000))
    wanted = [min(map(len, pair)) >= 5 and pair[1] in slips_of(pair[0]) for pair in itertools.pairwise(told)]
    assert found.tolist() == wanted
    assert 100 < sum(wanted) < 1_500


def slips_of(text):
    """All texts that one slip makes of this one."""
    gaps = [(text[:at], text[at:]) for at in range(len(text) + 1)]
    missing = {left + right[1:] for left, right in gaps if right}
    mistyped = {left + letter + right[1:] for left, right in gaps if right for letter in "A1"}
    added = {left + letter + right for left, right in gaps for letter in "A1"}
    exchanged = {left + right[1] + right[0] + right[2:] for left, right in gaps if len(right) > 1}
    return (missing | mistyped | added | exchanged) - {text}
