"""Replies as mail: queued in the transaction of the reply, held for ten seconds, sent at least once."""

from __future__ import annotations

import logging
import random
import secrets
from collections.abc import Mapping
from dataclasses import replace

from app.core import clock
from app.core.db import Transaction
from app.core.errors import BellwetherError, Conflict
from app.core.events import history
from app.core.permissions import SYSTEM, Viewer
from app.core.services import Services
from app.core.storage import sealing
from app.desk.domain.ticket import OPEN_STATUSES, Bounce, Ticket
from app.desk.flows import set_deadlines
from app.desk.sources.letters import compose
from app.desk.store import customers, mailboxes, messages, outbox, tickets
from app.notify.decide.retry_backoff import retry_at
from app.notify.domain.letter import Letter, Mailbox, OutboxRow, Posted, Server
from app.notify.sources import smtp

LOG = logging.getLogger(__name__)
LEASE_MS = 120_000


def queue(tx: Transaction, ticket: Ticket, *, message_id: int, at: int, not_before_at: int) -> bool:
    """Queue a reply as mail for when it cannot be called back any more; return False without address or mailbox.

    The message gets its Message-ID here: every attempt carries it, and the customer's answer refers to it.
    """
    customer, mailbox = customers.get(tx, ticket.customer_id), mailboxes.for_reply(tx, ticket)
    if ticket.channel != "email" or customer.email is None or mailbox is None:
        return False
    rfc_id = f"{ticket.id}.{message_id}.{secrets.token_hex(8)}@{mailbox.address.rpartition('@')[2]}"
    messages.set_rfc_id(tx, message_id, rfc_id=rfc_id)
    outbox.insert(
        tx,
        message_id=message_id,
        ticket_id=ticket.id,
        mailbox_id=mailbox.id,
        recipient=customer.email,
        next_at=not_before_at,
        at=at,
    )
    return True


def send_due(services: Services, *, now: int | None = None, limit: int = 20) -> int:
    """Send the mails that are due and return how many a server took; each is claimed first, so that it is sent once."""
    moment = clock.now_ms() if now is None else now
    n_sent = 0
    for row in outbox.due(services.db, now=moment, limit=limit):
        with services.db.transaction() as tx:
            is_mine = outbox.claim(tx, row.id, now=moment, until=moment + LEASE_MS)
        if is_mine:
            n_sent += int(_send(services, row, now=moment))
    return n_sent


def _send(services: Services, row: OutboxRow, *, now: int) -> bool:
    posted = _post(services, row)
    again_at = None if posted.is_final else retry_at(row.n_attempts + 1, now=now, jitter=random.random())
    with services.db.transaction() as tx:
        outbox.settle(tx, row.id, posted=posted, at=now, next_at=again_at)
        if not posted.is_delivered and again_at is None:
            after = {"message_id": row.message_id, "error": posted.error}
            _record(tx, row.ticket_id, verb="mail_failed", after=after)
    return posted.is_delivered


def _post(services: Services, row: OutboxRow) -> Posted:
    mailbox = mailboxes.get(services.db, row.mailbox_id)
    if not mailbox.is_active or not mailbox.smtp_host:
        return Posted(is_delivered=False, error="mailbox_off")
    try:
        return smtp.post(
            compose(_letter(services, row, mailbox=mailbox)),
            sending_server(services, mailbox),
            sender=mailbox.address,
            recipient=row.recipient,
            allow_private=services.policy.is_fetching_private,
        )
    except BellwetherError as error:
        return Posted(is_delivered=False, error=error.code)
    except Exception:
        # One that cannot be written must not stop the others; it is tried again like any failure.
        LOG.exception("letter %d could not be sent", row.id)
        return Posted(is_delivered=False, error="internal")


def sending_server(services: Services, mailbox: Mailbox) -> Server:
    """Return the server that sends the mail of a mailbox; raises Conflict when its password cannot be read."""
    return Server(
        host=mailbox.smtp_host,
        port=mailbox.smtp_port,
        security=mailbox.smtp_security,
        username=mailbox.username,
        secret=sealing.unseal(services, mailbox.secret),
    )


def _letter(services: Services, row: OutboxRow, *, mailbox: Mailbox) -> Letter:
    db = services.db
    ticket, message = tickets.read(db, row.ticket_id), messages.get(db, row.message_id)
    before = [one for one in messages.of_ticket(db, row.ticket_id) if one.id < message.id and one.message_id]
    answered = [one for one in before if one.kind == "incoming"]
    return Letter(
        sender=mailbox.address,
        sender_name=mailbox.name,
        recipient=row.recipient,
        recipient_name=customers.get(db, ticket.customer_id).name,
        subject=ticket.subject,
        body=message.body,
        message_id=message.message_id or "",
        at=row.created_at,
        in_reply_to=answered[-1].message_id if answered else None,
        references=tuple(one.message_id for one in before if one.message_id),
    )


def note_bounce(tx: Transaction, row: OutboxRow, *, bounce: Bounce) -> None:
    """Note that a letter came back; where it did so for good, its ticket is open again."""
    if not bounce.is_final:
        return
    outbox.mark_bounced(tx, row.id, error=f"bounced {bounce.status}".strip())
    was = tickets.read(tx, row.ticket_id)
    wakes = was.status != "open" and (was.status not in OPEN_STATUSES or was.status == "pending")
    if wakes:
        now = clock.now_ms()
        woken = replace(was, status="open", solved_at=None, updated_at=now)
        tickets.write(tx, was, set_deadlines.follow(tx, was, woken, now=now))
    status = {"status": "open"} if wakes else {}
    after = {"message_id": row.message_id, "error": bounce.status, **status}
    _record(tx, was.id, verb="bounced", before={"status": was.status} if wakes else {}, after=after)


def send_again(services: Services, outbox_id: int, *, viewer: Viewer) -> OutboxRow:
    """Queue a letter once more that failed or came back; raises NotFound out of sight, Conflict `still_queued`."""
    with services.db.transaction() as tx:
        row = outbox.get(tx, outbox_id)
        tickets.get(tx, row.ticket_id, viewer=viewer)
        if not outbox.send_again(tx, outbox_id, at=clock.now_ms()):
            raise Conflict("still_queued", id=outbox_id)
        after = {"message_id": row.message_id}
        history.record(
            tx, actor=history.of(viewer), verb="mail_sent_again", noun="ticket", noun_id=row.ticket_id, after=after
        )
        return outbox.get(tx, outbox_id)


def _record(
    tx: Transaction,
    ticket_id: int,
    *,
    verb: str,
    after: Mapping[str, object],
    before: Mapping[str, object] | None = None,
) -> None:
    history.record(
        tx, actor=history.of(SYSTEM), verb=verb, noun="ticket", noun_id=ticket_id, before=before, after=after
    )
