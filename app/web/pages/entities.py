"""Companies: the list, and the page of one."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from app.domain.market import PostFilter
from app.errors import Conflict, InputError, NotFound
from app.pipeline import market
from app.store import alerts, entities, posts, rules
from app.web.auth import requires, services, viewer
from app.web.forms import NewEntity
from app.web.pages import courses, post_lists
from app.web.pages.context import refused
from app.web.pages.translate import gettext as _

blueprint = Blueprint("pages_entities", __name__)

Shown = str | Response | tuple[str, int]


def _list(form: NewEntity) -> str:
    return render_template(
        "entities/index.html",
        entities=entities.every(services().db),
        form=form,
        may_write=viewer().may("feeds:write"),
    )


@blueprint.get("/market/entities")
@requires("market:read")
def index() -> Shown:
    """Every company that is watched."""
    return _list(NewEntity(formdata=None))


@blueprint.post("/market/entities")
@requires("feeds:write")
def add() -> Shown:
    """Watch one more company."""
    form = NewEntity()
    if not form.validate_on_submit():
        return _list(form), 422
    names = tuple(name.strip() for name in (form.aliases.data or "").split(",") if name.strip())
    try:
        entity = market.add_entity(
            services(),
            viewer=viewer(),
            ticker=(form.ticker.data or "").upper(),
            name=form.name.data or "",
            sector=form.sector.data or "",
            aliases=names,
        )
    except (InputError, Conflict) as error:
        return refused(error, lambda: _list(form))
    flash(_("%(name)s is watched from now on.", name=entity.name), "good")
    return redirect(url_for("pages_entities.index"))


@blueprint.get("/market/entities/<ticker>")
@requires("market:read")
def show(ticker: str) -> str:
    """How one company is spoken of: series, stories, alerts."""
    found, me, stretch = services(), viewer(), courses.chosen_stretch()
    entity = entities.find_by_ticker(found.db, ticker.upper())
    if entity is None:
        raise NotFound(noun="entity", id=ticker)
    subject = str(entity.id)
    points = courses.points_of("entity", subject, stretch=stretch)
    past = alerts.page(found.db, subject_kind="entity", subject_id=subject, limit=50).items
    page = posts.page(found.db, PostFilter(entity_id=entity.id), viewer=me, limit=15)
    around = post_lists.around(found.db, page.items, viewer=me)
    return render_template(
        "entities/show.html",
        entity=entity,
        course=courses.drawn(points, step_ms=stretch.step_ms, alerts=past),
        summary=courses.figures("entity", subject, stretch=stretch),
        alerts=[alert for alert in past if alert.state in ("firing", "pending", "recovering")],
        rules={rule.id: rule.name for rule in rules.every(found.db)},
        page=page,
        days=stretch.days,
        periods=courses.periods(),
        **around,
    )
