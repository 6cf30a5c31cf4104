"""The messages under a record: Zendesk's comments, Chatwoot's messages, or a list of texts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from app.core.text.cleaning import one_line, tidy
from app.core.text.times import moment
from app.desk.domain.import_file import MovedMessage
from app.desk.domain.ticket import MessageKind

MOST_MESSAGES = 500
LONGEST_BODY = 1_500_000
_TEXTS = ("plain_body", "content", "body", "text", "message", "html_body")
# Chatwoot counts its kinds: what the customer wrote, what was answered; the rest is bookkeeping.
_CHATWOOT: dict[str, MessageKind] = {"0": "incoming", "1": "outgoing", "incoming": "incoming", "outgoing": "outgoing"}


def thread_of(
    value: Any, *, body: str, customer_name: str, customer_email: str | None, record: Mapping[str, Any]
) -> tuple[MovedMessage, ...]:
    """The thread, oldest first, beginning with what the customer wrote; `body` alone where there is none."""
    asker = {str(record.get(name)) for name in ("requester_id", "requester.id", "meta.sender.id") if record.get(name)}
    asker |= {customer_email} if customer_email else set()
    found = [one for item in _items(value) if (one := _message(item, asker=asker, customer_name=customer_name))]
    found.sort(key=lambda one: one.at or 0)
    first = MovedMessage(kind="incoming", author_name=customer_name or customer_email or "", body=body[:LONGEST_BODY])
    if not found:
        return (first,) if body else ()
    if any(one.kind == "incoming" for one in found):
        return tuple(found)
    # Only answers are left: the text of the record is what they answer.
    return (first, *found) if body else tuple(found)


def _items(value: Any) -> list[Any]:
    if isinstance(value, str) and value.lstrip()[:1] == "[":
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return []
    return value[:MOST_MESSAGES] if isinstance(value, list) else []


def _message(item: Any, *, asker: set[str], customer_name: str) -> MovedMessage | None:
    if isinstance(item, str):
        item = {"text": item}
    if not isinstance(item, Mapping):
        return None
    name = next((name for name in _TEXTS if isinstance(item.get(name), str) and item[name].strip()), None)
    kind = _kind(item, asker=asker)
    if name is None or kind is None:
        return None
    at = moment(item.get("created_at") or item.get("at") or item.get("date"))
    return MovedMessage(
        kind=kind,
        author_name=_author(item) or (customer_name if kind == "incoming" else ""),
        body=tidy(item[name]).strip()[:LONGEST_BODY],
        at=None if at is None else at.at,
        is_html=name == "html_body",
    )


def _kind(item: Mapping[str, Any], *, asker: set[str]) -> MessageKind | None:
    """Return the kind of a message; None for one that nobody wrote."""
    if item.get("public") is False or item.get("private") is True or item.get("kind") == "note":
        return "note"
    if "message_type" in item:
        return _CHATWOOT.get(str(item["message_type"]))
    if "kind" in item:
        return _CHATWOOT.get(str(item["kind"]))
    authors = {str(one) for one in (item.get("author_id"), *_inside(item, "id"), *_inside(item, "email")) if one}
    return "incoming" if not authors or authors & asker else "outgoing"


def _inside(item: Mapping[str, Any], name: str) -> list[Any]:
    people = (item.get("author"), item.get("sender"))
    return [one.get(name) for one in people if isinstance(one, Mapping)]


def _author(item: Mapping[str, Any]) -> str:
    names = [*_inside(item, "name"), item.get("author_name"), item.get("author"), item.get("from")]
    return next((one_line(one, limit=200) for one in names if isinstance(one, str) and one.strip()), "")
