"""What to answer: macros offered, articles found, a draft put together; and keeping macros and articles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.answers.decide import draft as drafting
from app.answers.decide.article_ranking import fuse, nearest
from app.answers.decide.macro_matching import Filled, broken_placeholder, fill, rank
from app.answers.decide.passages import passages, searchable
from app.answers.domain import Article, Draft, Hit, Macro, MacroAction, MacroSuggestion
from app.answers.store import articles, macros, suggestion_outcomes
from app.core import clock
from app.core.db import Reads
from app.core.errors import ArtifactMissing, FieldError, InputError, NotReady
from app.core.events import history
from app.core.jobs.job import Job
from app.core.jobs.job_progress import Progress
from app.core.permissions import Viewer
from app.core.prediction import Prediction, Scored
from app.core.services import Services
from app.desk.domain.ticket import Customer, Ticket
from app.desk.store import customers, messages, tickets
from app.model.engine import loader
from app.model.flows.embed_text import VECTORS, Matrix
from app.model.store import predictions

MOST_TEXT_HITS = 20

_MACRO_FIELDS = frozenset({"name", "body", "intents", "actions"})
_ARTICLE_FIELDS = frozenset({"slug", "title", "body", "intents", "tags"})


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What is offered to an agent for a ticket, best first; a draft without sentences means no good answer."""

    macros: tuple[MacroSuggestion, ...]
    hits: tuple[Hit, ...]
    draft: Draft


def answer(services: Services, ticket_id: int, *, viewer: Viewer) -> Answers:
    """Macros, articles and a draft for what the customer wrote last; raises NotFound.

    Without a search encoder articles are found by their words alone, and there is no draft.
    """
    db = services.db
    ticket = tickets.get(db, ticket_id, viewer=viewer)
    asked = messages.last_incoming(db, ticket_id)
    question = "" if asked is None else asked.text
    values = placeholder_values(ticket, customer=customers.get(db, ticket.customer_id), viewer=viewer)
    intent = _intent(db, ticket)
    tallies = suggestion_outcomes.of_macros(db, intent=None if intent is None else intent.label)
    offered = rank(macros.every(db), intent=intent, values=values, tallies=tallies)
    try:
        vector = services.engine.embed([question])[0] if question else None
    except NotReady:
        vector = None
    hits = _found(services, question, vector=vector, intent=intent, limit=5)
    return Answers(macros=offered, hits=hits, draft=_draft(services, vector, hits=hits))


def fill_macro(
    services: Services, ticket_id: int, *, macro_id: int, viewer: Viewer, given: Mapping[str, str]
) -> Filled:
    """A macro's text for a ticket, with what the agent wrote for the placeholders that nothing is known of.

    Raises NotFound. What is still empty is named in `missing` and stands in the text as it was.
    """
    ticket = tickets.get(services.db, ticket_id, viewer=viewer)
    known = placeholder_values(ticket, customer=customers.get(services.db, ticket.customer_id), viewer=viewer)
    return fill(macros.get(services.db, macro_id), values={**given, **known})


def placeholder_values(ticket: Ticket, *, customer: Customer, viewer: Viewer) -> dict[str, str]:
    """What `{{ … }}` stands for in a macro."""
    return {
        "customer.name": customer.name,
        "customer.first_name": customer.name.split(" ")[0],
        "agent.name": viewer.name,
        "ticket.number": str(ticket.id),
        "ticket.subject": ticket.subject,
    }


def _intent(db: Reads, ticket: Ticket) -> Prediction | None:
    if ticket.intent_source == "agent" and ticket.intent is not None:
        certain = Scored(label=ticket.intent, probability=1.0)
        task = ticket.intent_task or ""
        return Prediction(
            task=task, role="intent", model="", label=ticket.intent, probability=1.0, top=(certain,), band="high"
        )
    first = messages.first_incoming(db, ticket.id)
    if first is None or ticket.intent_task is None:
        return None
    stored = predictions.latest(db, subject_kind="message", subject_id=first.id, task=ticket.intent_task)
    return None if stored is None else stored.prediction


def search(services: Services, query: str, *, limit: int = 10) -> tuple[Hit, ...]:
    """Articles by words and by meaning, best first."""
    try:
        vector = services.engine.embed([query])[0] if query.strip() else None
    except NotReady:
        vector = None
    return _found(services, query, vector=vector, limit=limit)


