"""The analysts' own topics: the list, and forms to define, change and give one up."""

from __future__ import annotations

import re

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.core import changes
from app.core.errors import Conflict, InputError, NotReady
from app.core.nouns import Changed, Fields
from app.market.domain.topic import OwnTopic
from app.market.flows import keep_topics, learn_topic
from app.market.flows.keep_topics import OWN_TOPIC
from app.market.flows.learn_topic import Preview
from app.market.forms import EditTopic
from app.market.pages import post_lists
from app.web.access import requires, services, viewer
from app.web.display.translation import gettext as _
from app.web.template_context import refused, tell, tell_changed

blueprint = Blueprint("pages_topics", __name__)

Shown = str | Response | tuple[str, int]
_BETWEEN = re.compile(r"[,，、;；\n]+")


def phrases(text: str | None) -> list[str]:
    """Return words and phrases as they are typed, with commas or line ends between."""
    return [found for one in _BETWEEN.split(text or "") if (found := one.strip())]


def lines(text: str | None) -> list[str]:
    """Return examples as they are typed, one a line."""
    return [found for one in (text or "").splitlines() if (found := one.strip())]


def _list(form: EditTopic, *, preview: Preview | None = None) -> str:
    found, shown = services(), preview.posts if preview else ()
    return render_template(
        "market/topics.html",
        topics=keep_topics.every(found),
        counts=keep_topics.n_posts(found),
        form=form,
        preview=preview,
        may_write=viewer().may("feeds:write"),
        **post_lists.around(found.db, shown, viewer=viewer()),
    )


def _edit(form: EditTopic, *, topic: OwnTopic, preview: Preview | None = None) -> str:
    around = post_lists.around(services().db, preview.posts if preview else (), viewer=viewer())
    return render_template("market/topic_edit.html", form=form, topic=topic, preview=preview, **around)


def _values(form: EditTopic) -> Fields:
    return {
        "title": form.title.data or "",
        "words": phrases(form.words.data),
        "without": phrases(form.without.data),
        "examples": lines(form.examples.data),
        "unlike": lines(form.unlike.data),
        "reach": float(form.reach.data or OwnTopic.reach),
    }


def _previewed(form: EditTopic) -> Preview | None:
    """The posts that the examples would find, where a preview was asked for; None otherwise."""
    if not request.form.get("preview"):
        return None
    values = _values(form)
    examples = {name: values[name] for name in ("examples", "unlike", "reach")}
    return learn_topic.preview(services(), examples, viewer=viewer())


@blueprint.get("/market/topics")
@requires("market:read")
def index() -> str:
    """List every topic that analysts defined."""
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
        made = keep_topics.add_topic(services(), _values(form), viewer=viewer())
    except (InputError, Conflict, NotReady) as error:
        return refused(error, lambda: _list(form))
    said = _("“%(name)s” counts from now on; the last four weeks follow in the background.", name=made.row.title)
    return _back_to_list(said, made)


@blueprint.route("/market/own-topics/<number:topic_id>", methods=["GET", "POST"])
@requires("feeds:write")
def edit(topic_id: int) -> Shown:
    """Change what a topic is called and which words and examples make it."""
    topic = OWN_TOPIC.get(services().db, topic_id, viewer=viewer())
    form = EditTopic(data=_given(topic))
    if not form.is_submitted():
        return _edit(form, topic=topic)
    if not form.validate():
        return _edit(form, topic=topic), 422
    try:
        if preview := _previewed(form):
            return _edit(form, topic=topic, preview=preview)
        made = keep_topics.change_topic(services(), topic_id, _values(form), viewer=viewer())
    except (InputError, Conflict, NotReady) as error:
        return refused(error, lambda: _edit(form, topic=topic))
    return _back_to_list(_("Saved. The last four weeks are counted anew in the background."), made)


def _back_to_list(message: str, made: Changed[OwnTopic]) -> Response:
    back = url_for("pages_topics.index")
    tell_changed(message, event=made.event, back=back)
    return redirect(back)


def _given(topic: OwnTopic) -> Fields:
    lists = {key: "\n".join(getattr(topic, key)) for key in ("words", "without", "examples", "unlike")}
    return {"title": topic.title, "reach": topic.reach, **lists}


@blueprint.post("/market/own-topics/<number:topic_id>/delete")
@requires("feeds:write")
def delete(topic_id: int) -> Response:
    """Give a topic up with its counts."""
    try:
        made = changes.remove(services().db, OWN_TOPIC, topic_id, viewer=viewer())
    except Conflict as error:
        tell(error)
        return redirect(url_for("pages_topics.index"))
    return _back_to_list(_("The topic is deleted."), made)
