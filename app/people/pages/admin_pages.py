"""The administrator's pages: lists and forms of every section, everybody's tokens, and the audit trail."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.core import changes, clock
from app.core.errors import Conflict, InputError, NotFound
from app.core.events import event_log
from app.core.nouns import Fields
from app.people.flows import keep_sessions, keep_tokens, show_people
from app.people.pages import account_sentences, identity
from app.people.pages.admin_section import SECTIONS, Section
from app.web import access, query_string
from app.web.access import requires, services, viewer
from app.web.display.translation import gettext as _
from app.web.display.translation import ngettext
from app.web.template_context import tell, tell_changed

blueprint = Blueprint("pages_admin", __name__)

Shown = str | Response | tuple[str, int]
AUDIT_PAGE = 50


def _section(slug: str) -> Section:
    if slug not in SECTIONS:
        raise NotFound(noun="page", id=slug)
    return SECTIONS[slug]


def _form(section: Section, data: Fields | None = None) -> Any:
    form = section.form(data=data)
    section.prepare(form)
    return form


@blueprint.get("/admin")
@requires("settings:write")
def home() -> Response:
    """Lead to the first section."""
    return redirect(url_for("pages_admin.index", slug=next(iter(SECTIONS)).slug))


@blueprint.get("/admin/<slug>")
@requires("settings:write")
def index(slug: str) -> str:
    """Show the things of a section as a table."""
    section = _section(slug)
    return render_template("admin/index.html", section=section, sections=SECTIONS, rows=section.rows())


@blueprint.route("/admin/<slug>/new", methods=["GET", "POST"])
@requires("settings:write")
def new(slug: str) -> Shown:
    """Show the form for a new thing, or add it."""
    section = _section(slug)
    form = _form(section)
    if not form.is_submitted():
        return _edit(section, form)
    if not form.validate():
        return _edit(section, form), 422
    try:
        made = section.save_new(form)
    except (InputError, Conflict) as error:
        status = tell(error)
        return _edit(section, form), status
    back = url_for("pages_admin.index", slug=slug)
    tell_changed(_("Added."), event=made.event, back=back)
    return redirect(back)


@blueprint.route("/admin/<slug>/<number:number>", methods=["GET", "POST"])
@requires("settings:write")
def edit(slug: str, number: int) -> Shown:
    """Show the form of a thing, or change it; a change can be undone."""
    section = _section(slug)
    form = _form(section, section.values(number))
    if not form.is_submitted():
        return _edit(section, form, number=number)
    if not form.validate():
        return _edit(section, form, number=number), 422
    try:
        made = section.save(number, form)
    except (InputError, Conflict) as error:
        status = tell(error)
        return _edit(section, form, number=number), status
    back = url_for("pages_admin.index", slug=slug)
    tell_changed(_("Saved.") if made.event else _("Nothing was changed."), event=made.event, back=back)
    return redirect(back)


def _edit(section: Section, form: Any, *, number: int | None = None) -> str:
    return render_template(
        "admin/edit.html",
        section=section,
        sections=SECTIONS,
        form=form,
        number=number,
        notes=[] if number is None else section.notes(number),
        sessions=[] if number is None or section.sessions is None else section.sessions(number),
        this_session=identity.session_id(),
        end_url=lambda session_id: url_for("pages_admin.end_session", number=number, session_id=session_id),
    )


@blueprint.post("/admin/<slug>/<number:number>/delete")
@requires("settings:write")
def delete(slug: str, number: int) -> Response:
    """Remove a thing; one that is in use is refused with the reason."""
    try:
        made = _section(slug).remove(number)
    except Conflict as error:
        tell(error)
        return redirect(url_for("pages_admin.edit", slug=slug, number=number))
    back = url_for("pages_admin.index", slug=slug)
    tell_changed(_("Deleted."), event=made.event, back=back)
    return redirect(back)


@blueprint.post("/admin/users/<number:number>/sessions/<int:session_id>/end")
@requires("settings:write")
def end_session(number: int, session_id: int) -> Response:
    """Sign a person out of one browser."""
    try:
        keep_sessions.end(services(), session_id, user_id=number, viewer=viewer())
        flash(_("That browser is signed out."), "good")
    except NotFound:
        flash(_("That session has ended already."), "good")
    return redirect(url_for("pages_admin.edit", slug="users", number=number))


@blueprint.post("/admin/users/<number:number>/sessions/end")
@requires("settings:write")
def end_sessions(number: int) -> Response:
    """Sign a person out of every browser, except the one that asks."""
    n_ended = keep_sessions.end_all(services(), number, viewer=viewer(), but=identity.session_id())
    flash(ngettext("%(num)s browser is signed out.", "%(num)s browsers are signed out.", n_ended), "good")
    return redirect(url_for("pages_admin.edit", slug="users", number=number))


@blueprint.post("/admin/undo/<number:event_id>")
@requires("account:write")
def undo(event_id: int) -> Response:
    """Undo a change for someone who may make it, unless a later one depends on it."""
    try:
        changes.undo(services(), event_id, viewer=viewer())
        flash(_("Taken back."), "good")
    except (Conflict, InputError, NotFound) as error:
        tell(error)
    return redirect(access.safe_next(request.form.get("next"), fallback=url_for("pages_admin.home")))


@blueprint.get("/admin/tokens")
@requires("settings:write")
def all_tokens() -> str:
    """Show everybody's API tokens."""
    db = services().db
    found = keep_tokens.every(db)
    names = show_people.names(db, {token.user_id for token in found})
    return render_template("admin/tokens.html", sections=SECTIONS, tokens=found, names=names, now=clock.now_ms())


@blueprint.post("/admin/tokens/<number:token_id>/revoke")
@requires("settings:write")
def revoke_token(token_id: int) -> Response:
    """Revoke anybody's token at once."""
    keep_tokens.revoke_token(services(), token_id, viewer=viewer())
    flash(_("The token is revoked; programs that use it are refused from now on."), "good")
    return redirect(url_for("pages_admin.all_tokens"))


@blueprint.get("/admin/audit")
@requires("settings:write")
def audit() -> str:
    """Show the audit trail: every event, newest first."""
    db, noun, kind = services().db, request.args.get("noun") or None, request.args.get("actor") or None
    page = event_log.page(db, limit=AUDIT_PAGE, after=request.args.get("after"), noun=noun, actor_kind=kind)
    people = {int(one.actor_id) for one in page.items if one.actor_kind == "agent" and one.actor_id.isdigit()}
    people |= {one.noun_id for one in page.items if one.noun == "user"}
    names = {str(number): name for number, name in show_people.names(db, people).items()}
    return render_template(
        "admin/audit.html",
        sections=SECTIONS,
        page=page,
        names=names,
        sentence_of=lambda event: account_sentences.sentence(event, names=names),
        noun=noun,
        kind=kind,
        # A thing that was added is deleted on its own page; a button beside every row would only be in the way.
        is_undoable=lambda event: event.verb != "created" and changes.is_undoable(event),
        next_url=url_for("pages_admin.audit", **{**query_string.kept(request.args), "after": page.after or ""}),
    )
