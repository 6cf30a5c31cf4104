"""Records of Zendesk, Chatwoot and plain exports as tickets: which column means what, and what its values mean."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from app.core.errors import FieldError, InputError
from app.core.text.cleaning import one_line, tidy
from app.core.text.fields import checked_address
from app.core.text.times import moment
from app.desk.domain.import_file import Field, Mapped, MovedTicket, Source
from app.desk.domain.ticket import Channel, Priority, Status
from app.desk.sources.import_threads import thread_of

FIELDS: tuple[Field, ...] = get_args(Field)
SOURCES: tuple[Source, ...] = get_args(Source)
MOST_TAGS, LONGEST_TAG, LONGEST_ID, LONGEST = 20, 50, 200, 500

# Where each desk keeps a field, likeliest first; what is not there is looked for under the plain names.
_COLUMNS: dict[Source, dict[str, tuple[str, ...]]] = {
    "zendesk": {
        "external_id": ("id", "ticket_id", "nice_id"),
        "subject": ("subject", "raw_subject", "title"),
        "body": ("description", "latest_comment"),
        "thread": ("comments",),
        "customer_name": ("requester.name", "requester"),
        "customer_email": ("requester.email", "requester_email"),
        "tags": ("tags", "current_tags"),
        "queue": ("group.name", "group"),
        "channel": ("via.channel", "via"),
        "solved_at": ("metric_set.solved_at", "solved_at"),
    },
    "chatwoot": {
        "external_id": ("display_id", "id", "conversation_id"),
        "subject": ("additional_attributes.mail_subject", "subject"),
        "body": ("last_non_activity_message.content", "content", "message"),
        "thread": ("messages",),
        "customer_name": ("meta.sender.name", "contact.name", "contact_name"),
        "customer_email": ("meta.sender.email", "contact.email", "contact_email"),
        "tags": ("labels",),
        "queue": ("meta.team.name", "team.name", "inbox.name", "inbox_name", "inbox"),
        "channel": ("meta.channel", "inbox.channel_type", "channel"),
        "created_at": ("created_at", "timestamp"),
    },
    "plain": {
        "external_id": ("external_id", "ticket_id", "id", "number", "key", "reference"),
        "subject": ("subject", "title", "summary"),
        "body": ("body", "text", "description", "message", "content", "question"),
        "thread": ("messages", "comments", "thread"),
        "customer_name": ("customer_name", "customer.name", "customer", "requester", "contact_name", "name"),
        "customer_email": ("customer_email", "customer.email", "requester_email", "email", "from", "sender"),
        "status": ("status", "state"),
        "priority": ("priority", "severity"),
        "tags": ("tags", "labels"),
        "queue": ("queue", "group", "team", "department", "category"),
        "channel": ("channel", "via"),
        "created_at": ("created_at", "created", "occurred_at", "opened_at", "date"),
        "solved_at": ("solved_at", "resolved_at", "closed_at"),
    },
}
_TELLTALES: dict[Source, frozenset[str]] = {
    "zendesk": frozenset(
        {"requester_id", "ticket_form_id", "raw_subject", "via.channel", "requester_domain", "satisfaction_score"}
    ),
    "chatwoot": frozenset(
        {"meta.sender.name", "inbox_id", "contact_last_seen_at", "last_non_activity_message.content", "account_id"}
    ),
}

_STATUS: dict[str, Status] = {
    **{name: name for name in get_args(Status)},
    "hold": "pending",
    "on-hold": "pending",
    "on hold": "pending",
    "waiting": "pending",
    "snoozed": "pending",
    "in progress": "open",
    "reopened": "open",
    "resolved": "solved",
    "done": "solved",
    "deleted": "closed",
    "archived": "closed",
}
_PRIORITY: dict[str, Priority] = {
    **{name: name for name in get_args(Priority)},
    "medium": "normal",
    "critical": "urgent",
    "none": "normal",
}
_CHANNELS: tuple[tuple[str, Channel], ...] = (
    ("mail", "email"),
    ("chat", "chat"),
    ("messag", "chat"),
    ("widget", "chat"),
    ("whatsapp", "chat"),
    ("form", "form"),
    ("web", "form"),
)


def source_of(names: Sequence[str]) -> Source:
    """Return the desk whose export has these columns; `plain` for an unknown one."""
    known = set(names)
    return max(_TELLTALES, key=lambda source: len(_TELLTALES[source] & known)) if _tells(known) else "plain"


def _tells(known: set[str]) -> bool:
    return any(marks & known for marks in _TELLTALES.values())


def suggested(names: Sequence[str], *, source: Source) -> dict[str, str]:
    """The likeliest column of each field among those that there are."""
    found: dict[str, str] = {}
    for field in FIELDS:
        likely = (*_COLUMNS[source].get(field, ()), *_COLUMNS["plain"].get(field, ()))
        column = next((one for one in likely if one in names), None)
        if column is not None:
            found[field] = column
    return found


def checked(mapping: Mapped, *, names: Sequence[str]) -> dict[str, str]:
    """A mapping that can be used: known fields, columns that there are, and a text; raises InputError otherwise."""
    found = {field: column for field, column in mapping.items() if column}
    for field, column in found.items():
        if field not in FIELDS:
            raise InputError("unknown_value", value=field)
        if column not in names:
            raise InputError("no_such_column", column=column)
    if not {"body", "subject", "thread"} & set(found):
        raise InputError("no_text_column")
    return found


def ticket_of(record: Mapping[str, Any], *, mapping: Mapped, source: Source) -> MovedTicket:
    """A record as a ticket; raises InputError with a FieldError for each value that cannot be used."""
    reader = _Reader(record, mapping=mapping)
    name, email = reader.text("customer_name", limit=200), reader.address()
    created_at, subject = reader.time("created_at"), reader.text("subject", limit=LONGEST)
    messages = thread_of(
        record.get(mapping.get("thread", "")),
        body=tidy(reader.raw("body")).strip() or subject,
        customer_name=name,
        customer_email=email,
        record=record,
    )
    found = MovedTicket(
        external_id=_external_id(record, reader=reader, source=source),
        subject=subject,
        messages=messages,
        customer_name=name,
        customer_email=email,
        status=reader.choice("status", known=_statuses(source), default="open"),
        priority=reader.choice("priority", known=_PRIORITY, default=None),
        tags=reader.tags(),
        queue=reader.text("queue", limit=100),
        channel=_channel(reader.raw("channel")),
        created_at=created_at,
        solved_at=reader.time("solved_at"),
    )
    reader.check(is_empty=not messages)
    return found


def _statuses(source: Source) -> dict[str, Status]:
    # What waits for its bot in Chatwoot was seen by nobody yet.
    return _STATUS | {"pending": "new"} if source == "chatwoot" else _STATUS


def _external_id(record: Mapping[str, Any], *, reader: _Reader, source: Source) -> str:
    """The other desk's number under its name; a record without one is known again by what it says."""
    number = reader.text("external_id", limit=LONGEST_ID)
    if number:
        return number if source == "plain" else f"{source}:{number}"
    said = json.dumps(record, sort_keys=True, ensure_ascii=False, default=str)
    return f"{source}:{hashlib.sha256(said.encode('utf-8', 'replace')).hexdigest()[:24]}"


