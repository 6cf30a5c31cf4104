"""Macros: searched, shown with the outcomes of their offers, written by administrators."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.answers.domain import Macro, MacroAction
from app.answers.flows import find_destinations, find_macros
from app.answers.flows.keep_macros import MACRO
from app.answers.forms import EditMacro
from app.core import changes
from app.core.errors import Conflict, InputError
from app.core.nouns import Changed, Fields
from app.model.pages import label_choices
from app.web.access import requires, services, viewer
from app.web.display.translation import gettext as _
from app.web.template_context import refused, tell_changed

blueprint = Blueprint("pages_macros", __name__)

Shown = str | Response | tuple[str, int]


@blueprint.get("/macros")
@requires("macros:read")
def index() -> str:
    """Every macro, or those with the words in them."""
    query = request.args.get("q", "").strip()
    return render_template(
        "macros/index.html",
        macros=find_macros.with_words(services(), query),
        query=query,
        tallies=find_macros.tallies(services()),
        drafts=find_macros.draft_tally(services()),
        may_write=viewer().may("macros:write"),
    )


def _form(macro: Macro | None = None) -> EditMacro:
    form = EditMacro(data=None if macro is None else _values(macro))
    places = find_destinations.every(services())
    kept = () if macro is None else label_choices.titled(macro.intents)
    form.intents.choices = list(dict([*label_choices.of_tasks(place.intent_task for place in places), *kept]).items())
    form.route.choices = [("", _("leave it where it is")), *((place.slug, place.title) for place in places)]
    return form


def _values(macro: Macro) -> Fields:
    of_type: dict[str, list[str]] = {}
    for action in macro.actions:
        of_type.setdefault(action.type, []).append(action.value)
    return {
        "name": macro.name,
        "body": macro.body,
        "intents": list(macro.intents),
        "status": (of_type.get("set_status") or [""])[0],
        "route": (of_type.get("route") or [""])[0],
        "tags": ", ".join(of_type.get("add_tag", [])),
    }


def _given(form: EditMacro) -> Fields:
    tags = [part.strip() for part in (form.tags.data or "").split(",") if part.strip()]
    actions = [MacroAction(type="add_tag", value=tag) for tag in tags]
    if form.status.data:
        actions.append(MacroAction(type="set_status", value=form.status.data))
    if form.route.data:
        actions.append(MacroAction(type="route", value=form.route.data))
    intents = tuple(form.intents.data or ())
    return {"name": form.name.data, "body": form.body.data, "intents": intents, "actions": actions}


@blueprint.route("/macros/new", methods=["GET", "POST"])
@requires("macros:write")
def new() -> Shown:
    """Write a macro."""
    return _edited(None)


@blueprint.route("/macros/<number:macro_id>", methods=["GET", "POST"])
@requires("macros:write")
def edit(macro_id: int) -> Shown:
    """Change a macro."""
    return _edited(MACRO.get(services().db, macro_id, viewer=viewer()))


def _edited(macro: Macro | None) -> Shown:
    form = _form(macro)

    def page() -> str:
        return render_template("macros/edit.html", form=form, macro=macro)

    if not form.is_submitted():
        return page()
    if not form.validate():
        return page(), 422
    try:
        return _saved(macro, _given(form))
    except (InputError, Conflict) as error:
        return refused(error, page)


def _saved(macro: Macro | None, given: Fields) -> Response:
    if macro is None:
        made = changes.add(services().db, MACRO, given, viewer=viewer())
        return _done(_("“%(name)s” is offered from now on.", name=made.row.name), made)
    return _done(_("Saved."), changes.change(services().db, MACRO, macro.id, given, viewer=viewer()))


@blueprint.post("/macros/<number:macro_id>/delete")
@requires("macros:write")
def delete(macro_id: int) -> Response:
    """Remove a macro; replies that were made of it stay."""
    return _done(_("The macro is deleted."), changes.remove(services().db, MACRO, macro_id, viewer=viewer()))


def _done(message: str, made: Changed[Macro]) -> Response:
    back = url_for("pages_macros.index")
    tell_changed(message, event=made.event, back=back)
    return redirect(back)
