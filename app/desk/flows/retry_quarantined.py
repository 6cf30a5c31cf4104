"""Trying again what is in quarantine: the raw form goes the way that it came."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from app.core import clock
from app.core.errors import BellwetherError, Conflict, InputError
from app.core.permissions import SYSTEM, Viewer
from app.core.quarantine import keep_in_quarantine
from app.core.quarantine import quarantine_rows as items
from app.core.quarantine.arrival import ItemKind, Quarantined
from app.core.services import Services
from app.core.text.file_rows import RowFault, RowForm
from app.desk.flows.imports import import_ticket_rows, import_tickets
from app.desk.flows.mail import read_mailbox, take_mail
from app.desk.store import mailboxes as boxes
from app.market.domain.market import Feed, PostDraft
from app.market.flows import ingest_posts
from app.market.sources import feed_process
from app.market.sources import post_drafts as feed_files
from app.market.store import feeds
from app.people.flows import keep_accounts
from app.people.store import users

T = TypeVar("T")
_ABSENT = frozenset({"mail_gone", "raw_not_kept"})
"""Codes that say why something cannot be tried again, and not why it was not filed."""


@dataclass(frozen=True, kw_only=True)
class Filed:
    """What an item of quarantine became: a ticket or a post."""

    noun: str
    id: int


def try_again(services: Services, item_id: int, *, viewer: Viewer) -> Filed:
    """File an item of quarantine after all; it is there no longer then, and stays with the new reason otherwise.

    Raises NotFound for one that waits no longer, and what filing raises.
    """
    item = items.get(services.db, item_id)
    try:
        with keep_in_quarantine.alone():
            filed = _FILERS[item.kind](services, item, viewer)
    except BellwetherError as error:
        if not keep_in_quarantine.is_transient(error):
            _note(services, item, error=error)
        raise
    keep_in_quarantine.release(services, item, viewer=viewer, filed_as={f"{filed.noun}_id": filed.id})
    return filed


def _note(services: Services, item: Quarantined, *, error: BellwetherError) -> None:
    # That the mail is gone from its mailbox says nothing of why it could not be read.
    code, params = (item.code, item.params) if error.code in _ABSENT else keep_in_quarantine.reason(error)
    with services.db.transaction() as tx:
        items.note_try(tx, item.id, code=code, params=params, at=clock.now_ms())


def _raw(services: Services, item: Quarantined) -> bytes:
    if not item.is_whole:
        raise Conflict("raw_not_kept")
    return items.raw(services.db, item.id)


def _sender(services: Services, item: Quarantined, viewer: Viewer) -> Viewer:
    """Who sent the item in, so that it arrives where it would have; who tries it again, where they are gone."""
    user = None if item.user_id is None else users.get(services.db, item.user_id)
    return keep_accounts.viewer_for(services, user) if user is not None and user.is_active else viewer


def _mail(services: Services, item: Quarantined, viewer: Viewer) -> Filed:
    if item.uid is None:
        received = take_mail.file_mail(services, _raw(services, item), viewer=_sender(services, item, viewer))
        return Filed(noun="ticket", id=received.ticket.id)
    if item.is_whole:
        mailbox = None if item.mailbox_id is None else boxes.get(services.db, item.mailbox_id)
        raw = items.raw(services.db, item.id)
    else:
        mailbox, raw = read_mailbox.read_again(services, item)
    return Filed(noun="ticket", id=take_mail.file_mail(services, raw, viewer=SYSTEM, mailbox=mailbox).ticket.id)


def _ticket(services: Services, item: Quarantined, viewer: Viewer) -> Filed:
    form: RowForm = "csv" if item.form == "csv" else "jsonl"
    _, values = _only(import_ticket_rows.rows_of(_raw(services, item), form=form))
    sender = _sender(services, item, viewer)
    name = f"quarantine:{item.id}"
    received = import_ticket_rows.file_row(services, values, form=form, name=name, viewer=sender)
    return Filed(noun="ticket", id=received.ticket.id)


def _record(services: Services, item: Quarantined, viewer: Viewer) -> Filed:
    ticket_id = import_tickets.file_record(services, item, _raw(services, item), viewer=viewer)
    return Filed(noun="ticket", id=ticket_id)


def _post(services: Services, item: Quarantined, viewer: Viewer) -> Filed:
    feed = feeds.get(services.db, item.feed_id or 0)
    draft = _only(_drafts(_raw(services, item), item=item, feed=feed))
    (result,) = ingest_posts.receive(services, feed.id, [draft], viewer=SYSTEM)
    if result.id is None:
        raise keep_in_quarantine.fault(result.error or "unreadable", result.params)
    return Filed(noun="post", id=result.id)


def _drafts(raw: bytes, *, item: Quarantined, feed: Feed) -> Iterable[PostDraft | RowFault]:
    if item.form == "draft":
        return [PostDraft(**json.loads(raw))]
    if item.form == "rss":
        return feed_process.drafts_of(raw, zone=feed.zone, now=clock.now_ms())
    reader = feed_files.from_csv if item.form == "csv" else feed_files.from_jsonl
    return reader(raw, zone=feed.zone, now=clock.now_ms())


def _only(rows: Iterable[T | RowFault]) -> T:
    """The one row that a raw form holds; raises InputError with what is wrong with it."""
    found = next(iter(rows), None)
    if found is None:
        raise InputError("empty_text")
    if isinstance(found, RowFault):
        raise keep_in_quarantine.fault(found.code, found.params)
    return found


_FILERS: Mapping[ItemKind, Callable[[Services, Quarantined, Viewer], Filed]] = {
    "mail": _mail,
    "ticket": _ticket,
    "record": _record,
    "post": _post,
}
