"""Posts: the list with its filter, one story, one topic, and what the reader thinks of a post."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.core import clock
from app.core.errors import InputError
from app.market.domain.market import PostFilter
from app.market.flows import find_posts, recommend_posts
from app.market.pages import alert_parts, post_lists, subject_trend
from app.market.pages.market_page import title_of, topic_titles
from app.recommend.domain import Feedback
from app.web import access, query_string
from app.web.access import requires, services, viewer
from app.web.display.translation import gettext as _

blueprint = Blueprint("pages_posts", __name__)


@blueprint.get("/market/posts")
@requires("posts:read")
def index() -> str:
    """List posts, newest first, as the filter leaves them."""
    found, me = services(), viewer()
    chosen = post_lists.post_filter(request.args)
    page = find_posts.page(found, chosen, viewer=me, limit=50, after=request.args.get("after"))
    return render_template(
        "posts/index.html",
        page=page,
        chosen=chosen,
        topics=topic_titles(),
        link=lambda **changes: url_for("pages_posts.index", **query_string.kept(request.args, **changes)),
        **post_lists.around(found.db, page.items, viewer=me),
    )


@blueprint.get("/market/posts/<number:post_id>")
@requires("posts:read")
def show(post_id: int) -> str:
    """Show a post with its story and what the model reads in it."""
    me = viewer()
    found = find_posts.in_story(services(), post_id, viewer=me)
    return render_template(
        "posts/show.html",
        post=found.post,
        story=found.story,
        predictions=found.predictions,
        **post_lists.around(services().db, found.story, viewer=me),
    )


@blueprint.get("/market/topics/<topic>")
@requires("market:read")
def topic(topic: str) -> str:
    """Show one topic: its series, alerts and stories."""
    found, me, stretch = services(), viewer(), subject_trend.chosen_stretch()
    past = subject_trend.alerts_of("topic", topic)
    page = find_posts.page(found, PostFilter(topic=topic), viewer=me, limit=20)
    return render_template(
        "posts/topic.html",
        topic=topic,
        title=title_of("topic", topic),
        course=subject_trend.course("topic", topic, stretch=stretch, past=past),
        past=alert_parts.parts().past(past, subject=("topic", topic), none_yet=_("No alert of this topic yet.")),
        page=page,
        days=stretch.days,
        periods=subject_trend.periods(),
        **post_lists.around(found.db, page.items, viewer=me),
    )


@blueprint.post("/market/posts/<number:post_id>/feedback")
@requires("feedback:write")
def feedback(post_id: int) -> Response:
    """Keep that the reader wants more, or less, like this."""
    me, kind = viewer(), request.form.get("kind")
    if kind not in ("like", "hide") or me.user_id is None:
        raise InputError("invalid_input")
    mark = Feedback(user_id=me.user_id, post_id=post_id, kind="like" if kind == "like" else "hide", at=clock.now_ms())
    recommend_posts.feedback(services(), [mark], viewer=me)
    flash(_("Noted. “For you” learns from it."), "good")
    return redirect(access.safe_next(request.form.get("next"), fallback=url_for("pages_market.index")))
