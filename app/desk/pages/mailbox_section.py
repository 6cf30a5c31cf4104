"""The administrator's section of mailboxes."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from app.core.nouns import Changed, Fields
from app.core.quarantine import quarantine_rows
from app.desk.flows import show_queues
from app.desk.flows.mail import keep_mailboxes
from app.desk.flows.mail.keep_mailboxes import MAILBOX
from app.desk.forms import EditMailbox
from app.notify.domain.letter import Mailbox
from app.people.pages.admin_section import Row, Section, attributes, form_fields
from app.web import problem_sentences
from app.web.access import services, viewer
from app.web.display.enum_words import word
from app.web.display.formats import ago
from app.web.display.translation import gettext as _

_MAILBOX = (
    *("address", "name", "queue_id", "username", "imap_host", "imap_port", "imap_security", "imap_folder"),
    *("smtp_host", "smtp_port", "smtp_security", "is_reading_old", "is_active"),
)


def _mailboxes() -> list[Row]:
    titles = show_queues.titles(services())
    return [
        Row(
            id=box.id,
            cells=(
                box.address,
                titles.get(box.queue_id, "—"),
                box.imap_host or "—",
                box.smtp_host or "—",
                ago(box.last_polled_at),
                word("mail", box.last_error) if box.last_error else _("in order") if box.is_active else _("off"),
            ),
            is_muted=not box.is_active,
        )
        for box in keep_mailboxes.every(services())
    ]


def _mailbox_form(form: Any) -> None:
    form.queue_id.choices = [(queue.id, queue.title) for queue in show_queues.every(services())]


def _add_mailbox(form: Any) -> Changed[Mailbox]:
    return keep_mailboxes.add_mailbox(services(), _given(form), viewer=viewer(), password=form.password.data or "")


def _change_mailbox(number: int, form: Any) -> Changed[Mailbox]:
    password = form.password.data or ""
    return keep_mailboxes.change_mailbox(services(), number, _given(form), viewer=viewer(), password=password)


def _given(form: Any) -> Fields:
    return {name: value if value is not None else "" for name, value in form_fields(form, *_MAILBOX).items()}


def _mailbox_notes(number: int) -> list[str]:
    """Lines on the state of its letters, and on the mail that could not be read."""
    states = keep_mailboxes.letter_counts(services(), number)
    letters = [_("%(n)s letters: %(state)s", n=n, state=word("letter", state)) for state, n in sorted(states.items())]
    unread = [
        _(
            "Mail %(uid)s was not taken in: %(why)s",
            uid=item.uid,
            why=problem_sentences.sentence(item.code, item.params)[1],
        )
        for item in quarantine_rows.of_mailbox(services().db, number, limit=20)
    ]
    return [*letters, *unread]


SECTION = Section(
    slug="mailboxes",
    noun=MAILBOX,
    icon="envelope",
    title=_l("Mailboxes"),
    one=_l("Mailbox"),
    about=_l("Mail to these addresses becomes tickets (IMAP); replies go out from them (SMTP)."),
    heads=(_l("Address"), _l("Arrives in"), _l("IMAP server"), _l("SMTP server"), _l("Read"), _l("State")),
    rows=_mailboxes,
    form=EditMailbox,
    prepare=_mailbox_form,
    values=lambda number: attributes(MAILBOX.get(services().db, number, viewer=viewer()), *_MAILBOX),
    given=_given,
    add=_add_mailbox,
    change=_change_mailbox,
    is_removable=True,
    notes=_mailbox_notes,
)
