"""Answers offered for a ticket: macros, articles and a draft, and the rejection of one."""

from __future__ import annotations

from flask import Response
from marshmallow import fields

from app.answers import api as answers_api
from app.answers.api import HitShape
from app.desk.flows.replies import note_outcome, suggest_answer
from app.web import access
from app.web.api.api_shapes import GivenId, Id, Json, Number, Shape, Whole, row
from app.web.api.openapi import route

# One group in the description: what answers are made of, and what may answer a ticket.
group = answers_api.group


class VerdictShape(Shape):
    """The rejection of a macro, or of the draft when no macro is named."""

    macro = GivenId("mac", load_default=None)


class MacroSuggestionShape(Shape):
    """A macro offered for a ticket: its text filled in, and the placeholders that are still empty."""

    macro = Id("mac")
    name = fields.String()
    text = fields.String(attribute="filled")
    missing = fields.List(fields.String())
    score = Number()
    reason = fields.String()


class SourceShape(Shape):
    """A sentence of a draft with its source."""

    text = fields.String()
    source_kind = fields.String()
    source_id = Whole()


class DraftShape(Shape):
    """A composed reply; it has no sentences when nothing good enough was found."""

    text = fields.String()
    confidence = Number()
    sentences = fields.List(fields.Nested(SourceShape))


class AnswersShape(Shape):
    """The answers offered for a ticket."""

    macros = fields.List(fields.Nested(MacroSuggestionShape))
    articles = fields.List(fields.Nested(HitShape))
    draft = fields.Nested(DraftShape)


@route(
    group,
    "/tickets/<id(tkt):ticket_id>/answers/rejected",
    method="POST",
    needs="tickets:write",
    reads=VerdictShape,
    status=204,
)
def turn_down(payload: Json, *, ticket_id: int) -> Response:
    """Reject a suggestion that does not help; it is offered further down from now on."""
    kind = "draft" if payload["macro"] is None else "macro"
    note_outcome.turn_down(access.services(), ticket_id, viewer=access.viewer(), kind=kind, macro_id=payload["macro"])
    return Response(status=204)


@route(group, "/tickets/<id(tkt):ticket_id>/answers", needs="tickets:read", returns=AnswersShape)
def answers(ticket_id: int) -> Json:
    """Return macros, articles and a draft for a ticket."""
    found = suggest_answer.answer(access.services(), ticket_id, viewer=access.viewer())
    offered = [row(one, macro=one.macro.id, name=one.macro.name) for one in found.macros]
    draft = {"text": found.draft.text, "confidence": found.draft.confidence, "sentences": found.draft.sentences}
    return {"macros": offered, "articles": found.hits, "draft": draft}
