"""Mailboxes as administrators keep them, with a sealed password."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import get_args

from app.core import changes
from app.core.db import Transaction
from app.core.errors import Conflict, FieldError, InputError
from app.core.nouns import Changed, Fields, Noun
from app.core.permissions import Viewer
from app.core.services import Services
from app.core.storage import sealing
from app.core.text.fields import checked_address
from app.desk.store import mailboxes, outbox, queues
from app.notify.domain.letter import Mailbox, Security


class MailboxNoun(Noun[Mailbox]):
    """Mailboxes; one that letters went out from stays."""

    name = "mailbox"
    permission = "settings:write"
    fields = frozenset(
        {"address", "name", "queue_id", "username", "imap_host", "imap_port", "imap_security", "imap_folder",
         "smtp_host", "smtp_port", "smtp_security", "is_reading_old", "is_active", "secret"}
    )  # fmt: skip
    unique = "address"
    titles = ("address",)
    secrets = frozenset({"secret"})

    def make(self, row: sqlite3.Row) -> Mailbox:
        """A mailbox out of its row."""
        return mailboxes.as_mailbox(row)

    def check(self, tx: Transaction, given: Fields, was: Mailbox | None) -> Fields:
        """The fields of a mailbox; raises InputError with those at fault, NotFound for its queue."""
        whole = given if was is None else {**{name: getattr(was, name) for name in self.fields}, **given}
        faults = list(_faults(whole))
        if faults:
            raise InputError(faults[0].code, fields=faults, **dict(faults[0].params))
        queues.get(tx, int(whole["queue_id"]))
        return dict(given)

    def consequences(self, tx: Transaction, was: Mailbox, wanted: Fields, *, is_undo: bool) -> Fields:
        """Return the marks of a mailbox that is read as new: UIDs of another server or folder say nothing here."""
        return {"uid_validity": None, "last_uid": 0} if {"imap_host", "imap_folder", "username"} & set(wanted) else {}

    def delete(self, tx: Transaction, row: Mailbox) -> None:
        """Remove a mailbox; raises Conflict `mailbox_in_use`."""
        try:
            super().delete(tx, row)
        except sqlite3.IntegrityError as error:
            raise Conflict("mailbox_in_use", id=row.id) from error


MAILBOX = MailboxNoun()


def every(services: Services) -> tuple[Mailbox, ...]:
    """All mailboxes by address."""
    return mailboxes.every(services.db)


def letter_counts(services: Services, mailbox_id: int) -> Mapping[str, int]:
    """The number of a mailbox's letters in each state."""
    return outbox.counts(services.db, mailbox_id)


def add_mailbox(services: Services, given: Fields, *, viewer: Viewer, password: str = "") -> Changed[Mailbox]:
    """Add a mailbox; raises InputError with the fields at fault, Conflict when its address has one."""
    sealed = {**given, "secret": sealing.seal(services, password)}
    return changes.add(services.db, MAILBOX, sealed, viewer=viewer)


def change_mailbox(
    services: Services,
    mailbox_id: int,
    given: Fields,
    *,
    viewer: Viewer,
    password: str = "",
    version: int | None = None,
) -> Changed[Mailbox]:
    """Change a mailbox; without a password the one it has stays."""
    sealed = {**given, "secret": sealing.seal(services, password)} if password else given
    with services.db.transaction() as tx:
        made = changes.change(tx, MAILBOX, mailbox_id, sealed, viewer=viewer, version=version)
        # Whoever saves wants to see it work: also where nothing had to change, as after a repair of the server.
        mailboxes.poll_at_once(tx, mailbox_id)
        return made


def _faults(values: Fields) -> Iterator[FieldError]:
    if checked_address(str(values.get("address", ""))) is None:
        yield FieldError(pointer="/address", code="not_an_address", params=(("value", str(values.get("address", ""))),))
    if not values.get("imap_host") and not values.get("smtp_host"):
        yield FieldError(pointer="/imap_host", code="no_way")
    for way in ("imap", "smtp"):
        security = str(values.get(f"{way}_security", "tls"))
        if security not in get_args(Security):
            yield FieldError(pointer=f"/{way}_security", code="unknown_value", params=(("value", security),))
        if security == "none" and not _is_here(str(values.get(f"{way}_host", ""))):
            yield FieldError(pointer=f"/{way}_security", code="not_encrypted")


def _is_here(host: str) -> bool:
    """Return True for this machine, to which a password may go in the clear, and for no host at all."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host in ("", "localhost")
