"""A mail into its ticket, whichever way it came: out of a mailbox, over HTTP, or as a file."""

from __future__ import annotations

from dataclasses import replace

from app.core.errors import BellwetherError
from app.core.permissions import Viewer
from app.core.quarantine import keep_in_quarantine
from app.core.quarantine.arrival import Arrival
from app.core.services import Services
from app.desk.domain.ticket import TicketDraft
from app.desk.flows import file_ticket
from app.desk.flows.file_ticket import Received
from app.desk.sources.ticket_drafts import from_eml
from app.desk.store import mailboxes, queues
from app.notify.domain.letter import Mailbox


def file_mail(services: Services, raw: bytes, *, viewer: Viewer, mailbox: Mailbox | None = None) -> Received:
    """File a mail, into the queue of the mailbox that it came to.

    Raises InputError for one that cannot be a ticket (`unreadable` where the reason is not known), and what lies with
    this house: NotReady, OSError.
    """
    with keep_in_quarantine.isolating_parser():
        draft = from_eml(raw, max_attachment_bytes=services.policy.max_attachment_bytes)
    with keep_in_quarantine.isolating_item():
        if mailbox is not None:
            draft = _addressed(services, draft, mailbox=mailbox)
        return file_ticket.receive(services, draft, viewer=viewer)


def _addressed(services: Services, draft: TicketDraft, *, mailbox: Mailbox) -> TicketDraft:
    is_own = draft.customer_email in {one.address.lower() for one in mailboxes.every(services.db)}
    return replace(
        draft,
        queue=queues.get(services.db, mailbox.queue_id).slug,
        mailbox_id=mailbox.id,
        is_automatic=draft.is_automatic or is_own,
    )


def take_mail(services: Services, raw: bytes, *, viewer: Viewer, source: str) -> Received:
    """File a mail that was handed in; one that cannot be filed is kept in quarantine and its fault raised."""
    try:
        return file_mail(services, raw, viewer=viewer)
    except BellwetherError as error:
        if not keep_in_quarantine.is_transient(error):
            arrival = Arrival(kind="mail", form="eml", source=source, place="mail", raw=raw, user_id=viewer.user_id)
            keep_in_quarantine.put(services, [(arrival, error)])
        raise
