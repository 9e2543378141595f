"""The ledger as arrays: codes for texts, and the groups that payments are compared in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa

from aetherflow.analytics import columns, groups, names
from aetherflow.analytics.columns import Bools, Floats, Ints
from aetherflow.departments.finance.insights.approval import unapproved

COLUMNS = (
    "txn_id",
    "date",
    "department",
    "cost_center",
    "category",
    "vendor",
    "amount",
    "currency",
    "payment_type",
    "approval_status",
    "notes",
)
PART = 50_000
NO_TEXTS = pa.array([], pa.large_string())


@dataclass(frozen=True, kw_only=True)
class Texts:
    """A column of texts: `labels[code]`, -1 where there is none."""

    codes: Ints
    labels: columns.Texts

    def of(self, row: int) -> str | None:
        return str(self.labels[self.codes[row]]) if self.codes[row] >= 0 else None


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """The usable payments.

    `payee` is the vendor by its normalised name (`payees` says which), `kin` the same for names a slip apart;
    `written` is the reference in the notes and `reference` that without its suffix, both indices of `references`;
    `left_out` counts the rows without an id, a date or an amount.
    """

    ids: Texts
    days: columns.Days
    amount: Floats
    department: Texts
    cost_center: Texts
    category: Texts
    vendor: Texts
    currency: Texts
    payment_type: Texts
    status: Texts
    payees: Mapping[str, int]
    payee: Ints
    kin: Ints
    unapproved: Bools
    reference: Ints
    written: Ints
    references: columns.Texts
    left_out: int

    def __len__(self) -> int:
        return len(self.amount)

    @cached_property
    def size(self) -> Floats:
        return np.abs(self.amount)

    @cached_property
    def cents(self) -> Floats:
        return np.rint(self.size * 100)

    @cached_property
    def scope(self) -> Ints:
        """Currency and sign: 100 EUR do not repeat 100 USD, nor does a refund repeat a payment."""
        return groups.codes(self.currency.codes, (self.amount < 0).astype(np.int64))

    @cached_property
    def kind(self) -> Ints:
        """Category, currency and sign: refunds are compared with refunds, and no currency with another."""
        return groups.codes(self.category.codes, self.scope)

    @cached_property
    def place(self) -> Ints:
        """The cost centre, the department where none is given, -1 without either."""
        known = np.maximum(self.cost_center.codes, self.department.codes) >= 0
        by = np.where(self.cost_center.codes >= 0, self.cost_center.codes, len(self.cost_center.labels))
        also = np.where(self.cost_center.codes >= 0, -1, self.department.codes)
        return np.where(known, groups.codes(by, also), -1)

    def buying(self) -> Ints:
        """Who is paid by which place, in one currency and sign, -1 where the payee is not known."""
        payee_in = np.where(self.payee >= 0, groups.codes(self.payee, self.scope), -1)
        return np.where(self.payee >= 0, groups.codes(payee_in, self.place), -1)


def read(rows: pd.DataFrame) -> Ledger:
    """Columns that the rows do not have count as empty."""
    days = columns.days(rows, "date")
    amount = columns.numbers(rows, "amount")
    ids, id_names = columns.distinct(rows, "txn_id")
    usable = np.flatnonzero(~np.isnat(days) & np.isfinite(amount) & (ids >= 0))
    whole = len(usable) == len(rows)

    def kept(codes: Ints) -> Ints:
        return codes if whole else codes[usable]

    def texts(name: str) -> Texts:
        if name not in rows.columns:
            return Texts(codes=np.full(len(usable), -1), labels=NO_TEXTS)
        codes, labels = columns.distinct(rows, name)
        return Texts(codes=kept(codes), labels=labels)

    vendor, status = texts("vendor"), texts("approval_status")
    keys = _each(vendor.labels, names.payee_key)
    payees = columns.in_order(keys)
    payee = columns.places(keys, payees)[vendor.codes]
    root = np.array([*names.kindred(payees.to_pylist()), -1], dtype=np.int64)
    noted = columns.encoded(rows, "notes") if "notes" in rows.columns else (np.full(len(rows), -1), NO_TEXTS)
    references, written, reference = _references(*noted)
    return Ledger(
        ids=Texts(codes=ids[usable], labels=id_names),
        days=days[usable],
        amount=amount[usable],
        department=texts("department"),
        cost_center=texts("cost_center"),
        category=texts("category"),
        vendor=vendor,
        currency=texts("currency"),
        payment_type=texts("payment_type"),
        status=status,
        payees={name: code for code, name in enumerate(payees.to_pylist())},
        payee=payee,
        kin=root[payee],
        unapproved=unapproved(status.codes, status.labels.to_pylist()),
        reference=kept(reference),
        written=kept(written),
        references=references,
        left_out=len(rows) - len(usable),
    )


def _references(codes: Ints, notes: columns.Texts) -> tuple[columns.Texts, Ints, Ints]:
    """All references, sorted, with and without their suffixes; of each row that in its note, and that without."""
    found = _each(notes, names.reference_in)
    written = columns.in_order(found)
    cores = _each(written, names.reference_core)
    references = columns.in_order(pa.concat_arrays([written, cores]))
    of_row = columns.places(found, written)[codes]
    return references, columns.places(written, references)[of_row], columns.places(cores, references)[of_row]


def _each(texts: columns.Texts, change: Callable[[str], str]) -> columns.Texts:
    """The texts changed one by one, a part of them at a time: all at once they would be Python's three times over."""
    parts = (texts[at : at + PART].to_pylist() for at in range(0, len(texts), PART))
    changed = [pa.array([change(text) for text in part], pa.large_string()) for part in parts]
    return pa.concat_arrays(changed) if changed else texts
