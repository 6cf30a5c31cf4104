"""Tickets as they are sent: a JSON object, a form, or a mail (see `mail.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast, get_args

from app.core.errors import InputError, TooLarge
from app.core.text.cleaning import one_line
from app.core.text.fields import Fields
from app.desk.domain.ticket import Channel, TicketDraft, Tier
from app.desk.sources.mail import from_eml

__all__ = ["LONGEST_ID", "MAX_BODY", "from_eml", "from_form", "from_json"]

MAX_BODY = 1_500_000  # characters
LONGEST_ID = 998
_MAX_SUBJECT, _MAX_NAME = 500, 200


def from_json(payload: Mapping[str, Any]) -> TicketDraft:
    """Read `{"subject", "body", "channel", "customer": {"name", "email", "tier"}, "queue", "external_id", …}`.

    The body may be called `text`, `description` or `message`. Raises InputError with one FieldError a fault, and
    TooLarge for a body over MAX_BODY characters.
    """
    if not isinstance(payload, Mapping):
        raise InputError("not_an_object")
    fields = Fields(payload)
    customer = fields.group("customer")
    return _draft(fields, customer=customer, prefix="", default_channel="api")


def from_form(fields: Mapping[str, Any]) -> TicketDraft:
    """Read a form with `subject`, `body`, `customer_name`, `customer_email`, `customer_tier`, `queue`."""
    reader = Fields(fields)
    return _draft(reader, customer=reader, prefix="customer_", default_channel="form")


def _draft(fields: Fields, *, customer: Fields, prefix: str, default_channel: Channel) -> TicketDraft:
    body = _body(fields)
    name = customer.text(f"{prefix}name", limit=_MAX_NAME)
    draft = TicketDraft(
        subject=one_line(fields.text("subject", "title", limit=_MAX_SUBJECT), limit=_MAX_SUBJECT),
        body=body,
        channel=cast(Channel, fields.choice("channel", choices=get_args(Channel), default=default_channel)),
        customer_name=one_line(name, limit=_MAX_NAME),
        customer_email=customer.address(f"{prefix}email"),
        customer_tier=cast(Tier, customer.choice(f"{prefix}tier", choices=get_args(Tier), default="standard")),
        queue=fields.text("queue", limit=100) or None,
        external_id=fields.text("external_id", "id", limit=LONGEST_ID) or None,
        message_id=_bare_id(fields.text("message_id", limit=LONGEST_ID)),
        in_reply_to=_bare_id(fields.text("in_reply_to", limit=LONGEST_ID)),
        references=tuple(map(_bare, fields.texts("references", limit=LONGEST_ID, n_most=100))),
        is_html=fields.truth("is_html"),
        is_automatic=fields.truth("is_automatic"),
        occurred_at=fields.time("occurred_at", "created_at"),
    )
    fields.check()
    return draft


def _bare(message_id: str) -> str:
    return message_id.strip("<> ")


def _bare_id(message_id: str) -> str | None:
    return _bare(message_id) or None


def _body(fields: Fields) -> str:
    body = fields.text("body", "text", "description", "message", limit=2**31, is_required=True)
    if len(body) > MAX_BODY:
        raise TooLarge(limit=MAX_BODY, size=len(body))
    return body
