"""Saved dashboards of the market."""

from __future__ import annotations

from flask import Response
from marshmallow import fields

from app.core import changes
from app.core.nouns import Fields
from app.core.views import saved_view_rows
from app.core.views.keep_saved_views import DASHBOARD, LONGEST
from app.core.views.saved_view import SavedView
from app.market.domain.dashboard import DAYS, MOST_SUBJECTS, Dashboard, of_query
from app.market.flows import keep_dashboards as flows
from app.web import access
from app.web.api import api_lists
from app.web.api.api_shapes import ChangeShape, Flag, Id, Json, OneOf, Pattern, Shape, Size, Whole, page_of, row
from app.web.api.openapi import blueprint, route

group = blueprint("dashboards", about="Saved dashboards: subjects of the market side by side, one's own or shared.")

SUBJECT = fields.String(validate=Pattern(r"market|(entity|topic|feed):.{1,200}", code="unknown_subject"))
SUBJECTS: Json = {
    "validate": Size(min=1, max=MOST_SUBJECTS),
    "metadata": {"description": "`market`, `entity:TICKER`, `topic:ID` or `feed:SLUG`, in the order of the page."},
}


class DashboardShape(Shape):
    """A dashboard; `subjects` are those in the reader's sight, `n_hidden` is how many are gone or out of it.

    `days` null is the usual period.
    """

    id = Id("dsh")
    name = fields.String()
    subjects = fields.List(fields.String())
    n_hidden = Whole()
    days = Whole(allow_none=True)
    is_shared = Flag()
    is_own = Flag()
    version = Whole()


class NewDashboardShape(Shape):
    """A dashboard to keep, for oneself unless it is shared."""

    name = fields.String(required=True, validate=Size(min=1, max=LONGEST["name"]))
    subjects = fields.List(SUBJECT, required=True, **SUBJECTS)
    days = Whole(load_default=None, allow_none=True, validate=OneOf(DAYS))
    is_shared = Flag(load_default=False)


class DashboardChangeShape(ChangeShape):
    """Fields to change."""

    name = fields.String(validate=Size(min=1, max=LONGEST["name"]))
    subjects = fields.List(SUBJECT, **SUBJECTS)
    days = Whole(allow_none=True, validate=OneOf(DAYS))
    is_shared = Flag()


def _out(view: SavedView) -> Json:
    me, shown = access.viewer(), of_query(view.query)
    subjects = flows.in_sight(access.services(), shown.subjects, viewer=me)
    return row(
        view,
        subjects=subjects,
        n_hidden=len(shown.subjects) - len(subjects),
        days=shown.days,
        is_own=view.user_id == me.user_id,
    )


@route(group, "/dashboards", needs="market:read", returns=page_of(DashboardShape, "DashboardPage"))
def list_dashboards() -> Json:
    """One's own dashboards and those that are shared, by name."""
    found = saved_view_rows.every(access.services().db, viewer=access.viewer(), place=flows.PLACE)
    return api_lists.whole(_out(view) for view in found)


@route(
    group,
    "/dashboards",
    method="POST",
    needs="dashboards:write",
    reads=NewDashboardShape,
    returns=DashboardShape,
    status=201,
)
def add_dashboard(payload: Json) -> Response:
    """Keep a dashboard."""
    shown = Dashboard(subjects=tuple(dict.fromkeys(payload["subjects"])), days=payload["days"])
    made = flows.add(
        access.services(), viewer=access.viewer(), name=payload["name"], shown=shown, is_shared=payload["is_shared"]
    )
    return api_lists.tagged(DashboardShape, _out(made.row), version=made.row.version, status=201)


@route(group, "/dashboards/<id(dsh):view_id>", needs="market:read", returns=DashboardShape)
def get_dashboard(view_id: int) -> Response:
    """One dashboard."""
    found = saved_view_rows.get(access.services().db, view_id, viewer=access.viewer(), place=flows.PLACE)
    return api_lists.tagged(DashboardShape, _out(found), version=found.version)


@route(
    group,
    "/dashboards/<id(dsh):view_id>",
    method="PATCH",
    needs="dashboards:write",
    reads=DashboardChangeShape,
    is_versioned=True,
    returns=DashboardShape,
)
def change_dashboard(payload: Fields, view_id: int) -> Response:
    """Change one's own dashboard, or a shared one as an administrator."""
    version = api_lists.expected_version()
    found = flows.change(access.services(), view_id, viewer=access.viewer(), given=payload, version=version).row
    return api_lists.tagged(DashboardShape, _out(found), version=found.version)


@route(group, "/dashboards/<id(dsh):view_id>", method="DELETE", needs="dashboards:write", status=204)
def remove_dashboard(view_id: int) -> Response:
    """Remove one's own dashboard, or a shared one as an administrator."""
    changes.remove(access.services().db, DASHBOARD, view_id, viewer=access.viewer())
    return Response(status=204)
