"""The daily lesson: the most informative tickets, a person's label for each, and the payoff of more of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from app.core import clock
from app.core.durations import DAY_MS
from app.core.errors import Conflict, NotReady
from app.core.nouns import Changed
from app.core.permissions import Viewer
from app.core.prediction import Correction
from app.core.services import Services
from app.desk.flows import find_ticket_parts
from app.desk.store import doubtful_tickets
from app.intents.decide.teaching_payoff import payoff
from app.intents.domain import Lesson, Question
from app.intents.flows import correct_prediction
from app.intents.store import corrections as rows
from app.model.flows.embed_text import VECTORS, Matrix
from models.active_learning import most_informative

GOAL = 20
POOL = 60
"""The most doubtful texts, of which the most different are asked about; each costs a run of the encoder."""

LONGEST_READ = 600
"""Characters of a text that its vector is made of."""

MOST_MODELS = 3


def lesson(services: Services, *, viewer: Viewer, leave_out: Iterable[int] = (), is_more: bool = False) -> Lesson:
    """Return the remaining questions of today; with `is_more` a full set, also when all of today's are answered.

    It asks about tickets that were read in the last day, or in the last week where these are too few.
    """
    user_id, now = viewer.person_id(permission="tickets:write"), clock.now_ms()
    n_answered = doubtful_tickets.n_answered(services.db, user_id=user_id, since=_midnight(viewer, now=now))
    n_left = GOAL if is_more else max(GOAL - n_answered, 0)
    pool = _pool(services, viewer=viewer, leave_out=tuple(leave_out), now=now) if n_left else ()
    return Lesson(
        questions=_chosen(services, pool, n=n_left),
        n_answered=n_answered,
        n_goal=GOAL,
        payoffs=tuple(payoff(one) for one in doubtful_tickets.answers(services.db)[:MOST_MODELS]),
    )


def answer(services: Services, prediction_id: int, *, label: str, viewer: Viewer) -> Changed[Correction]:
    """Answer a question with a label; the model's own label confirms it.

    Raises NotFound for a ticket out of sight, Conflict `already_judged` when somebody else was faster, and what
    `correct_prediction.correct` raises.
    """
    stored = find_ticket_parts.prediction(services, prediction_id, viewer=viewer).stored
    task = stored.prediction.task
    correct_prediction.check_label(services, task, label=label)
    with services.db.transaction() as tx:
        was = rows.in_force(tx, subject_kind=stored.subject_kind, subject_id=stored.subject_id, task=task)
        if was is not None and was.user_id != viewer.user_id:
            raise Conflict("already_judged", id=prediction_id)
        return correct_prediction.correct_in(tx, stored, label=label, viewer=viewer, is_asked=True)


def _midnight(viewer: Viewer, *, now: int) -> int:
    local = datetime.fromtimestamp(now / 1000, tz=UTC).astimezone(ZoneInfo(viewer.zone))
    return int(local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)


def _pool(services: Services, *, viewer: Viewer, leave_out: Sequence[int], now: int) -> tuple[Question, ...]:
    found: tuple[Question, ...] = ()
    for days in (1, 7):
        found = doubtful_tickets.doubtful(
            services.db, viewer=viewer, since=now - days * DAY_MS, leave_out=leave_out, limit=POOL
        )
        if len(found) >= GOAL:
            break
    return found


def _chosen(services: Services, pool: Sequence[Question], *, n: int) -> tuple[Question, ...]:
    vectors = _vectors(services, pool)
    places = most_informative([one.margin for one in pool], vectors=vectors, n=n)
    return tuple(pool[place] for place in places)


def _vectors(services: Services, pool: Sequence[Question]) -> Matrix:
    """Return a vector of each text; without a search encoder texts with the same two best labels get the same one."""
    try:
        return VECTORS.of(services, [one.text[:LONGEST_READ] for one in pool])
    except NotReady:
        kinds = [tuple(scored.label for scored in one.stored.prediction.top[:2]) for one in pool]
        known = {kind: place for place, kind in enumerate(dict.fromkeys(kinds))}
        return np.eye(max(len(known), 1), dtype=np.float32)[[known[kind] for kind in kinds]]
