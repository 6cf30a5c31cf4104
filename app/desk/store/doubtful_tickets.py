"""Tickets whose intent nobody has confirmed, the most doubtful first; and the answers to what was asked."""

from __future__ import annotations

from collections.abc import Iterable

from app.core import scope
from app.core.db import Reads, statement
from app.core.permissions import Viewer
from app.core.scope import listed
from app.core.storage.row_mapping import built
from app.intents.domain import Asked, Question
from app.model.store import predictions
from app.model.store.predictions import chances_in

MOST_LOOKED_AT = 2000
MOST_ANSWERS = 500

_LATEST = "WITH latest AS (SELECT id, subject, queue_id FROM ticket"

_UNJUDGED = """ORDER BY id DESC LIMIT ?)
SELECT prediction.id, prediction.top, latest.id AS ticket_id
FROM latest JOIN message ON message.id = (SELECT id FROM message WHERE ticket_id = latest.id AND kind = 'incoming'
ORDER BY occurred_at, id LIMIT 1)
JOIN predicted AS prediction ON prediction.id = (SELECT max(id) FROM predicted WHERE subject_kind = 'message'
AND subject_id = message.id AND role = 'intent' AND is_shadow = 0)
WHERE prediction.created_at >= ? AND message.is_supported = 1 AND message.text <> ''
AND prediction.id NOT IN (SELECT value FROM json_each(?))
AND NOT EXISTS (SELECT 1 FROM correction WHERE correction.subject_kind = 'message'
AND correction.subject_id = message.id AND correction.task = prediction.task AND undone_at IS NULL)"""

_ASKED = """SELECT ticket.id AS ticket_id, ticket.subject, ticket.queue_id, message.body, message.text,
message.occurred_at, prediction.* FROM predicted AS prediction JOIN message ON message.id = subject_id
JOIN ticket ON ticket.id = message.ticket_id WHERE prediction.id = ?"""

_ANSWERS = """WITH asked AS (SELECT correction.id, prediction.model, correction.label = prediction.label AS is_right
FROM correction JOIN predicted AS prediction ON prediction.id = correction.prediction_id
WHERE is_asked = 1 AND undone_at IS NULL AND prediction.role = 'intent' ORDER BY correction.id DESC LIMIT ?)
SELECT model, count(*) AS n, sum(is_right) AS n_right FROM asked GROUP BY model ORDER BY max(id) DESC"""


def doubtful(
    db: Reads, *, viewer: Viewer, since: int, leave_out: Iterable[int] = (), limit: int
) -> tuple[Question, ...]:
    """Among the newest tickets in sight: intents read since then (ms UTC) that no person has judged.

    `leave_out` are predictions that are not asked about.
    """
    where, params = scope.joined([scope.of_queues(viewer)])
    rows = db.rows(statement(_LATEST, where, _UNJUDGED), [*params, MOST_LOOKED_AT, since, listed(leave_out)])
    least = sorted((_margin(row["top"]), -row["id"]) for row in rows)[:limit]
    found = [row for _, negative in least for row in db.rows(_ASKED, (-negative,))]
    stored = predictions.of_rows(db, found)
    return tuple(
        built(Question, row, stored=one, margin=margin)
        for row, one, (margin, _) in zip(found, stored, least, strict=True)
    )


def _margin(top: bytes | str) -> float:
    """The lead of the best guess over the second; an answer with a single label has no second."""
    best, second, *_ = (*chances_in(top), 0.0, 0.0)
    return best - second


def n_answered(db: Reads, *, user_id: int, since: int) -> int:
    """The number of questions that a person has answered since then and not taken back."""
    return int(
        db.value(
            "SELECT count(*) FROM correction WHERE is_asked = 1 AND user_id = ? AND created_at >= ? "
            "AND undone_at IS NULL",
            (user_id, since),
        )
    )


def answers(db: Reads) -> tuple[Asked, ...]:
    """The last five hundred answers counted by model, the model that was asked about last first."""
    return tuple(built(Asked, row) for row in db.rows(_ANSWERS, (MOST_ANSWERS,)))
