"""Posts: the list with its filter, one story, one topic, and what the reader thinks of a post."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.core import clock
from app.core.errors import InputError
from app.core.prediction import StoredPrediction
from app.market.domain.market import PostFilter
from app.market.flows import recommend_posts
from app.market.pages import alert_parts, post_lists, subject_trend
from app.market.pages.market_page import title_of
from app.market.store import mentions, posts, topics
from app.recommend.domain import Feedback
from app.web import access, query_string
from app.web.access import requires, services, viewer
from app.web.display.label_titles import TOPICS, label_title
from app.web.display.translation import gettext as _

blueprint = Blueprint("pages_posts", __name__)


@blueprint.get("/market/posts")
@requires("posts:read")
def index() -> str:
    """Posts, newest first, as the filter leaves them."""
    db, me = services().db, viewer()
    chosen = post_lists.post_filter(request.args)
    page = posts.page(db, chosen, viewer=me, limit=50, after=request.args.get("after"))
    return render_template(
        "posts/index.html",
        page=page,
        chosen=chosen,
        topics=_topics(),
        link=lambda **changes: url_for("pages_posts.index", **query_string.kept(request.args, **changes)),
        **post_lists.around(db, page.items, viewer=me),
    )


def _topics() -> list[tuple[str, str]]:
    own = [(topic.subject_id, topic.title) for topic in topics.every(services().db)]
    return sorted([*((topic, label_title(topic)) for topic in TOPICS), *own], key=lambda entry: entry[1])


@blueprint.get("/market/posts/<number:post_id>")
@requires("posts:read")
def show(post_id: int) -> str:
    """One post with its story and what the model reads in it."""
    db, me = services().db, viewer()
    post = posts.get(db, post_id, viewer=me)
    story = posts.of_story(db, post.story_id, viewer=me) if post.story_id else (post,)
    around = post_lists.around(db, story, viewer=me)
    return render_template(
        "posts/show.html",
        post=post,
        story=story,
        predictions=[_with_target(stored, around=around) for stored in mentions.predictions_of_post(db, post.id)],
        **around,
    )


def _with_target(stored: StoredPrediction, *, around: dict[str, Any]) -> dict[str, Any]:
    target = ""
    if stored.subject_kind == "mention":
        mentioned = {mention.id: mention.entity_id for each in around["mentions"].values() for mention in each}
        entity = around["entities"].get(mentioned.get(stored.subject_id))
        target = entity.name if entity else ""
    return {"prediction": stored.prediction, "target": target}


@blueprint.get("/market/topics/<topic>")
@requires("market:read")
def topic(topic: str) -> str:
    """How one topic is spoken of."""
    found, me, stretch = services(), viewer(), subject_trend.chosen_stretch()
    past = subject_trend.alerts_of("topic", topic)
    page = posts.page(found.db, PostFilter(topic=topic), viewer=me, limit=20)
    return render_template(
        "posts/topic.html",
        topic=topic,
        title=title_of("topic", topic),
        course=subject_trend.course("topic", topic, stretch=stretch, past=past),
        past=alert_parts.parts().past(("topic", topic), none_yet=_("No alert of this topic yet.")),
        page=page,
        days=stretch.days,
        periods=subject_trend.periods(),
        **post_lists.around(found.db, page.items, viewer=me),
    )


@blueprint.post("/market/posts/<number:post_id>/feedback")
@requires("feedback:write")
def feedback(post_id: int) -> Response:
    """More, or less, like this."""
    me, kind = viewer(), request.form.get("kind")
    if kind not in ("like", "hide") or me.user_id is None:
        raise InputError("invalid_input")
    posts.get(services().db, post_id, viewer=me)
    mark = Feedback(user_id=me.user_id, post_id=post_id, kind="like" if kind == "like" else "hide", at=clock.now_ms())
    recommend_posts.feedback(services(), [mark], viewer=me)
    flash(_("Noted. “For you” learns from it."), "good")
    return redirect(access.safe_next(request.form.get("next"), fallback=url_for("pages_market.index")))
