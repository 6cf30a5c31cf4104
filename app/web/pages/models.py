"""The model page: what answers, how good it was measured to be, and how it changes hands."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.errors import BellwetherError, Conflict, NotReady
from app.pipeline import models, shadows
from app.store import corrections, deployments, users
from app.web import problems
from app.web.auth import requires, services, viewer
from app.web.pages import measures
from app.web.pages.context import tell
from app.web.pages.translate import gettext as _

blueprint = Blueprint("pages_models", __name__)


@blueprint.get("/model")
@requires("models:read")
def index() -> str:
    """The live artifact with its figures; when none can be opened, why."""
    found, me = services(), viewer()
    history = deployments.every(found.db)
    actors = {int(row.actor_id) for row in history if row.actor_id.isdigit()}
    try:
        card, fault = models.card(found), ""
    except BellwetherError as error:
        card, fault = None, problems.sentence(error.code, error.params)[1]
    return render_template(
        "model/index.html",
        card=card,
        fault=fault,
        tasks=measures.tasks(card) if card else (),
        available=models.available(found) if me.may("models:write") else (),
        history=history,
        names=users.names(found.db, actors),
        shadow=shadows.name(found),
        agreement=shadows.agreement(found),
        corrections=corrections.count_by_task(found.db),
        may_write=me.may("models:write"),
        may_teach=me.may("tickets:write"),
    )


@blueprint.post("/model/promote")
@requires("models:write")
def promote() -> Response:
    """Put an artifact live."""
    chosen = request.form.get("name", "")
    try:
        row = models.promote(services(), chosen, viewer=viewer())
        flash(_("%(model)s is live.", model=row.model), "good")
    except NotReady as error:
        tell(error)
    return redirect(url_for("pages_models.index"))


@blueprint.post("/model/rollback")
@requires("models:write")
def rollback() -> Response:
    """Go back to the model that was live before."""
    try:
        row = models.rollback(services(), viewer=viewer())
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
            row = shadows.start(services(), chosen, viewer=viewer())
            flash(_("%(model)s reads along in shadow.", model=row.model), "good")
        else:
            shadows.stop(services(), viewer=viewer())
            flash(_("The shadow is ended; what it said is kept."), "good")
    except (Conflict, NotReady) as error:
        tell(error)
    return redirect(url_for("pages_models.index"))
