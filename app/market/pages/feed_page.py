"""Feeds: where posts come from, how each is doing, and ways to bring posts in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import TypeVar

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.core import changes, clock
from app.core.durations import HOUR_MS, MINUTE_MS
from app.core.errors import Conflict, InputError, OutgoingError
from app.core.jobs import job_queue as jobs_flow
from app.core.jobs import job_rows
from app.core.jobs.job import Job
from app.core.nouns import Changed, Fields
from app.market.domain.market import LONGEST_READING_S, Feed
from app.market.flows import fetch_feeds, find_silent_feeds, keep_feeds, read_folders
from app.market.flows.keep_feeds import FEED
from app.market.forms import EditFeed, NewFeed, PostFile
from app.web import problem_sentences
from app.web.access import requires, services, viewer
from app.web.display.translation import gettext as _
from app.web.display.translation import ngettext
from app.web.form_fields import EVERYBODY
from app.web.security import large_body
from app.web.template_context import refused, tell, tell_changed

blueprint = Blueprint("pages_feeds", __name__)

Form = TypeVar("Form", NewFeed, EditFeed)
Shown = str | Response | tuple[str, int]
MOST_FAULTS = 20
MOST_IMPORTS = 5


def slug_of(name: str) -> str:
    """Return a slug for a name: lower-case letters and digits with hyphens; `feed` when nothing is left."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "feed"


def _with_teams(form: Form, *, of: int | None = None) -> Form:
    """A form that offers the reader's teams, and the one that a feed belongs to."""
    known: dict[int, str] = {team.id: team.name for team in keep_feeds.teams_of(services().db, viewer=viewer())}
    if of is not None:
        known[of] = keep_feeds.team_names(services())[of]
    form.team_id.choices = [(EVERYBODY, _("everybody")), *known.items()]
    return form


def _page(*, form: NewFeed | None = None) -> str:
    me, found = viewer(), services()
    shown = keep_feeds.in_sight(found, viewer=me)
    silent = find_silent_feeds.silent_ids(found, now=clock.now_ms())
    return render_template(
        "feeds/index.html",
        feeds=shown,
        silent={feed.id for feed in shown if str(feed.id) in silent},
        folders={feed.id: read_folders.folder_of(found, feed) for feed in shown},
        imports=_imports({feed.id: feed.name for feed in shown}),
        form=form or _with_teams(NewFeed(formdata=None)),
        teams=keep_feeds.team_names(found),
        file=PostFile(formdata=None),
        fault=lambda feed: problem_sentences.fault_of_call(feed.last_error, feed.url or "", limit=LONGEST_READING_S),
        may_write=me.may("feeds:write"),
    )


@dataclass(frozen=True, kw_only=True)
class _Import:
    """A file that was read into a feed: the job, the feed's name, and by row what was wrong."""

    job: Job
    feed: str
    faults: list[tuple[int, str]]


def _imports(names: Mapping[int, str]) -> list[_Import]:
    """The latest files that were read into feeds in sight, with what was wrong in them."""
    latest = job_rows.page(services().db, limit=50).items
    return [
        _Import(
            job=job,
            feed=names[job.params["feed_id"]],
            faults=[
                (fault.row, problem_sentences.sentence(fault.code, fault.params)[1])
                for fault in job.errors[:MOST_FAULTS]
            ],
        )
        for job in latest
        if job.kind == "import_posts" and job.params.get("feed_id") in names
    ][:MOST_IMPORTS]


@blueprint.get("/feeds")
@requires("feeds:read")
def index() -> Shown:
    """List every feed with its last fetch, last post and last error."""
    return _page()


@blueprint.post("/feeds")
@requires("feeds:write")
def add() -> Shown:
    """Add a feed; an RSS feed is fetched at once."""
    form = _with_teams(NewFeed())
    if not form.validate_on_submit():
        return _page(form=form), 422
    try:
        made = changes.add(services().db, FEED, _new(form), viewer=viewer())
    except (InputError, Conflict) as error:
        return refused(error, lambda: _page(form=form))
    if made.row.kind != "rss":
        return _back_to_list(_("The feed “%(name)s” is ready to take posts.", name=made.row.name), made)
    # Who asked is worked out anew: what is in their sight now includes this feed.
    g.pop("viewer", None)
    return fetch(made.row.id)


