"""The wall: what fires, the heat map, the movers and the newest posts, large enough to be read across a room."""

from __future__ import annotations

from flask import Blueprint, render_template

from app.market.domain.market import PostFilter
from app.market.flows import find_posts
from app.market.pages import alert_parts, heat_map, post_lists, subject_trend
from app.market.pages.market_page import MARKET, company_rows
from app.web.access import requires, services, viewer

blueprint = Blueprint("pages_wall", __name__)

SHOWN_POSTS = 8
SHOWN_ALERTS = 6


@blueprint.get("/wall")
@requires("market:read")
def index() -> str:
    """Show the market at a glance; the page follows what happens by itself."""
    me, found, stretch = viewer(), services(), subject_trend.chosen_stretch()
    rows = company_rows(stretch=stretch)
    down, up = heat_map.movers(rows)
    latest = find_posts.page(found, PostFilter(), viewer=me, limit=SHOWN_POSTS)
    return render_template(
        "market/wall.html",
        firing=alert_parts.parts().firing(most=SHOWN_ALERTS),
        heat=heat_map.heat_map(rows, step_ms=stretch.step_ms),
        down=down,
        up=up,
        whole=subject_trend.figures("market", MARKET, stretch=stretch),
        volume=subject_trend.course("market", MARKET, stretch=stretch).volume,
        feed=latest.items,
        days=stretch.days,
        periods=subject_trend.periods(),
        **post_lists.around(found.db, latest.items, viewer=me),
    )
