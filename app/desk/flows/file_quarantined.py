"""Mails, rows and records out of quarantine: each is filed the way that it came."""

from __future__ import annotations

from app.core.permissions import SYSTEM, Viewer
from app.core.quarantine import quarantine_rows as items
from app.core.quarantine.arrival import Quarantined
from app.core.quarantine.try_again import Filed, only_row, raw_form, sender_of
from app.core.services import Services
from app.core.text.file_rows import RowForm
from app.desk.flows.imports import import_ticket_rows, import_tickets
from app.desk.flows.mail import read_mailbox, take_mail
from app.desk.store import mailboxes as boxes


def file_quarantined_mail(services: Services, item: Quarantined, viewer: Viewer) -> Filed:
    """File a mail again; one that was not kept whole is fetched from its mailbox."""
    if item.uid is None:
        received = take_mail.file_mail(services, raw_form(services, item), viewer=sender_of(services, item, viewer))
        return Filed(noun="ticket", id=received.ticket.id)
    if item.is_whole:
        mailbox = None if item.mailbox_id is None else boxes.get(services.db, item.mailbox_id)
        raw = items.raw(services.db, item.id)
    else:
        mailbox, raw = read_mailbox.read_again(services, item)
    return Filed(noun="ticket", id=take_mail.file_mail(services, raw, viewer=SYSTEM, mailbox=mailbox).ticket.id)


def file_quarantined_row(services: Services, item: Quarantined, viewer: Viewer) -> Filed:
    """File a row of an imported file of tickets again."""
    form: RowForm = "csv" if item.form == "csv" else "jsonl"
    _, values = only_row(import_ticket_rows.rows_of(raw_form(services, item), form=form))
    sender = sender_of(services, item, viewer)
    name = f"quarantine:{item.id}"
    received = import_ticket_rows.file_row(services, values, form=form, name=name, viewer=sender)
    return Filed(noun="ticket", id=received.ticket.id)


def file_quarantined_record(services: Services, item: Quarantined, viewer: Viewer) -> Filed:
    """File a record of another desk's export again."""
    ticket_id = import_tickets.file_record(services, item, raw_form(services, item), viewer=viewer)
    return Filed(noun="ticket", id=ticket_id)
