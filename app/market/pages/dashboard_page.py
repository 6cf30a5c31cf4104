"""Dashboards of the market: chosen companies, topics and feeds over a period; the address is the dashboard."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.core import changes
from app.core.errors import BellwetherError
from app.core.views import keep_saved_views, saved_view_rows
from app.core.views.keep_saved_views import DASHBOARD
from app.core.views.saved_view import SavedView
from app.market.domain.dashboard import MOST_SUBJECTS, dashboard, of_query
from app.market.domain.market import SubjectKind
from app.market.flows import find_alerts, keep_companies, keep_dashboards
from app.market.flows.find_alerts import SubjectAlert
from app.market.pages import alert_parts, subject_trend
from app.market.pages.market_page import MARKET, topic_titles
from app.market.pages.subject_trend import Course, Figures
from app.web.access import requires, services, viewer
from app.web.display.enum_words import word
from app.web.display.translation import gettext as _
from app.web.template_context import tell

blueprint = Blueprint("pages_dashboards", __name__)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A subject that can stand on a dashboard: `key` names it in the address, `subject_id` in the series."""

    key: str
    kind: SubjectKind
    subject_id: str
    title: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A subject on a dashboard."""

    choice: Choice
    course: Course
    figures: Figures
    n_firing: int


@dataclass(frozen=True, kw_only=True)
class Saved:
    """A saved dashboard as the page lists it."""

    view: SavedView
    url: str
    is_here: bool
    may_remove: bool


def _choices() -> dict[str, list[Choice]]:
    """Everything in the reader's sight that can be chosen, by kind."""
    found = services()
    whole = {"subject_id": MARKET, "title": word("subject", "market"), "url": url_for("pages_market.index")}
    return {
        "market": [Choice(key="market", kind="market", **whole)],
        "entity": [
            _choice("entity", one.ticker, one.id, title=one.name, url=url_for("pages_entities.show", ticker=one.ticker))
            for one in keep_companies.every(found)
        ],
        "topic": [
            _choice("topic", topic, topic, title=title, url=url_for("pages_posts.topic", topic=topic))
            for topic, title in topic_titles()
        ],
        "feed": [
            _choice("feed", one.slug, one.id, title=one.name, url=url_for("pages_posts.index", feed=one.id))
            for one in keep_dashboards.feeds_to_choose(found, viewer=viewer())
        ],
    }


def _choice(kind: SubjectKind, name: str, subject_id: int | str, *, title: str, url: str) -> Choice:
    return Choice(key=f"{kind}:{name}", kind=kind, subject_id=str(subject_id), title=title, url=url)


def _tile(choice: Choice, *, stretch: subject_trend.Stretch, open_ones: Iterable[SubjectAlert]) -> Tile:
    kind, subject_id = choice.kind, choice.subject_id
    firing = [one for one in open_ones if (one.subject_kind, one.subject_id, one.state) == (kind, subject_id, "firing")]
    return Tile(
        choice=choice,
        course=subject_trend.course(kind, subject_id, stretch=stretch, past=subject_trend.alerts_of(kind, subject_id)),
        figures=subject_trend.figures(kind, subject_id, stretch=stretch),
        n_firing=len(firing),
    )


def _saved(here: str) -> list[Saved]:
    me = viewer()
    return [
        Saved(
            view=view,
            url=url_for("pages_dashboards.index") + "?" + view.query,
            is_here=view.query == here,
            may_remove=view.is_changeable(me),
        )
        for view in saved_view_rows.every(services().db, viewer=me, place="market")
    ]


@blueprint.get("/market/dashboard")
@requires("market:read")
def index() -> str:
    """Show the subjects that the address names side by side."""
    stretch = subject_trend.chosen_stretch()
    asked = list(dict.fromkeys(request.args.getlist("s")))
    choices, here = _choices(), dashboard(asked, days=request.args.get("days")).query
    known = {one.key: one for group in choices.values() for one in group}
    chosen = [known[key] for key in asked[:MOST_SUBJECTS] if key in known]
    open_ones = find_alerts.open_ones(services(), viewer=viewer())
    tiles = [_tile(one, stretch=stretch, open_ones=open_ones) for one in chosen]
    saved = _saved(here)
    return render_template(
        "market/dashboard.html",
        choices=choices,
        chosen={one.key for one in chosen},
        n_gone=len(asked) - len(chosen),
        tiles=tiles,
        firing=alert_parts.parts().firing(subjects={(one.kind, one.subject_id) for one in chosen}),
        saved=saved,
        title=next((one.view.name for one in saved if one.is_here), None),
        here_query=here,
        days=stretch.days,
        periods=subject_trend.periods(),
        most=MOST_SUBJECTS,
    )


@blueprint.post("/market/dashboards")
@requires("dashboards:write")
def add() -> Response:
    """Keep the dashboard that the form was sent from under a name."""
    query = of_query(request.form.get("query", "")).query
    is_shared = bool(request.form.get("is_shared"))
    try:
        made = keep_saved_views.add(
            services(),
            viewer=viewer(),
            name=request.form.get("name", ""),
            query=query,
            is_shared=is_shared,
            place="market",
        )
    except BellwetherError as error:
        tell(error)
    else:
        flash(_("The dashboard “%(name)s” is saved.", name=made.row.name), "good")
    return redirect(url_for("pages_dashboards.index") + "?" + query)


@blueprint.post("/market/dashboards/<number:view_id>/remove")
@requires("dashboards:write")
def remove(view_id: int) -> Response:
    """Remove a saved dashboard."""
    changes.remove(services().db, DASHBOARD, view_id, viewer=viewer())
    flash(_("The dashboard is removed."), "good")
    return redirect(url_for("pages_dashboards.index"))
