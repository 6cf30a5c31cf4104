"""Teaching: the tickets that the model doubts most, a person's label for each, and the gain of more labels."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from app.desk.api.ticket_api import CorrectionShape
from app.desk.api.ticket_shapes import PredictionShape, prediction_out
from app.desk.flows import ask_lesson
from app.web import access
from app.web.api.api_shapes import Id, Instant, Json, Number, Shape, Size, Whole, row
from app.web.api.openapi import blueprint, route

group = blueprint("teaching", about="What a person's word would teach the model most, and when to stop asking.")


class QuestionShape(Shape):
    """A ticket whose intent is asked about; `margin` is the lead of the best guess over the second, 0 to 1."""

    ticket = Id("tkt", attribute="ticket_id")
    subject = fields.String()
    body = fields.String()
    occurred_at = Instant()
    margin = Number()
    prediction = fields.Nested(PredictionShape)


class PayoffShape(Shape):
    """The share of questions on which a model was right, and the verdict on asking more: too_few, pays, stops."""

    model = fields.String()
    n = Whole()
    n_right = Whole()
    low = Number(metadata={"description": "Wilson's 95 % interval of the share that was right."})
    high = Number()
    verdict = fields.String()
    n_missing = Whole()


class LessonShape(Shape):
    """The rest of the day's lesson."""

    n_goal = Whole()
    n_answered = Whole()
    questions = fields.List(fields.Nested(QuestionShape))
    payoffs = fields.List(fields.Nested(PayoffShape))


class AnswerShape(Shape):
    """The label of the ticket; the model's own guess confirms it."""

    label = fields.String(required=True, validate=Size(min=1, max=200))


@route(group, "/teaching", needs="tickets:write", returns=LessonShape)
def show_lesson() -> Json:
    """Return the most informative tickets of the day that nobody has judged, and the gain of more labels."""
    found = ask_lesson.lesson(access.services(), viewer=access.viewer())
    questions = [row(one, prediction=prediction_out(one.stored)) for one in found.questions]
    return row(found, questions=questions)


@route(
    group,
    "/teaching/<id(prd):prediction_id>",
    method="POST",
    needs="tickets:write",
    reads=AnswerShape,
    returns=CorrectionShape,
    status=201,
)
def answer_question(payload: Json, *, prediction_id: int) -> Any:
    """Confirm or correct the label that was asked about; it becomes a training example."""
    return ask_lesson.answer(access.services(), prediction_id, label=payload["label"], viewer=access.viewer()).row