def _found(
    services: Services, query: str, *, vector: Matrix | None, limit: int, intent: Prediction | None = None
) -> tuple[Hit, ...]:
    text_hits = articles.search(services.db, query, limit=MOST_TEXT_HITS)
    parts, matrix = articles.passages(services.db)
    is_comparable = vector is not None and len(parts) > 0 and matrix.shape[1] == len(vector)
    vector_hits = nearest(vector, matrix=matrix) if vector is not None and is_comparable else ()
    known = {article.id: article for article in articles.every(services.db)}
    label = None if intent is None or intent.abstained else intent.label
    answering = [article.id for article in known.values() if label in article.intents]
    return fuse(text_hits, vector_hits=vector_hits, articles=known, passages=parts, answering=answering, limit=limit)


def _draft(services: Services, vector: Matrix | None, *, hits: Sequence[Hit]) -> Draft:
    if vector is None or not hits:
        return Draft()
    parts, _ = articles.passages(services.db)
    sentences = drafting.candidates(hits, passages=parts)
    if not sentences:
        return Draft()
    vectors = VECTORS.of(services, [drafting.searchable(sentence, hits=hits) for sentence in sentences])
    return drafting.compose(vector, sentences=sentences, vectors=vectors)


def reindex(services: Services) -> int:
    """Give vectors to the articles that have none of this encoder; how many. Raises NotReady without an encoder."""
    encoder = _encoder(services)
    waiting = articles.unread(services.db, encoder=encoder)
    for article_id in waiting:
        _index(services, articles.get(services.db, article_id), encoder=encoder)
    return len(waiting)


def reindex_articles(services: Services, job: Job, progress: Progress) -> None:
    """The job that gives vectors to all articles without them."""
    for _ in range(reindex(services)):
        progress.done()


def _index(services: Services, article: Article, *, encoder: str) -> None:
    parts = passages(article)
    vectors = services.engine.embed([searchable(part) for part in parts])
    with services.db.transaction() as tx:
        if articles.get(tx, article.id).version == article.version:
            articles.put_passages(tx, article.id, passages=parts, vectors=vectors, encoder=encoder)


def _encoder(services: Services) -> str:
    try:
        return loader.find(services.policy.artifact_folders, kind="encoder").name
    except ArtifactMissing:
        return "own"


def _indexed(services: Services, article: Article) -> Article:
    try:
        _index(services, article, encoder=_encoder(services))
    except NotReady:
        # It is found by its words until the worker gives it vectors.
        return article
    return article


def add_macro(
    services: Services,
    *,
    viewer: Viewer,
    name: str,
    body: str,
    intents: Sequence[str] = (),
    actions: Iterable[MacroAction | Mapping[str, str]] = (),
) -> Macro:
    """Add a macro; raises Conflict when the name is taken, InputError for an unknown action."""
    values = _macro_values({"name": name, "body": body, "intents": tuple(intents), "actions": actions})
    with services.db.transaction() as tx:
        macro_id = macros.insert(tx, **values)
        history.record(
            tx, actor=history.of(viewer), verb="created", noun="macro", noun_id=macro_id, after={"name": name}
        )
        return macros.get(tx, macro_id)


def change_macro(
    services: Services, macro_id: int, *, viewer: Viewer, changes: Mapping[str, Any], version: int | None = None
) -> Macro:
    """Change a macro; raises NotFound, Stale, Conflict, InputError."""
    wanted = _macro_values(changes)
    with services.db.transaction() as tx:
        was = macros.get(tx, macro_id)
        macro = macros.update(tx, macro_id, changes=wanted, version=version)
        before = {key: _told(getattr(was, key)) for key in wanted}
        after = {key: _told(getattr(macro, key)) for key in wanted}
        history.record(
            tx, actor=history.of(viewer), verb="edited", noun="macro", noun_id=macro_id, before=before, after=after
        )
        return macro


def remove_macro(services: Services, macro_id: int, *, viewer: Viewer) -> None:
    """Remove a macro."""
    with services.db.transaction() as tx:
        was = macros.get(tx, macro_id)
        macros.delete(tx, macro_id)
        kept = (*sorted(_MACRO_FIELDS), "n_used")
        before = {name: _told(getattr(was, name)) for name in kept}
        history.record(tx, actor=history.of(viewer), verb="deleted", noun="macro", noun_id=macro_id, before=before)


def restore_macro(services: Services, macro_id: int, *, viewer: Viewer, values: Mapping[str, Any]) -> Macro:
    """Put a removed macro back, as the event of its removal kept it; raises Conflict when its name is taken."""
    actions = [_action(one) for one in values.get("actions", ())]
    with services.db.transaction() as tx:
        macro = macros.restore(tx, macro_id, values={**values, "actions": actions})
        after = {"name": macro.name}
        history.record(tx, actor=history.of(viewer), verb="restored", noun="macro", noun_id=macro_id, after=after)
        return macro


