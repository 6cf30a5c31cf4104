from __future__ import annotations

from app.answers.decide.gaps import gaps
from app.answers.domain import Gap, Question
from tests.app.answers.decide.test_draft import at


def asked(ticket_id: int, *, similarity: float = 0.2) -> Question:
    return Question(ticket_id=ticket_id, text=f"question {ticket_id}", best_similarity=similarity)


def test_questions_that_say_the_same_are_one_gap() -> None:
    questions = [asked(1), asked(2), asked(3, similarity=0.3), asked(4), asked(5), asked(6), asked(7)]
    assert gaps(questions, vectors=at(0, 90, 20, 75, 10, 85, 15)) == (
        Gap(ticket_ids=(1, 3, 5, 7), example="question 5", best_similarity=0.3),
        Gap(ticket_ids=(2, 4, 6), example="question 6", best_similarity=0.2),
    )


def test_what_is_answered_or_asked_once_is_no_gap() -> None:
    questions = [asked(1, similarity=0.9), asked(2), asked(3, similarity=0.9)]
    assert gaps(questions, vectors=at(0, 1, 2)) == ()
    assert len(gaps(questions, vectors=at(0, 1, 2), min_size=1)) == 1
    assert gaps([], vectors=at(0)) == ()
