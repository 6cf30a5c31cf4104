"""The day's lesson: who is asked about what, what an answer does, and what the answers say."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from app.core import changes, clock
from app.core.durations import DAY_MS, HOUR_MS
from app.core.errors import Conflict, NotAllowed, NotReady
from app.core.events import event_log
from app.core.permissions import SYSTEM, Viewer
from app.core.services import Services
from app.desk.domain.ticket import TicketDraft
from app.desk.flows import ask_lesson, correct_message, file_ticket
from app.desk.flows.ask_lesson import GOAL
from app.desk.store import tickets as rows
from app.intents.flows.export_examples import export_examples
from tests.app.conftest import Desk
from tests.app.fake_engine import FakeEngine

NOON = 1_750_075_200_000  # 2025-06-16 12:00 UTC


def filed(services: Services, body: str, *, queue: str = "intake") -> int:
    """A ticket that the model has read."""
    draft = TicketDraft(subject="", body=body, channel="api", queue=queue)
    return file_ticket.receive(services, draft, viewer=SYSTEM).ticket.id


def asked(services: Services, viewer: Viewer) -> list[int]:
    """The tickets of the lesson, in its order."""
    return [one.ticket_id for one in ask_lesson.lesson(services, viewer=viewer).questions]


def test_the_most_doubtful_come_first(services: Services, people: Desk) -> None:
    filed(services, "where is my order 7")
    doubt = filed(services, "hmm what about the sofa")
    assert asked(services, people.shop_agent)[0] == doubt


def test_only_what_is_in_sight_and_unjudged_is_asked(services: Services, people: Desk) -> None:
    filed(services, "hmm my card", queue="cards")
    judged, open_one = filed(services, "hmm the first"), filed(services, "hmm the second")
    correct_message.correct(services, judged, viewer=people.shop_agent, label="complaint", task="commerce_intent")
    assert asked(services, people.shop_agent) == [open_one]


def test_an_answer_is_a_correction_an_example_and_can_be_undone(services: Services, people: Desk) -> None:
    ticket_id = filed(services, "hmm I want my money back")
    question = ask_lesson.lesson(services, viewer=people.shop_agent).questions[0]
    made = ask_lesson.answer(services, question.stored.id, label="get_refund", viewer=people.shop_agent).row
    assert made.label == question.stored.prediction.label
    assert rows.read(services.db, ticket_id).queue_id == people.refunds
    assert [json.loads(line)["label"] for line in export_examples(services)] == ["get_refund"]
    found = ask_lesson.lesson(services, viewer=people.shop_agent)
    assert (found.n_answered, found.questions) == (1, ())
    changes.undo(services, event_log.of(services.db, "ticket", ticket_id)[-1].id, viewer=people.shop_agent)
    again = ask_lesson.lesson(services, viewer=people.shop_agent)
    assert (again.n_answered, len(again.questions), again.payoffs) == (0, 1, ())


def test_the_lesson_ends_after_twenty_and_begins_anew_at_midnight(services: Services, people: Desk) -> None:
    with clock.frozen(NOON) as advance:
        for number in range(25):
            filed(services, f"hmm number {number}")
        for _ in range(GOAL):
            question = ask_lesson.lesson(services, viewer=people.shop_agent).questions[0]
            ask_lesson.answer(services, question.stored.id, label="complaint", viewer=people.shop_agent)
        done = ask_lesson.lesson(services, viewer=people.shop_agent)
        assert (done.n_answered, done.questions) == (20, ())
        assert len(ask_lesson.lesson(services, viewer=people.shop_agent, is_more=True).questions) == 5
        advance(13 * HOUR_MS)
        assert len(ask_lesson.lesson(services, viewer=people.shop_agent).questions) == 5


def test_skipped_questions_and_old_ones_are_left_out(services: Services, people: Desk) -> None:
    with clock.frozen(NOON) as advance:
        filed(services, "hmm long ago")
        advance(8 * DAY_MS)
        ids = [filed(services, f"hmm number {number}") for number in range(2)]
        questions = ask_lesson.lesson(services, viewer=people.shop_agent).questions
        assert sorted(one.ticket_id for one in questions) == ids
        rest = ask_lesson.lesson(services, viewer=people.shop_agent, leave_out=[questions[0].stored.id]).questions
        assert [one.ticket_id for one in rest] == [questions[1].ticket_id]


def test_the_answers_say_whether_it_pays_and_other_corrections_do_not(services: Services, people: Desk) -> None:
    for number in range(22):
        filed(services, f"hmm number {number}")
    other = filed(services, "I want a refund")
    correct_message.correct(services, other, viewer=people.shop_agent, label="complaint", task="commerce_intent")
    for number in range(20):
        found = ask_lesson.lesson(services, viewer=people.shop_agent, is_more=True)
        question = found.questions[0]
        label = question.stored.prediction.label if number < 12 else "complaint"
        ask_lesson.answer(services, question.stored.id, label=label, viewer=people.shop_agent)
    payoff = ask_lesson.lesson(services, viewer=people.shop_agent).payoffs[0]
    assert (payoff.model, payoff.n, payoff.n_right, payoff.verdict) == ("fake@1.0", 20, 12, "pays")


def test_who_is_slower_does_not_overrule_who_was_faster(services: Services, people: Desk) -> None:
    filed(services, "hmm for both")
    question = ask_lesson.lesson(services, viewer=people.shop_agent).questions[0]
    ask_lesson.answer(services, question.stored.id, label="complaint", viewer=people.shop_agent)
    with pytest.raises(Conflict, match="already_judged"):
        ask_lesson.answer(services, question.stored.id, label="get_refund", viewer=people.admin)


class NoEncoder(FakeEngine):
    """The keyword engine where the search encoder is missing."""

    def embed(self, texts: Sequence[str], *, is_patient: bool = True) -> NDArray[np.float32]:
        """There is none."""
        raise NotReady


def test_without_an_encoder_kinds_of_doubt_take_turns(services: Services, people: Desk) -> None:
    services.engine = NoEncoder()
    refund = filed(services, "hmm a refund")
    for number in range(3):
        filed(services, f"hmm something number {number}")
    assert refund in asked(services, people.shop_agent)[:2]


def test_the_house_itself_is_not_taught(services: Services) -> None:
    with pytest.raises(NotAllowed):
        ask_lesson.lesson(services, viewer=SYSTEM)
