"""The filter of tickets that the address of the inbox holds."""

from __future__ import annotations

from typing import Any, cast, get_args

from app.core.prediction import Band
from app.desk.domain.ticket import OPEN_STATUSES, Priority, SlaName, Sort, Status, TicketFilter
from app.web.query_string import Arguments, whole

STATUSES: tuple[Status, ...] = get_args(Status)


def _one_of(kind: Any, text: str | None) -> Any:
    return text if text in get_args(kind) else None


def _statuses(text: str | None) -> tuple[Status, ...]:
    if text in (None, "", "active"):
        return OPEN_STATUSES
    if text == "all":
        return STATUSES
    return cast("tuple[Status, ...]", (text,)) if text in STATUSES else OPEN_STATUSES


def ticket_filter(arguments: Arguments, *, me: int | None) -> TicketFilter:
    """The inbox's filter; `assignee` is an id, `me` or `none`. Values that say nothing are left out."""
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


def sort(arguments: Arguments) -> Sort:
    """The inbox's order; the riskiest first where none is named."""
    return cast(Sort, _one_of(Sort, arguments.get("sort")) or "risk")


def is_narrowed(arguments: Arguments) -> bool:
    """True where anything besides the queue is filtered."""
    return any(value for name, value in arguments.items() if name not in {"queue", "after", "sort"})
