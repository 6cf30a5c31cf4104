"""The analysts' own topics: the list, and forms to define, change and give one up."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.core.errors import Conflict, InputError, NotFound, NotReady
from app.market.domain.topic import OwnTopic
from app.market.flows import keep_topics as flow
from app.market.forms import EditTopic
from app.market.pages import post_lists
from app.market.store import topics
from app.web.access import requires, services, viewer
from app.web.display.translation import gettext as _
from app.web.template_context import refused, tell

blueprint = Blueprint("pages_topics", __name__)

Shown = str | Response | tuple[str, int]
_BETWEEN = re.compile(r"[,，、;；\n]+")


def phrases(text: str | None) -> list[str]:
    """Words and phrases as they are typed, with commas or line ends between."""
    return [found for one in _BETWEEN.split(text or "") if (found := one.strip())]


def lines(text: str | None) -> list[str]:
    """Examples as they are typed, one a line."""
    return [found for one in (text or "").splitlines() if (found := one.strip())]


def _list(form: EditTopic, *, preview: Any = None) -> str:
    db = services().db
    found = preview.posts if preview else ()
    return render_template(
        "market/topics.html",
        topics=topics.every(db),
        counts=topics.counts(db),
        form=form,
        preview=preview,
        may_write=viewer().may("feeds:write"),
        **post_lists.around(db, found, viewer=viewer()),
    )


def _edit(form: EditTopic, *, topic: OwnTopic, preview: Any = None) -> str:
    around = post_lists.around(services().db, preview.posts if preview else (), viewer=viewer())
    return render_template("market/topic_edit.html", form=form, topic=topic, preview=preview, **around)


def _values(form: EditTopic) -> dict[str, Any]:
    return {
        "title": form.title.data or "",
        "words": phrases(form.words.data),
        "without": phrases(form.without.data),
        "examples": lines(form.examples.data),
        "unlike": lines(form.unlike.data),
        "reach": float(form.reach.data or OwnTopic.reach),
    }


def _previewed(form: EditTopic) -> Any:
    """What the examples would find, where that was asked for; None otherwise."""
    if not request.form.get("preview"):
        return None
    values = _values(form)
    return flow.preview(services(), viewer=viewer(), **{key: values[key] for key in ("examples", "unlike", "reach")})


@blueprint.get("/market/topics")
@requires("market:read")
def index() -> str:
    """Every topic that analysts defined."""
    return _list(EditTopic(formdata=None))


@blueprint.post("/market/topics")
@requires("feeds:write")
def add() -> Shown:
    """Define a topic; the last four weeks are counted for it in the background."""
    form = EditTopic()
    if not form.validate_on_submit():
        return _list(form), 422
    try:
        if preview := _previewed(form):
            return _list(form, preview=preview)
        topic = flow.add(services(), viewer=viewer(), **_values(form))
    except (InputError, Conflict, NotReady) as error:
        return refused(error, lambda: _list(form))
    flash(_("“%(name)s” counts from now on; the last four weeks follow in the background.", name=topic.title), "good")
    return redirect(url_for("pages_topics.index"))


@blueprint.route("/market/own-topics/<number:topic_id>", methods=["GET", "POST"])
@requires("feeds:write")
def edit(topic_id: int) -> Shown:
    """Change what a topic is called and which words and examples make it."""
    topic = topics.get(services().db, topic_id)
    if not topic.is_active:
        raise NotFound(noun="topic", id=topic_id)
    form = EditTopic(data=_given(topic))
    if not form.is_submitted():
        return _edit(form, topic=topic)
    if not form.validate():
        return _edit(form, topic=topic), 422
    try:
        if preview := _previewed(form):
            return _edit(form, topic=topic, preview=preview)
        flow.change(services(), topic_id, viewer=viewer(), changes=_values(form))
    except (InputError, Conflict, NotReady) as error:
        return refused(error, lambda: _edit(form, topic=topic))
    flash(_("Saved. The last four weeks are counted anew in the background."), "good")
    return redirect(url_for("pages_topics.index"))


def _given(topic: OwnTopic) -> dict[str, Any]:
    lists = {key: "\n".join(getattr(topic, key)) for key in ("words", "without", "examples", "unlike")}
    return {"title": topic.title, "reach": topic.reach, **lists}


@blueprint.post("/market/own-topics/<number:topic_id>/delete")
@requires("feeds:write")
def delete(topic_id: int) -> Response:
    """Give a topic up with its counts."""
    try:
        flow.remove(services(), topic_id, viewer=viewer())
        flash(_("The topic is deleted."), "good")
    except Conflict as error:
        tell(error)
    return redirect(url_for("pages_topics.index"))
