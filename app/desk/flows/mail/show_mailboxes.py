"""Mailboxes and the state of their letters."""

from __future__ import annotations

from collections.abc import Mapping

from app.core.services import Services
from app.desk.store import mailboxes, outbox
from app.notify.domain.mail import Mailbox


def every(services: Services) -> tuple[Mailbox, ...]:
    """Return all mailboxes by address."""
    return mailboxes.every(services.db)


def letter_counts(services: Services, mailbox_id: int) -> Mapping[str, int]:
    """Return the number of a mailbox's letters in each state."""
    return outbox.counts(services.db, mailbox_id)
