"""The HTML of a ticket's page: thread, predictions, suggestions, history, other readers, and clashes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import render_template, request

from app.answers.domain import Hit
from app.answers.flows import find_macros
from app.answers.flows.keep_macros import MACRO
from app.core import changes
from app.core.errors import BellwetherError, NotFound
from app.core.events.event import Event
from app.core.prediction import Prediction
from app.desk.flows import file_ticket, find_agents, find_ticket_parts, note_presence, show_queues
from app.desk.flows.file_ticket import TicketView
from app.desk.flows.replies import suggest_answer
from app.desk.flows.replies.suggest_answer import Answers
from app.desk.pages import history_sentences, inbox_walk, ticket_predictions
from app.web import query_string
from app.web.access import services, viewer
from app.web.display import charts
from app.web.display.enum_words import word
from app.web.display.label_titles import label_title
from app.web.display.translation import gettext as _

ASKED = "v."
"""The prefix of fields that fill a placeholder."""


@dataclass(frozen=True, kw_only=True)
class Clash:
    """The changes of others since a reader loaded a ticket, and the refused change of the reader."""

    lines: tuple[history_sentences.Line, ...]
    wanted: str
    action: str
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class ReplyBox:
    """The content of the reply box; `asked` are the placeholders of a macro that have to be filled in first."""

    body: str = ""
    macro_id: int | None = None
    is_draft: bool = False
    asked: tuple[str, ...] = ()
    given: tuple[tuple[str, str], ...] = ()
    is_refused: bool = False
    name: str = ""


def answers_of(ticket_id: int) -> Answers | None:
    """The macros, articles and draft for a ticket; None while the model is not ready. Raises NotFound."""
    try:
        return suggest_answer.answer(services(), ticket_id, viewer=viewer())
    except NotFound:
        raise
    except BellwetherError:
        return None


def _sources(answers: Answers | None) -> list[Hit]:
    """The articles that the draft quotes, in the order of its sentences."""
    if answers is None:
        return []
    hits = {hit.article_id: hit for hit in answers.hits}
    used = dict.fromkeys(one.source_id for one in answers.draft.sentences if one.source_kind == "article")
    return [hits[number] for number in used if number in hits]


def _reply_box(ticket_id: int, *, answers: Answers | None) -> ReplyBox:
    """The reply box after "Put into the reply" was pressed without a script, or after a reply was called back."""
    take = request.args.get("take", "")
    if take == "recalled":
        return ReplyBox(body=find_ticket_parts.recalled_text(services(), ticket_id, viewer=viewer()))
    if take == "draft":
        return ReplyBox(body="" if answers is None else answers.draft.text, is_draft=answers is not None)
    macro_id = query_string.whole(take)
    return ReplyBox() if macro_id is None else _filled_macro(ticket_id, macro_id=macro_id)


def _filled_macro(ticket_id: int, *, macro_id: int) -> ReplyBox:
    me = viewer()
    given = {name.removeprefix(ASKED): text for name, text in request.args.items() if name.startswith(ASKED)}
    found = suggest_answer.fill_macro(services(), ticket_id, macro_id=macro_id, viewer=me, given=given)
    if not found.missing:
        return ReplyBox(body=found.text, macro_id=macro_id)
    return ReplyBox(
        macro_id=macro_id,
        asked=found.missing,
        given=tuple(given.items()),
        is_refused=bool(given),
        name=MACRO.get(services().db, macro_id, viewer=me).name,
    )


def _names(events: Sequence[Event]) -> history_sentences.Names:
    return history_sentences.Names(
        queues=show_queues.titles(services()),
        people=find_agents.names(services(), history_sentences.people_in(events)),
        macros={macro.id: macro.name for macro in find_macros.with_words(services())},
    )


def _refused_reply(body: str) -> ReplyBox:
    macro_id = query_string.whole(request.form.get("macro_id"))
    return ReplyBox(body=body, macro_id=macro_id, is_draft=bool(request.form.get("draft")))


def _history(view: TicketView) -> list[history_sentences.Line]:
    return history_sentences.lines(view.events, names=_names(view.events), is_undoable=changes.is_undoable)


def _feelings(view: TicketView) -> dict[int, Prediction | None]:
    return {
        message_id: next((one.prediction for one in stored if one.prediction.role == "sentiment"), None)
        for message_id, stored in view.predictions.items()
    }


def _course(view: TicketView, *, feelings: dict[int, Prediction | None]) -> tuple[list[float], Any]:
    """The sentiment scores of the customer's messages, oldest first, and their line; no line for fewer than two."""
    said = [feelings.get(message.id) for message in view.messages if message.kind == "incoming"]
    scores = [one.sentiment_score for one in said if one is not None and not one.abstained]
    known = [score for score in scores if score is not None]
    return known, charts.sparkline(known) if len(known) > 1 else None


def _wanted_in_words(form: Any) -> str:
    """The refused change of a form in a few words."""
    if "assignee" in form:
        return _("Assign it")
    if "queue" in form:
        return _("Move it to another queue")
    if "status" in form:
        return _("Status: %(status)s", status=word("status", form["status"]))
    if "priority" in form:
        return _("Priority: %(priority)s", priority=word("priority", form["priority"]))
    return _("Tags: %(tags)s", tags=form.get("tags", "")) if "tags" in form else _("Send the reply below")


def clash(ticket_id: int) -> Clash:
    """The clash of a refused form with the changes since its page was loaded."""
    view = file_ticket.show(services(), ticket_id, viewer=viewer())
    seen = query_string.whole(request.form.get("seen")) or 0
    news = [event for event in view.events if event.id > seen]
    lines = history_sentences.lines(news, names=_names(news), is_undoable=lambda event: False)
    kept = tuple((name, text) for name, text in request.form.items() if name not in ("csrf_token", "version", "seen"))
    action = "" if "body" in request.form else request.path
    return Clash(lines=tuple(lines), wanted=_wanted_in_words(request.form), action=action, fields=kept)


def render(ticket_id: int, *, body: str | None = None, clashed: Clash | None = None) -> str:
    """Return the page; `body` is the text of a reply that could not be kept."""
    me = viewer()
    view = file_ticket.show(services(), ticket_id, viewer=me)
    answers = answers_of(ticket_id)
    files: dict[int, list[Any]] = {}
    for file in view.attachments:
        files.setdefault(file.message_id, []).append(file)
    feelings = _feelings(view)
    scores, course = _course(view, feelings=feelings)
    return render_template(
        "tickets/ticket.html",
        view=view,
        owed=view.sla,
        beliefs=ticket_predictions.of(services(), view=view),
        feelings=feelings,
        scores=scores,
        course=course,
        attachments=files,
        answers=answers,
        sources=_sources(answers),
        taken=_reply_box(ticket_id, answers=answers) if body is None else _refused_reply(body),
        history=_history(view),
        last_event=view.events[-1].id if view.events else 0,
        others=note_presence.there(services(), ticket_id, viewer=me),
        clash=clashed,
        agents=find_agents.every(services()),
        queues=show_queues.every(services()),
        inbox=inbox_walk.inbox(),
        label=label_title(view.ticket.intent),
        me=me,
    )