def _told(value: Any) -> Any:
    """A macro's field as an event keeps it, and as `change_macro` takes it back."""
    is_actions = isinstance(value, tuple) and value and isinstance(value[0], MacroAction)
    return [{"type": one.type, "value": one.value} for one in value] if is_actions else value


def _macro_values(values: Mapping[str, Any]) -> dict[str, Any]:
    found = _checked(values, known=_MACRO_FIELDS, needed=("name", "body"))
    broken = broken_placeholder(str(found.get("body", "")))
    if broken is not None:
        fault = FieldError(pointer="/body", code="broken_placeholder", params=(("place", broken),))
        raise InputError("broken_placeholder", fields=[fault], place=broken)
    if "actions" in found:
        given = [one if isinstance(one, MacroAction) else _action(one) for one in found["actions"]]
        wrong = [one.type for one in given if one.type not in ("set_status", "add_tag", "route")]
        if wrong:
            raise InputError(
                "unknown_action", fields=[FieldError(pointer="/actions", code="unknown_value")], action=wrong[0]
            )
        found["actions"] = given
    return found


def _action(values: Mapping[str, str]) -> MacroAction:
    return MacroAction(type=str(values.get("type", "")), value=str(values.get("value", "")))


def add_article(
    services: Services,
    *,
    viewer: Viewer,
    slug: str,
    title: str,
    body: str,
    intents: Sequence[str] = (),
    tags: Sequence[str] = (),
) -> Article:
    """Add an article, which can be found at once; raises Conflict when the slug is taken."""
    values = {"slug": slug, "title": title, "body": body, "intents": tuple(intents), "tags": tuple(tags)}
    found = _checked(values, known=_ARTICLE_FIELDS, needed=("slug", "title", "body"))
    with services.db.transaction() as tx:
        article_id = articles.insert(tx, **found, updated_at=clock.now_ms())
        after = {"slug": slug, "title": title}
        history.record(tx, actor=history.of(viewer), verb="created", noun="article", noun_id=article_id, after=after)
        article = articles.get(tx, article_id)
    return _indexed(services, article)


def change_article(
    services: Services, article_id: int, *, viewer: Viewer, changes: Mapping[str, Any], version: int | None = None
) -> Article:
    """Change an article; raises NotFound, Stale, Conflict."""
    wanted = _checked(changes, known=_ARTICLE_FIELDS, needed=())
    with services.db.transaction() as tx:
        was = articles.get(tx, article_id)
        columns = {**wanted, "updated_at": clock.now_ms()}
        article = articles.update(tx, article_id, changes=columns, version=version)
        articles.forget_passages(tx, [article_id])
        before = {key: getattr(was, key) for key in wanted}
        history.record(
            tx,
            actor=history.of(viewer),
            verb="edited",
            noun="article",
            noun_id=article_id,
            before=before,
            after=wanted,
        )
    return _indexed(services, article)


def remove_article(services: Services, article_id: int, *, viewer: Viewer) -> None:
    """Remove an article."""
    with services.db.transaction() as tx:
        was = articles.get(tx, article_id)
        articles.delete(tx, article_id)
        before = {name: getattr(was, name) for name in sorted(_ARTICLE_FIELDS)}
        history.record(tx, actor=history.of(viewer), verb="deleted", noun="article", noun_id=article_id, before=before)


def restore_article(services: Services, article_id: int, *, viewer: Viewer, values: Mapping[str, Any]) -> Article:
    """Put a removed article back, as the event of its removal kept it; raises Conflict when its slug is taken."""
    with services.db.transaction() as tx:
        article = articles.restore(tx, article_id, values={**values, "updated_at": clock.now_ms()})
        after = {"slug": article.slug, "title": article.title}
        history.record(tx, actor=history.of(viewer), verb="restored", noun="article", noun_id=article_id, after=after)
    return _indexed(services, article)


def _checked(values: Mapping[str, Any], *, known: frozenset[str], needed: tuple[str, ...]) -> dict[str, Any]:
    unknown = sorted(set(values) - known)
    if unknown:
        raise InputError("unknown_field", field=unknown[0])
    empty = [key for key in needed if key in values and not str(values[key]).strip()]
    if empty:
        raise InputError("empty_field", fields=[FieldError(pointer=f"/{key}", code="empty") for key in empty])
    return dict(values)
