"""Figures of the desk, kept by triggers with the change itself: reports add up hours and never count tickets.

A figure belongs to the hour in which the thing happened and to the queue in which the ticket stood. What is taken back
(a solved ticket that opens again, a reply that is called back) is taken off where it was counted.
"""

from __future__ import annotations

HOUR = 3_600_000
DAY = 86_400_000
FOREVER = 1 << 62


def _add(table: str, keys: str, column: str, select: str) -> str:
    """An upsert of rows of keys and a number: `select` yields them."""
    return (
        f"INSERT INTO {table} ({keys}, {column}) {select} "
        f"ON CONFLICT DO UPDATE SET {column} = {column} + excluded.{column};"
    )


def _span(sign: str, row: str, *, kind: str, at: str, due: str) -> str:
    """One first response or resolution of a ticket row, added or taken off."""
    late = f"({row}.{at} > coalesce({row}.{due}, {FOREVER}))"
    return f"""INSERT INTO figure (hour, queue_id, n_{kind}, {kind}_ms, n_{kind}_late)
SELECT {row}.{at} / {HOUR}, {row}.queue_id, {sign}1, {sign}max({row}.{at} - {row}.created_at, 0), {sign}{late}
WHERE {row}.{at} IS NOT NULL ON CONFLICT DO UPDATE SET n_{kind} = n_{kind} + excluded.n_{kind},
{kind}_ms = {kind}_ms + excluded.{kind}_ms, n_{kind}_late = n_{kind}_late + excluded.n_{kind}_late;"""


_FIRST = {"kind": "first", "at": "first_responded_at", "due": "first_response_due_at"}
_SOLVED = {"kind": "solved", "at": "solved_at", "due": "resolution_due_at"}
_HOURS = "hour, queue_id"
_OPEN_MOVE = "old.queue_id <> new.queue_id AND old.solved_at IS NULL AND new.solved_at IS NULL"
_BY_RULE = """new.noun = 'ticket' AND new.verb = 'routed' AND new.actor_kind = 'rule'"""
_BY_HAND = """new.noun = 'ticket' AND new.verb = 'routed' AND new.actor_kind IN ('agent', 'token')
AND new.undoes IS NULL AND (SELECT actor_kind FROM event WHERE noun = 'ticket' AND noun_id = new.noun_id
AND verb = 'routed' AND id < new.id ORDER BY id DESC LIMIT 1) = 'rule'"""
_ARRIVED_IN = f"SELECT created_at / {HOUR}, coalesce(json_extract(new.before, '$.queue_id'), queue_id), 1 FROM ticket"
_SOLVES = """new.noun = 'ticket' AND new.actor_kind = 'agent' AND json_extract(new.after, '$.status') = 'solved'
AND coalesce(json_extract(new.before, '$.status'), 'solved') <> 'solved'"""
_ITS = "id = new.noun_id"
_AGENT = "day, user_id, queue_id"
_INTENT = "day, queue_id, intent"
_CORRECTED = f"""SELECT prediction.created_at / {DAY}, ticket.queue_id, prediction.label, %s1 FROM prediction
JOIN message ON message.id = prediction.subject_id JOIN ticket ON ticket.id = message.ticket_id
WHERE prediction.id = new.prediction_id AND prediction.role = 'intent' AND prediction.subject_kind = 'message'
AND prediction.label <> new.label AND NOT EXISTS (SELECT 1 FROM correction AS other WHERE other.id <> new.id
AND other.prediction_id = new.prediction_id AND other.undone_at IS NULL)"""
_READ = f"""SELECT new.created_at / {DAY}, ticket.queue_id, new.label, 1 FROM message
JOIN ticket ON ticket.id = message.ticket_id WHERE message.id = new.subject_id"""
_REPLIED = f"SELECT new.occurred_at / {DAY}, new.user_id, queue_id, %s1 FROM ticket WHERE id = new.ticket_id"


