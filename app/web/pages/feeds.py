"""Feeds: where posts come from, how each is doing, and ways to bring posts in."""

from __future__ import annotations

import io
import re
from collections import Counter
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.errors import Conflict, InputError, OutgoingError
from app.pipeline import feeds as flow
from app.pipeline import intake
from app.pipeline import posts as posts_flow
from app.pipeline.posts import PostResult
from app.store import feeds
from app.web import problems
from app.web.auth import requires, services, viewer
from app.web.forms import NewFeed, PostFile
from app.web.pages.context import refused, tell
from app.web.pages.translate import gettext as _
from app.web.pages.translate import ngettext
from app.web.security import large_body

blueprint = Blueprint("pages_feeds", __name__)

Shown = str | Response | tuple[str, int]
MOST_FAULTS = 20


def slug_of(name: str) -> str:
    """A slug for a name: lower-case letters and digits with hyphens; `feed` when nothing is left."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "feed"


def _page(*, form: NewFeed | None = None, results: list[PostResult] | None = None) -> str:
    me = viewer()
    counted = Counter(result.state for result in results or ())
    return render_template(
        "feeds/index.html",
        feeds=feeds.every(services().db, viewer=me),
        form=form or NewFeed(formdata=None),
        file=PostFile(formdata=None),
        counted=counted if results is not None else None,
        faults=_faults(results or []),
        fault=lambda feed: problems.fault_of_feed(feed.last_error, feed.url or ""),
        may_write=me.may("feeds:write"),
    )


def _faults(results: list[PostResult]) -> list[dict[str, Any]]:
    failed = [result for result in results if result.state == "failed"]
    return [
        {"id": result.external_id, "sentence": problems.sentence(result.error or "", dict(result.params))[1]}
        for result in failed[:MOST_FAULTS]
    ]


@blueprint.get("/feeds")
@requires("feeds:read")
def index() -> Shown:
    """Every feed with its last fetch, last post and last error."""
    return _page()


@blueprint.post("/feeds")
@requires("feeds:write")
def add() -> Shown:
    """Add a feed; an RSS feed is fetched at once."""
    form = NewFeed()
    if not form.validate_on_submit():
        return _page(form=form), 422
    try:
        feed = flow.add_feed(
            services(),
            viewer=viewer(),
            slug=slug_of(form.name.data or ""),
            name=form.name.data or "",
            kind=form.kind.data,
            url=form.url.data or None,
            zone=form.zone.data or "UTC",
            licence_note=form.licence_note.data or "",
        )
    except (InputError, Conflict) as error:
        return refused(error, lambda: _page(form=form))
    if feed.kind != "rss":
        flash(_("The feed “%(name)s” is ready to take posts.", name=feed.name), "good")
        return redirect(url_for("pages_feeds.index"))
    # Who asked is worked out anew: what is in their sight now includes this feed.
    g.pop("viewer", None)
    return fetch(feed.id)


@blueprint.post("/feeds/<number:feed_id>/fetch")
@requires("feeds:write")
def fetch(feed_id: int) -> Response:
    """Fetch an RSS or Atom feed now."""
    try:
        results = flow.fetch(services(), feed_id, viewer=viewer())
    except (InputError, OutgoingError) as error:
        tell(error)
    else:
        n_new = sum(result.state == "created" for result in results)
        flash(ngettext("Fetched: %(num)s new post.", "Fetched: %(num)s new posts.", n_new), "good")
    return redirect(url_for("pages_feeds.index"))


@blueprint.post("/feeds/<number:feed_id>/switch")
@requires("feeds:write")
def switch(feed_id: int) -> Response:
    """Pause a feed, or go on with it."""
    is_active = request.form.get("is_active") == "1"
    flow.change_feed(services(), feed_id, viewer=viewer(), changes={"is_active": is_active})
    return redirect(url_for("pages_feeds.index"))


@blueprint.post("/feeds/<number:feed_id>/upload")
@requires("feeds:write")
@large_body
def upload(feed_id: int) -> Shown:
    """Posts from a CSV or JSONL file; rows with faults are listed, the others are taken."""
    form = PostFile()
    if not form.validate_on_submit():
        flash(_("Choose a file."), "error")
        return _page(), 422
    name = (form.file.data.filename or "").lower()
    lines = io.TextIOWrapper(form.file.data.stream, encoding="utf-8-sig", errors="replace", newline="")
    rows = intake.posts_from_lines(lines, kind="csv" if name.endswith(".csv") else "jsonl")
    try:
        return _page(results=posts_flow.receive(services(), feed_id, rows, viewer=viewer()))
    except InputError as error:
        return refused(error, lambda: _page())
