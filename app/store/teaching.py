"""Tickets whose intent nobody has confirmed, the most doubtful first; and the answers to what was asked."""

from __future__ import annotations

from collections.abc import Iterable

from app.domain.people import Viewer
from app.domain.teaching import Asked, Question
from app.store import predictions, scope
from app.store.db import Reads, statement
from app.store.rows import built
from app.store.scope import listed

MOST_LOOKED_AT = 2000
MOST_ANSWERS = 500

_LATEST = "WITH latest AS (SELECT id, subject, queue_id FROM ticket"

# The lead of the best guess over the second; an answer with a single label has no second.
_DOUBTFUL = """ORDER BY id DESC LIMIT ?)
SELECT latest.id AS ticket_id, latest.subject, latest.queue_id, message.body, message.text, message.occurred_at,
prediction.*, json_extract(top, '$[0][1]') - coalesce(json_extract(top, '$[1][1]'), 0) AS margin
FROM latest JOIN message ON message.id = (SELECT id FROM message WHERE ticket_id = latest.id AND kind = 'incoming'
ORDER BY occurred_at, id LIMIT 1)
JOIN prediction ON prediction.id = (SELECT max(id) FROM prediction WHERE subject_kind = 'message'
AND subject_id = message.id AND role = 'intent' AND is_shadow = 0)
WHERE prediction.created_at >= ? AND message.is_supported = 1 AND message.text <> ''
AND prediction.id NOT IN (SELECT value FROM json_each(?))
AND NOT EXISTS (SELECT 1 FROM correction WHERE correction.subject_kind = 'message'
AND correction.subject_id = message.id AND correction.task = prediction.task AND undone_at IS NULL)
ORDER BY margin, prediction.id DESC LIMIT ?"""

_ANSWERS = """WITH asked AS (SELECT correction.id, prediction.model, correction.label = prediction.label AS is_right
FROM correction JOIN prediction ON prediction.id = correction.prediction_id
WHERE is_asked = 1 AND undone_at IS NULL AND prediction.role = 'intent' ORDER BY correction.id DESC LIMIT ?)
SELECT model, count(*) AS n, sum(is_right) AS n_right FROM asked GROUP BY model ORDER BY max(id) DESC"""


def doubtful(
    db: Reads, *, viewer: Viewer, since: int, leave_out: Iterable[int] = (), limit: int
) -> tuple[Question, ...]:
    """Among the newest tickets in sight: intents read since then (ms UTC) that no person has judged.

    `leave_out` are predictions that are not asked about.
    """
    where, params = scope.joined([scope.of_queues(viewer)])
    rows = db.rows(statement(_LATEST, where, _DOUBTFUL), [*params, MOST_LOOKED_AT, since, listed(leave_out), limit])
    return tuple(built(Question, row, stored=predictions.of_row(row)) for row in rows)


def n_answered(db: Reads, *, user_id: int, since: int) -> int:
    """How many questions somebody has answered since then and not taken back."""
    return int(
        db.value(
            "SELECT count(*) FROM correction WHERE is_asked = 1 AND user_id = ? AND created_at >= ? "
            "AND undone_at IS NULL",
            (user_id, since),
        )
    )


def answers(db: Reads) -> tuple[Asked, ...]:
    """What the last five hundred answers say of each model's intents, the one that was asked about last first."""
    return tuple(built(Asked, row) for row in db.rows(_ANSWERS, (MOST_ANSWERS,)))