def _trigger(name: str, when: str, *steps: str) -> str:
    return f"CREATE TRIGGER {name} AFTER {when} BEGIN {' '.join(steps)} END"


FIGURES = (
    """CREATE TABLE figure (hour INTEGER NOT NULL, queue_id INTEGER NOT NULL, n_arrived INTEGER NOT NULL DEFAULT 0,
    n_first INTEGER NOT NULL DEFAULT 0, first_ms INTEGER NOT NULL DEFAULT 0, n_first_late INTEGER NOT NULL DEFAULT 0,
    n_solved INTEGER NOT NULL DEFAULT 0, solved_ms INTEGER NOT NULL DEFAULT 0,
    n_solved_late INTEGER NOT NULL DEFAULT 0, n_reopened INTEGER NOT NULL DEFAULT 0,
    n_moved_in INTEGER NOT NULL DEFAULT 0, n_moved_out INTEGER NOT NULL DEFAULT 0,
    n_routed INTEGER NOT NULL DEFAULT 0, n_rerouted INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (hour, queue_id)) WITHOUT ROWID""",
    """CREATE TABLE figure_intent (day INTEGER NOT NULL, queue_id INTEGER NOT NULL, intent TEXT NOT NULL,
    n_read INTEGER NOT NULL DEFAULT 0, n_corrected INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (day, queue_id, intent)) WITHOUT ROWID""",
    """CREATE TABLE figure_agent (day INTEGER NOT NULL, user_id INTEGER NOT NULL, queue_id INTEGER NOT NULL,
    n_replies INTEGER NOT NULL DEFAULT 0, n_solved INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (day, user_id, queue_id)) WITHOUT ROWID""",
    # What is there already, counted once.
    f"""INSERT INTO figure (hour, queue_id, n_arrived) SELECT created_at / {HOUR}, queue_id, count(*) FROM ticket
    GROUP BY 1, 2""",
    *(
        f"""INSERT INTO figure (hour, queue_id, n_{kind}, {kind}_ms, n_{kind}_late)
        SELECT {at} / {HOUR}, queue_id, count(*), sum(max({at} - created_at, 0)), sum({at} > coalesce({due}, {FOREVER}))
        FROM ticket WHERE {at} IS NOT NULL GROUP BY 1, 2 ON CONFLICT DO UPDATE SET n_{kind} = excluded.n_{kind},
        {kind}_ms = excluded.{kind}_ms, n_{kind}_late = excluded.n_{kind}_late"""
        for kind, at, due in (tuple(_FIRST.values()), tuple(_SOLVED.values()))
    ),
    f"""INSERT INTO figure (hour, queue_id, n_routed) SELECT ticket.created_at / {HOUR},
    coalesce(json_extract(event.before, '$.queue_id'), ticket.queue_id), count(*) FROM event
    JOIN ticket ON ticket.id = event.noun_id WHERE noun = 'ticket' AND verb = 'routed' AND actor_kind = 'rule'
    GROUP BY 1, 2 ON CONFLICT DO UPDATE SET n_routed = excluded.n_routed""",
    f"""INSERT INTO figure_intent (day, queue_id, intent, n_read) SELECT prediction.created_at / {DAY},
    ticket.queue_id, prediction.label, count(*) FROM prediction JOIN message ON message.id = prediction.subject_id
    JOIN ticket ON ticket.id = message.ticket_id WHERE prediction.subject_kind = 'message'
    AND prediction.role = 'intent' AND prediction.is_shadow = 0 AND prediction.abstained = 0 GROUP BY 1, 2, 3""",
    f"""INSERT INTO figure_agent (day, user_id, queue_id, n_replies) SELECT message.occurred_at / {DAY},
    message.user_id, ticket.queue_id, count(*) FROM message JOIN ticket ON ticket.id = message.ticket_id
    WHERE message.kind = 'outgoing' AND message.user_id IS NOT NULL GROUP BY 1, 2, 3""",
    _trigger(
        "figure_arrived",
        "INSERT ON ticket",
        _add("figure", _HOURS, "n_arrived", f"SELECT new.created_at / {HOUR}, new.queue_id, 1 WHERE true"),
        _span("", "new", **_FIRST),
        _span("", "new", **_SOLVED),
    ),
    _trigger(
        "figure_first",
        "UPDATE OF first_responded_at ON ticket WHEN old.first_responded_at IS NOT new.first_responded_at",
        _span("-", "old", **_FIRST),
        _span("", "new", **_FIRST),
    ),
    _trigger(
        "figure_solved",
        "UPDATE OF solved_at ON ticket WHEN old.solved_at IS NOT new.solved_at",
        _span("-", "old", **_SOLVED),
        _span("", "new", **_SOLVED),
    ),
    # Solved by a slip and taken back at once is no ticket that was opened again.
    _trigger(
        "figure_reopened",
        """UPDATE OF solved_at ON ticket WHEN old.solved_at IS NOT NULL AND new.solved_at IS NULL
        AND new.updated_at - old.solved_at >= 60000""",
        _add("figure", _HOURS, "n_reopened", f"SELECT new.updated_at / {HOUR}, new.queue_id, 1 WHERE true"),
    ),
    _trigger(
        "figure_moved",
        f"UPDATE OF queue_id ON ticket WHEN {_OPEN_MOVE}",
        _add("figure", _HOURS, "n_moved_out", f"SELECT new.updated_at / {HOUR}, old.queue_id, 1 WHERE true"),
        _add("figure", _HOURS, "n_moved_in", f"SELECT new.updated_at / {HOUR}, new.queue_id, 1 WHERE true"),
    ),
    _trigger(
        "figure_routed",
        f"INSERT ON event WHEN {_BY_RULE}",
        _add("figure", _HOURS, "n_routed", f"{_ARRIVED_IN} WHERE {_ITS}"),
    ),
    _trigger(
        "figure_rerouted",
        f"INSERT ON event WHEN {_BY_HAND}",
        _add(
            "figure",
            _HOURS,
            "n_rerouted",
            f"SELECT created_at / {HOUR}, queue_id, 1 FROM ticket WHERE id = new.noun_id",
        ),
    ),
    _trigger(
        "figure_read",
        """INSERT ON prediction WHEN new.role = 'intent' AND new.subject_kind = 'message' AND new.is_shadow = 0
        AND new.abstained = 0""",
        _add("figure_intent", _INTENT, "n_read", _READ),
    ),
    _trigger(
        "figure_corrected", "INSERT ON correction", _add("figure_intent", _INTENT, "n_corrected", _CORRECTED % "")
    ),
    _trigger(
        "figure_uncorrected",
        "UPDATE OF undone_at ON correction WHEN old.undone_at IS NULL AND new.undone_at IS NOT NULL",
        _add("figure_intent", _INTENT, "n_corrected", _CORRECTED % "-"),
    ),
    _trigger(
        "figure_replied",
        "INSERT ON message WHEN new.kind = 'outgoing' AND new.user_id IS NOT NULL",
        _add("figure_agent", _AGENT, "n_replies", _REPLIED % ""),
    ),
    _trigger(
        "figure_recalled",
        """UPDATE OF recalled_at ON message WHEN old.recalled_at IS NULL AND new.recalled_at IS NOT NULL
        AND new.kind = 'outgoing' AND new.user_id IS NOT NULL""",
        _add("figure_agent", _AGENT, "n_replies", _REPLIED % "-"),
    ),
    _trigger(
        "figure_closed",
        f"INSERT ON event WHEN {_SOLVES}",
        _add(
            "figure_agent",
            _AGENT,
            "n_solved",
            f"SELECT new.at / {DAY}, CAST(new.actor_id AS INTEGER), queue_id, 1 FROM ticket WHERE id = new.noun_id",
        ),
    ),
)
