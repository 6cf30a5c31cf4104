"""Customers: who writes, with the address that texts do not carry."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from app.core.db import Reads, Transaction
from app.core.scope import listed
from app.core.storage.row_mapping import built
from app.desk.domain.ticket import Customer, Tier


def get(db: Reads, customer_id: int) -> Customer:
    """The customer with this id; raises NotFound."""
    return built(Customer, db.got("customer", customer_id))


def find_by_email(db: Reads, email: str) -> Customer | None:
    """The customer with this address, whatever its case."""
    row = db.row("SELECT * FROM customer WHERE email = ?", (email.strip(),))
    return None if row is None else built(Customer, row)


def by_ids(db: Reads, customer_ids: Iterable[int]) -> dict[int, Customer]:
    """Customers by id."""
    rows = db.rows("SELECT * FROM customer WHERE id IN (SELECT value FROM json_each(?))", (listed(customer_ids),))
    return {row["id"]: built(Customer, row) for row in rows}


def ensure(tx: Transaction, *, name: str, email: str | None, tier: Tier = "standard") -> Customer:
    """The customer with this address, added if new; without an address always a new one."""
    known = None if email is None else find_by_email(tx, email)
    if known is not None:
        return known
    new = Customer(id=0, name=name or email or "", email=None if email is None else email.strip(), tier=tier)
    return replace(new, id=tx.insert("customer", {"name": new.name, "email": new.email, "tier": new.tier}))
