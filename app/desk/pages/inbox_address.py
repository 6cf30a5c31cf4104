"""The address is the filter: query strings into filters and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast, get_args

from werkzeug.datastructures import MultiDict

from app.core.prediction import Band
from app.desk.domain.ticket import OPEN_STATUSES, Priority, SlaName, Status, TicketFilter
from app.market.domain.market import PostFilter

Arguments = MultiDict[str, str]
Value = TypeVar("Value")

STATUSES: tuple[Status, ...] = get_args(Status)


def whole(text: str | None) -> int | None:
    """A whole number, or None when the text is none; ids may carry their prefix (`tkt_81`)."""
    digits = (text or "").rpartition("_")[2]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 16 else None


def _one_of(kind: Any, text: str | None) -> Any:
    return text if text in get_args(kind) else None


def _statuses(text: str | None) -> tuple[Status, ...]:
    if text in (None, "", "active"):
        return OPEN_STATUSES
    if text == "all":
        return STATUSES
    return cast("tuple[Status, ...]", (text,)) if text in STATUSES else OPEN_STATUSES


def ticket_filter(arguments: Arguments, *, me: int | None) -> TicketFilter:
    """The inbox's filter; `assignee` is an id, `me` or `none`. What cannot be read is left out."""
    assignee = arguments.get("assignee", "")
    return TicketFilter(
        status=_statuses(arguments.get("status")),
        queue_id=whole(arguments.get("queue")),
        intent=arguments.get("intent") or None,
        sentiment=arguments.get("sentiment") or None,
        priority=cast("Priority | None", _one_of(Priority, arguments.get("priority"))),
        band=cast("Band | None", _one_of(Band, arguments.get("band"))),
        assignee_id=me if assignee == "me" else whole(assignee),
        is_unassigned=assignee == "none",
        needs_person=True if arguments.get("needs_person") else None,
        language=arguments.get("language") or None,
        sla=cast("SlaName | None", _one_of(SlaName, arguments.get("sla"))),
        query=arguments.get("q", "").strip(),
    )


def post_filter(arguments: Arguments) -> PostFilter:
    """The post list's filter."""
    return PostFilter(
        entity_id=whole(arguments.get("entity")),
        topic=arguments.get("topic") or None,
        feed_id=whole(arguments.get("feed")),
        sentiment=arguments.get("sentiment") or None,
        since=whole(arguments.get("since")),
        until=whole(arguments.get("until")),
        query=arguments.get("q", "").strip(),
    )


def kept(arguments: Arguments, **changes: object) -> dict[str, Any]:
    """The query with some values changed, and empty ones and the cursor left out."""
    merged: Mapping[str, object] = {**arguments.to_dict(), "after": "", **changes}
    return {name: str(value) for name, value in merged.items() if value not in ("", None)}


def is_narrowed(arguments: Arguments) -> bool:
    """Whether anything besides the queue is filtered."""
    return any(value for name, value in arguments.items() if name not in {"queue", "after", "sort"})
