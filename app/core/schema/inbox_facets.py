"""The inbox at a million tickets: facets with counters, order keys, saved views, bulk jobs.

A facet is one combination of everything an inbox filters by, with the number of its tickets. Triggers keep it exact, so
any filter is counted by adding up a few thousand rows, and its first page is the best of the best of its facets.
"""

from __future__ import annotations

_COLUMNS = "status, queue_id, priority, intent, sentiment, band, language, needs_person, is_assigned, sla"
_VALUES = """new.status, new.queue_id, new.priority, coalesce(new.intent, ''), coalesce(new.sentiment, ''),
coalesce(new.intent_band, ''), new.language, new.needs_person, new.assignee_id IS NOT NULL, new.sla"""
_COUNT = f"INSERT INTO facet ({_COLUMNS}, n) VALUES ({_VALUES}, 1) ON CONFLICT DO UPDATE SET n = n + 1;"  # noqa: S608
_PLACE = f"""UPDATE ticket SET facet_id = (SELECT id FROM facet WHERE ({_COLUMNS}) = ({_VALUES}))
WHERE id = new.id;"""  # noqa: S608
_LEAVE = "UPDATE facet SET n = n - 1 WHERE id = old.facet_id;"


def _seen(row: str) -> str:
    return _VALUES.replace("new.", row + ".")


FACETS = (
    "ALTER TABLE ticket ADD COLUMN sla TEXT NOT NULL DEFAULT 'ok'",
    # When the order key is to be looked at again; NULL when time no longer changes it. 0: at once.
    "ALTER TABLE ticket ADD COLUMN refresh_at INTEGER DEFAULT 0",
    "ALTER TABLE ticket ADD COLUMN facet_id INTEGER",
    """CREATE TABLE facet (id INTEGER PRIMARY KEY, status TEXT NOT NULL, queue_id INTEGER NOT NULL,
    priority TEXT NOT NULL, intent TEXT NOT NULL, sentiment TEXT NOT NULL, band TEXT NOT NULL, language TEXT NOT NULL,
    needs_person INTEGER NOT NULL, is_assigned INTEGER NOT NULL, sla TEXT NOT NULL, n INTEGER NOT NULL)""",
    f"CREATE UNIQUE INDEX facet_all ON facet ({_COLUMNS})",
    "UPDATE ticket SET refresh_at = NULL WHERE is_open = 0",
    "UPDATE ticket SET sla = iif(coalesce(solved_at, updated_at) <= coalesce(resolution_due_at, 1 << 62), "
    "'met', 'breached') WHERE is_open = 0",
    f"INSERT INTO facet ({_COLUMNS}, n) SELECT {_seen('ticket')}, count(*) FROM ticket GROUP BY {_seen('ticket')}",  # noqa: S608
    f"UPDATE ticket SET facet_id = (SELECT id FROM facet WHERE ({_COLUMNS}) = ({_seen('ticket')}))",  # noqa: S608
    f"CREATE TRIGGER ticket_faceted AFTER INSERT ON ticket BEGIN {_COUNT} {_PLACE} END",
    f"""CREATE TRIGGER ticket_refaceted AFTER UPDATE OF status, queue_id, priority, intent, sentiment, intent_band,
    language, needs_person, assignee_id, sla ON ticket WHEN ({_seen("old")}) IS NOT ({_seen("new")})
    BEGIN {_LEAVE} {_COUNT} {_PLACE} END""",
    f"CREATE TRIGGER ticket_unfaceted AFTER DELETE ON ticket BEGIN {_LEAVE} END",
    # A filter's page is merged out of its facets; a filter that leaves much is found by walking one side of the desk.
    "DROP INDEX ticket_queue",
    "DROP INDEX ticket_intent",
    "DROP INDEX ticket_person",
    "DROP INDEX ticket_updated",
    "DROP INDEX ticket_assignee",
    "CREATE INDEX ticket_facet_risk ON ticket (facet_id, risk DESC, id DESC)",
    "CREATE INDEX ticket_facet_created ON ticket (facet_id, created_at, id)",
    "CREATE INDEX ticket_facet_updated ON ticket (facet_id, updated_at, id)",
    "CREATE INDEX ticket_created ON ticket (is_open, created_at, id)",
    "CREATE INDEX ticket_updated ON ticket (is_open, updated_at, id)",
    """CREATE INDEX ticket_assignee ON ticket (assignee_id, is_open, risk DESC, id DESC, facet_id)
    WHERE assignee_id IS NOT NULL""",
    "CREATE INDEX ticket_refresh ON ticket (refresh_at) WHERE refresh_at IS NOT NULL",
    # Whatever else changes the clock of a ticket, its key is looked at again at the next turn.
    """CREATE TRIGGER ticket_reordered AFTER UPDATE OF status, urgency, first_response_due_at, resolution_due_at,
    first_responded_at ON ticket
    WHEN (old.status, old.urgency, old.first_response_due_at, old.resolution_due_at, old.first_responded_at)
    IS NOT (new.status, new.urgency, new.first_response_due_at, new.resolution_due_at, new.first_responded_at)
    AND new.refresh_at IS old.refresh_at BEGIN UPDATE ticket SET refresh_at = 0 WHERE id = new.id; END""",
)

# What a bulk job is about, ticket by ticket. state: 0 waiting, 1 done, 2 failed; the event is what undo takes back.
BULK = (
    """CREATE TABLE bulk_item (job_id INTEGER NOT NULL REFERENCES job ON DELETE CASCADE, ticket_id INTEGER NOT NULL,
    state INTEGER NOT NULL DEFAULT 0, event_id INTEGER, PRIMARY KEY (job_id, ticket_id)) WITHOUT ROWID""",
)

VIEWS = (
    """CREATE TABLE saved_view (id INTEGER PRIMARY KEY, name TEXT NOT NULL, query TEXT NOT NULL,
    user_id INTEGER NOT NULL REFERENCES user ON DELETE CASCADE, is_shared INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL DEFAULT 1, UNIQUE (user_id, name))""",
)
