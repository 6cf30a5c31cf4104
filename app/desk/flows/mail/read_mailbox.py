"""Mailboxes, read every minute so that no mail is taken in twice and none is lost."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

from app.core import clock
from app.core.durations import DAY_MS, HOUR_MS
from app.core.errors import BellwetherError, Conflict, OutgoingError, TooLarge
from app.core.permissions import SYSTEM
from app.core.quarantine import keep_in_quarantine
from app.core.quarantine.arrival import Arrival, Quarantined
from app.core.services import Services
from app.core.storage import sealing
from app.desk.flows.mail import take_mail
from app.desk.sources import imap
from app.desk.sources.imap import Inbox
from app.desk.store import mailboxes
from app.notify.domain.letter import Mailbox, Server

LOG = logging.getLogger(__name__)
LEASE_MS = 600_000
MOST_A_LOOK = 200
OVERLAP_MS = 2 * DAY_MS
"""When a server has numbered its mail anew, mail from this long before the last look is read again."""

MOST_REFUSALS = 3
"""After so many looks that failed, a mail that its server does not hand out is passed over and kept in quarantine."""


def poll_due(services: Services, *, now: int | None = None) -> int:
    """Read every mailbox whose turn has come; returns the number of mails read."""
    moment, n_read = clock.now_ms() if now is None else now, 0
    for mailbox in mailboxes.due(services.db, now=moment):
        with services.db.transaction() as tx:
            is_mine = mailboxes.claim(tx, mailbox.id, now=moment, until=moment + LEASE_MS)
        if is_mine:
            n_read += _poll(services, mailbox, now=moment)
    return n_read


def _poll(services: Services, mailbox: Mailbox, *, now: int) -> int:
    n_read, error = 0, None
    try:
        for _ in _read(services, mailbox):
            n_read += 1
    except OutgoingError as fault:
        error = str(fault.params.get("reason", fault.code))
    except BellwetherError as fault:
        error = fault.code
    except Exception:
        # Whatever a server sends, the other mailboxes are read, and this one again later.
        LOG.exception("mailbox %d could not be read", mailbox.id)
        error = "internal"
    wait_ms = services.policy.mail_poll_ms
    if error is not None:
        wait_ms = min(wait_ms * 2 ** min(mailbox.n_failures, 6), HOUR_MS)
    elif n_read >= MOST_A_LOOK:
        wait_ms = 0
    with services.db.transaction() as tx:
        mailboxes.note_poll(tx, mailbox.id, at=now, next_at=now + wait_ms, error=error)
    return n_read


def _read(services: Services, mailbox: Mailbox) -> Iterator[int]:
    """Take in the next mails, each one remembered as read once it is stored: a crash in between reads it again."""
    server = reading_server(services, mailbox)
    allow_private = services.policy.is_fetching_private
    with imap.opened(server, folder=mailbox.imap_folder, allow_private=allow_private) as inbox:
        last_uid, since = _position(mailbox, inbox)
        _remember(services, mailbox, inbox, last_uid=last_uid)
        for uid in islice(inbox.uids_after(last_uid, since=since), MOST_A_LOOK):
            _take(services, mailbox, inbox, uid=uid)
            _remember(services, mailbox, inbox, last_uid=uid)
            yield uid


def _position(mailbox: Mailbox, inbox: Inbox) -> tuple[int, datetime | None]:
    """The last UID that was read, and from which day on mail is looked at."""
    if mailbox.uid_validity == inbox.uid_validity:
        return mailbox.last_uid, None
    if mailbox.uid_validity is None:
        return (0 if mailbox.is_reading_old else inbox.uid_next - 1), None
    # Numbered anew (RFC 3501 §2.3.1.1): what is known already is told by its Message-ID.
    since_ms = (mailbox.last_polled_at or clock.now_ms()) - OVERLAP_MS
    return 0, None if mailbox.is_reading_old else datetime.fromtimestamp(since_ms / 1000, UTC)


def _remember(services: Services, mailbox: Mailbox, inbox: Inbox, *, last_uid: int) -> None:
    with services.db.transaction() as tx:
        mailboxes.note_read(tx, mailbox.id, uid_validity=inbox.uid_validity, last_uid=last_uid)


def _take(services: Services, mailbox: Mailbox, inbox: Inbox, *, uid: int) -> None:
    """One mail into its ticket; what cannot be one goes into quarantine, and stays where it is in the mailbox."""
    raw: bytes | None = None
    try:
        raw = _fetched(services, mailbox, inbox, uid=uid)
        if raw is not None:
            take_mail.file_mail(services, raw, viewer=SYSTEM, mailbox=mailbox)
    except BellwetherError as error:
        is_withheld = error.params.get("reason") == "mail_withheld" and mailbox.n_failures >= MOST_REFUSALS
        if keep_in_quarantine.is_transient(error) and not is_withheld:
            raise
        arrival = Arrival(
            kind="mail",
            form="eml",
            source=mailbox.address,
            place=f"mailbox:{mailbox.id}",
            raw=raw,
            mailbox_id=mailbox.id,
            uid_validity=inbox.uid_validity,
            uid=uid,
        )
        keep_in_quarantine.put(services, [(arrival, error)])


def _fetched(services: Services, mailbox: Mailbox, inbox: Inbox, *, uid: int) -> bytes | None:
    """A mail as it stands in the mailbox; None when it is gone. Raises TooLarge for one over the limit."""
    _check_size(inbox.size(uid), limit=services.policy.max_mail_bytes)
    return inbox.mail(uid)


def read_again(services: Services, item: Quarantined) -> tuple[Mailbox, bytes]:
    """A mail in quarantine as it stands in its mailbox, with that mailbox.

    Raises Conflict `mail_gone` when it is there no longer, TooLarge, OutgoingError.
    """
    if item.mailbox_id is None or item.uid is None:
        raise Conflict("mail_gone")
    mailbox = mailboxes.get(services.db, item.mailbox_id)
    server = reading_server(services, mailbox)
    allow_private = services.policy.is_fetching_private
    with imap.opened(server, folder=mailbox.imap_folder, allow_private=allow_private) as inbox:
        is_same = inbox.uid_validity == item.uid_validity
        raw = _fetched(services, mailbox, inbox, uid=item.uid) if is_same else None
    if raw is None:
        raise Conflict("mail_gone")
    return mailbox, raw


def _check_size(size: int | None, *, limit: int) -> None:
    if size is not None and size > limit:
        raise TooLarge(size=size, limit=limit)


def reading_server(services: Services, mailbox: Mailbox) -> Server:
    """Return the server that a mailbox is read from; raises Conflict when its password cannot be read."""
    return Server(
        host=mailbox.imap_host,
        port=mailbox.imap_port,
        security=mailbox.imap_security,
        username=mailbox.username,
        secret=sealing.unseal(services, mailbox.secret),
    )
