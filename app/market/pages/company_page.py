"""Companies: the list, and the page of one."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from app.core import changes
from app.core.errors import Conflict, InputError
from app.market.domain.market import PostFilter
from app.market.flows import find_posts, keep_companies, show_market
from app.market.flows.keep_companies import ENTITY
from app.market.forms import EntityFile, NewEntity
from app.market.pages import alert_parts, post_lists, subject_trend
from app.people.pages.admin_section import split
from app.web import problem_sentences
from app.web.access import requires, services, viewer
from app.web.display.translation import gettext as _
from app.web.template_context import refused, tell_changed

blueprint = Blueprint("pages_entities", __name__)

MOST_FAULTS = 10
Shown = str | Response | tuple[str, int]


def _list(form: NewEntity) -> str:
    return render_template(
        "entities/index.html",
        entities=keep_companies.every(services()),
        form=form,
        file=EntityFile(formdata=None),
        may_write=viewer().may("feeds:write"),
    )


@blueprint.get("/market/entities")
@requires("market:read")
def index() -> Shown:
    """List every company that is watched."""
    return _list(NewEntity(formdata=None))


@blueprint.post("/market/entities")
@requires("feeds:write")
def add() -> Shown:
    """Watch one more company."""
    form = NewEntity()
    if not form.validate_on_submit():
        return _list(form), 422
    given: dict[str, object] = {name: form[name].data or "" for name in ("ticker", "name", "sector")}
    given |= {name: split(form[name].data) for name in ("aliases", "ambiguous")}
    try:
        made = changes.add(services().db, ENTITY, given, viewer=viewer())
    except (InputError, Conflict) as error:
        return refused(error, lambda: _list(form))
    back = url_for("pages_entities.index")
    tell_changed(_("%(name)s is watched from now on.", name=made.row.name), event=made.event, back=back)
    return redirect(back)


@blueprint.post("/market/entities/import")
@requires("feeds:write")
def import_list() -> Shown:
    """Watch the companies of a CSV list; rows that cannot be used are listed."""
    form = EntityFile()
    if not form.validate_on_submit():
        flash(_("Choose a file."), "error")
        return _list(NewEntity(formdata=None)), 422
    try:
        found = keep_companies.import_companies(services(), form.file.data.stream.read(), viewer=viewer())
    except InputError as error:
        return refused(error, lambda: _list(NewEntity(formdata=None)))
    flash(
        _(
            "New: %(new)s. Changed: %(changed)s. Known already: %(same)s.",
            new=found.n_created,
            changed=found.n_updated,
            same=found.n_unchanged,
        ),
        "good",
    )
    for fault in found.faults[:MOST_FAULTS]:
        sentence = problem_sentences.sentence(fault.code, dict(fault.params))[1]
        flash(_("Row %(n)s", n=fault.row) + f": {sentence}", "error")
    return redirect(url_for("pages_entities.index"))


@blueprint.get("/market/entities/<ticker>")
@requires("market:read")
def show(ticker: str) -> str:
    """Show one company: its series, stories and alerts."""
    found, me, stretch = services(), viewer(), subject_trend.chosen_stretch()
    entity = keep_companies.of_ticker(found, ticker)
    subject = str(entity.id)
    past, alarms = subject_trend.alerts_of("entity", subject), alert_parts.parts()
    page = find_posts.page(found, PostFilter(entity_id=entity.id), viewer=me, limit=15)
    around = post_lists.around(found.db, page.items, viewer=me)
    return render_template(
        "entities/show.html",
        entity=entity,
        course=subject_trend.course("entity", subject, stretch=stretch, past=past),
        summary=subject_trend.figures("entity", subject, stretch=stretch),
        open_alerts=alarms.open_ones(past, title=entity.name),
        past=alarms.past(
            past,
            subject=("entity", subject),
            none_yet=_("No alert of this company yet."),
            is_over=True,
            can_report=True,
        ),
        topics=show_market.topics_of_company(found, entity.id, since=stretch.since, until=stretch.until, viewer=me),
        page=page,
        days=stretch.days,
        periods=subject_trend.periods(),
        **around,
    )