def _channel(value: str) -> Channel:
    lowered = value.lower()
    return next((channel for part, channel in _CHANNELS if part in lowered), "api")


class _Reader:
    """The mapped values of one record; faults are collected under the names of their columns."""

    def __init__(self, record: Mapping[str, Any], *, mapping: Mapped) -> None:
        self._record, self._mapping = record, mapping
        self._faults: list[FieldError] = []

    def raw(self, field: str) -> str:
        """A value as text; empty where there is none."""
        value = self._record.get(self._mapping.get(field, ""))
        return "" if value is None or isinstance(value, list | dict) else str(value)

    def text(self, field: str, *, limit: int) -> str:
        """A value on one line."""
        return one_line(self.raw(field), limit=limit)

    def address(self) -> str | None:
        """The customer's address; one that is none is a fault."""
        value = self.raw("customer_email").strip()
        found = checked_address(value) if value else None
        if value and found is None:
            self._fault("customer_email", code="not_an_address", value=value)
        return found

    def time(self, field: str) -> int | None:
        """A time in milliseconds UTC."""
        value = self.raw(field).strip()
        found = moment(value) if value else None
        if value and found is None:
            self._fault(field, code="not_a_time", value=value)
        return None if found is None else found.at

    def choice(self, field: str, *, known: Mapping[str, Any], default: Any) -> Any:
        """Return the meaning of a value, `default` where there is none; an unknown value is a fault."""
        value = self.raw(field).strip().lower()
        if value and value not in known:
            self._fault(field, code="unknown_choice", value=value, choices=", ".join(known))
        return known.get(value, default)

    def tags(self) -> tuple[str, ...]:
        """A list, or words with commas (or else spaces) between them."""
        value = self._record.get(self._mapping.get("tags", ""))
        if isinstance(value, str):
            value = value.split("," if "," in value else None)
        found = (one_line(str(one), limit=LONGEST_TAG) for one in value or () if not isinstance(one, list | dict))
        return tuple(dict.fromkeys(one for one in found if one))[:MOST_TAGS]

    def check(self, *, is_empty: bool) -> None:
        """Raise InputError when something could not be used, or there is no text at all."""
        if is_empty:
            raise InputError("empty_message")
        if self._faults:
            first = self._faults[0]
            raise InputError(first.code, fields=self._faults, **dict(first.params))

    def _fault(self, field: str, *, code: str, **params: str) -> None:
        shown = tuple((key, value[:100]) for key, value in params.items())
        self._faults.append(FieldError(pointer=f"/{self._mapping[field]}", code=code, params=shown))
