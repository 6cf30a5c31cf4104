"""The wall: what fires, the heat map, the movers and the newest posts, large enough to be read across a room."""

from __future__ import annotations

from flask import Blueprint, render_template

from app.domain.market import PostFilter
from app.store import alerts, posts, rules
from app.web.auth import requires, services, viewer
from app.web.pages import courses, heat, post_lists
from app.web.pages.market import MARKET, company_rows, subject_title

blueprint = Blueprint("pages_wall", __name__)

SHOWN_POSTS = 8
SHOWN_ALERTS = 6


@blueprint.get("/wall")
@requires("market:read")
def index() -> str:
    """Everything at a glance; it follows what happens by itself."""
    me, found, stretch = viewer(), services(), courses.chosen_stretch()
    open_ones = alerts.open_ones(found.db) if me.may("alerts:read") else ()
    firing = [alert for alert in open_ones if alert.state == "firing"][:SHOWN_ALERTS]
    rows = company_rows(stretch=stretch)
    down, up = heat.movers(rows)
    latest = posts.page(found.db, PostFilter(), viewer=me, limit=SHOWN_POSTS)
    return render_template(
        "market/wall.html",
        firing=firing,
        subjects={alert.id: subject_title(alert) for alert in firing},
        rules={rule.id: rule.name for rule in rules.every(found.db)},
        heat=heat.heat_map(rows, step_ms=stretch.step_ms),
        down=down,
        up=up,
        whole=courses.figures("market", MARKET, stretch=stretch),
        volume=courses.course("market", MARKET, stretch=stretch).volume,
        feed=latest.items,
        days=stretch.days,
        periods=courses.periods(),
        **post_lists.around(found.db, latest.items, viewer=me),
    )