def _back_to_list(message: str, made: Changed[Feed]) -> Response:
    back = url_for("pages_feeds.index")
    tell_changed(message, event=made.event, back=back)
    return redirect(back)


def _typed(form: NewFeed | EditFeed) -> Fields:
    """The fields of a feed that both forms have."""
    return {
        "name": form.name.data or "",
        "zone": form.zone.data or "UTC",
        "licence_note": form.licence_note.data or "",
        "team_id": form.team_id.data or None,
        "language": form.language.data or "",
        "weight": float(form.weight.data or 1),
        "silent_after_ms": (form.silent_hours.data or 0) * HOUR_MS or None,
    }


def _new(form: NewFeed) -> Fields:
    slug, url = slug_of(form.name.data or ""), form.url.data or None
    return {**_typed(form), "slug": slug, "kind": form.kind.data, "url": url}


def _changed(form: EditFeed, *, of: Feed) -> Fields:
    if of.kind != "rss":
        return _typed(form)
    interval_ms = (form.interval_minutes.data or 0) * MINUTE_MS or None
    return {**_typed(form), "url": form.url.data or "", "interval_ms": interval_ms}


def _filled(feed: Feed) -> Fields:
    """The feed in the units of the form."""
    return {
        "name": feed.name,
        "url": feed.url or "",
        "zone": feed.zone,
        "licence_note": feed.licence_note,
        "team_id": feed.team_id or EVERYBODY,
        "language": feed.language,
        "weight": Decimal(str(feed.weight)),
        "interval_minutes": feed.interval_ms // MINUTE_MS if feed.interval_ms else None,
        "silent_hours": feed.silent_after_ms // HOUR_MS if feed.silent_after_ms else None,
    }


@blueprint.route("/feeds/<number:feed_id>", methods=["GET", "POST"])
@requires("feeds:write")
def edit(feed_id: int) -> Shown:
    """Change a feed; what it brought stays."""
    feed = FEED.get(services().db, feed_id, viewer=viewer())
    form = _with_teams(EditFeed(data=_filled(feed)), of=feed.team_id)
    again = partial(render_template, "feeds/edit.html", form=form, feed=feed)
    if not form.is_submitted():
        return again()
    if not form.validate():
        return again(), 422
    try:
        made = changes.change(services().db, FEED, feed_id, _changed(form, of=feed), viewer=viewer())
    except (InputError, Conflict) as error:
        return refused(error, again)
    return _back_to_list(_("Saved."), made)


@blueprint.post("/feeds/<number:feed_id>/fetch")
@requires("feeds:write")
def fetch(feed_id: int) -> Response:
    """Fetch an RSS or Atom feed now."""
    try:
        results = fetch_feeds.fetch(services(), feed_id, viewer=viewer())
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
    changes.change(services().db, FEED, feed_id, {"is_active": is_active}, viewer=viewer())
    return redirect(url_for("pages_feeds.index"))


@blueprint.post("/feeds/<number:feed_id>/upload")
@requires("feeds:write")
@large_body
def upload(feed_id: int) -> Shown:
    """Take posts from a file, read by the worker; rows with faults are listed, the others are taken."""
    form = PostFile()
    if not form.validate_on_submit():
        flash(_("Choose a file."), "error")
        return _page(), 422
    name = (form.file.data.filename or "").lower()
    feed = FEED.get(services().db, feed_id, viewer=viewer())
    kind = "csv" if name.endswith(".csv") else "rss" if name.endswith((".xml", ".rss")) else "jsonl"
    params = {"feed_id": feed.id, "format": kind, "name": name[:120]}
    jobs_flow.enqueue(
        services(), kind="import_posts", viewer=viewer(), params=params, content=form.file.data.stream.read()
    )
    flash(_("The file is taken; it is read in the background, and how far it is stands below."), "good")
    return redirect(url_for("pages_feeds.index"))
