"""Figures that triggers keep: sums by hour, by intent and by person, within the viewer's queues."""

from __future__ import annotations

from dataclasses import fields

from app.core import scope
from app.core.db import Reads, statement
from app.core.permissions import Viewer
from app.core.scope import Condition, joined
from app.core.storage.row_mapping import built
from app.desk.domain.report import AgentFigures, Figures, IntentFigures

_COLUMNS = tuple(entry.name for entry in fields(Figures))
_SUMS = ", ".join(f"coalesce(sum({name}), 0) AS {name}" for name in _COLUMNS)


def between(db: Reads, *, since: int, until: int, viewer: Viewer, queue_id: int | None = None) -> Figures:
    """The sums from hour `since` to before `until` (hours since 1970)."""
    where, params = joined([*_within("hour", since=since, until=until), *_of_queues(viewer, queue_id)])
    row = db.row(statement("SELECT", _SUMS, "FROM figure", where), params)
    return Figures() if row is None else built(Figures, row)


def growth_after(db: Reads, hour: int, *, viewer: Viewer, queue_id: int | None = None) -> int:
    """By how much the open tickets have changed from the beginning of an hour until now."""
    where, params = joined([("hour >= ?", [hour]), *_of_queues(viewer, queue_id)])
    sums = "coalesce(sum(n_arrived + n_moved_in - n_solved - n_moved_out), 0)"
    return int(db.value(statement("SELECT", sums, "FROM figure", where), params))


def by_intent(
    db: Reads, *, since: int, until: int, viewer: Viewer, queue_id: int | None = None, limit: int = 200
) -> tuple[IntentFigures, ...]:
    """Intents from day `since` to before `until` (days since 1970), the most frequent first."""
    where, params = joined([*_within("day", since=since, until=until), *_of_queues(viewer, queue_id)])
    rows = db.rows(
        statement(
            "SELECT intent, sum(n_read) AS n_read, sum(n_corrected) AS n_corrected FROM figure_intent", where,
            "GROUP BY intent ORDER BY n_read DESC, intent LIMIT ?",
        ),
        [*params, limit],
    )  # fmt: skip
    return tuple(built(IntentFigures, row) for row in rows)


def by_agent(
    db: Reads, *, since: int, until: int, viewer: Viewer, queue_id: int | None = None, user_id: int | None = None
) -> tuple[AgentFigures, ...]:
    """People from day `since` to before `until`, who answered most first; one of them alone where given."""
    mine: Condition = ("", []) if user_id is None else ("user_id = ?", [user_id])
    where, params = joined([*_within("day", since=since, until=until), *_of_queues(viewer, queue_id), mine])
    rows = db.rows(
        statement(
            "SELECT user_id, sum(n_replies) AS n_replies, sum(n_solved) AS n_solved FROM figure_agent", where,
            "GROUP BY user_id ORDER BY n_replies DESC, user_id",
        ),
        params,
    )  # fmt: skip
    return tuple(built(AgentFigures, row) for row in rows)


def _within(column: str, *, since: int, until: int) -> list[Condition]:
    return [(f"{column} >= ?", [since]), (f"{column} < ?", [until])]


def _of_queues(viewer: Viewer, queue_id: int | None) -> list[Condition]:
    chosen: Condition = ("", []) if queue_id is None else ("queue_id = ?", [queue_id])
    return [chosen, scope.of_queues(viewer)]
