"""The model page: the live model with its measured quality, promotion, rollback and shadow."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.core.errors import BellwetherError, Conflict, NotReady
from app.model.flows import count_corrections, deploy_model, run_shadow
from app.model.pages import model_figures
from app.web import problem_sentences
from app.web.access import requires, services, viewer
from app.web.display.translation import gettext as _
from app.web.template_context import tell

blueprint = Blueprint("pages_models", __name__)


@blueprint.get("/model")
@requires("models:read")
def index() -> str:
    """Show the live artifact with its figures, or the reason why none can be opened."""
    found, me = services(), viewer()
    history = deploy_model.list_deployments(found)
    try:
        card, fault = deploy_model.card(found), ""
    except BellwetherError as error:
        card, fault = None, problem_sentences.sentence(error.code, error.params)[1]
    return render_template(
        "model/index.html",
        card=card,
        fault=fault,
        tasks=model_figures.tasks(card) if card else (),
        available=deploy_model.available(found) if me.may("models:write") else (),
        history=history,
        names=deploy_model.deployers(found, history),
        shadow=run_shadow.name(found),
        agreement=run_shadow.agreement(found),
        corrections=count_corrections.by_task(found),
        may_write=me.may("models:write"),
        may_teach=me.may("tickets:write"),
    )


@blueprint.post("/model/promote")
@requires("models:write")
def promote() -> Response:
    """Put an artifact live."""
    chosen = request.form.get("name", "")
    try:
        row = deploy_model.promote(services(), chosen, viewer=viewer())
        flash(_("%(model)s is live.", model=row.model), "good")
    except NotReady as error:
        tell(error)
    return redirect(url_for("pages_models.index"))


@blueprint.post("/model/rollback")
@requires("models:write")
def rollback() -> Response:
    """Go back to the model that was live before."""
    try:
        row = deploy_model.rollback(services(), viewer=viewer())
        flash(_("Back to %(model)s.", model=row.model), "good")
    except (Conflict, NotReady) as error:
        tell(error)
    return redirect(url_for("pages_models.index"))


@blueprint.post("/model/shadow")
@requires("models:write")
def shadow() -> Response:
    """Let an artifact read along in shadow, or, with an empty name, end that."""
    chosen = request.form.get("name", "")
    try:
        if chosen:
            row = run_shadow.start(services(), chosen, viewer=viewer())
            flash(_("%(model)s reads along in shadow.", model=row.model), "good")
        else:
            run_shadow.stop(services(), viewer=viewer())
            flash(_("The shadow is ended; what it said is kept."), "good")
    except (Conflict, NotReady) as error:
        tell(error)
    return redirect(url_for("pages_models.index"))
