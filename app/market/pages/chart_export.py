"""Charts as files: the series behind one as CSV, and the drawing itself as SVG and PNG."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import cast, get_args

from flask import Blueprint, Response, render_template, request

from app.core.errors import NotFound
from app.core.interval import Range
from app.market.domain.market import SubjectKind
from app.market.domain.series import Expected, Point
from app.market.pages import heat_map, subject_trend
from app.market.pages.market_page import company_rows, title_of
from app.web.access import requires
from app.web.api.api_shapes import instant
from app.web.display import chart_png, charts
from app.web.display.spreadsheet import cell
from app.web.display.translation import gettext as _

blueprint = Blueprint("pages_exports", __name__)

SEEN = ("at", "net_sentiment", "negative_share", "n_negative", "n_stories", "n_posts")
RANGES = ("share_seen", "share", "net", "stories")
BOUNDS = ("negative_share", "usual_negative_share", "usual_net_sentiment", "usual_n_stories")
HEAD = (*SEEN, *(f"{name}_{end}" for name in BOUNDS for end in ("low", "high")))
WIDTH, HEIGHT = 960.0, 300.0
CHARTS = ("sentiment", "share", "volume")


def _csv(rows: Iterable[Iterable[object]], *, name: str) -> Response:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([[cell(value) for value in row] for row in rows])
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    # With a byte order mark, so that spreadsheets read it as UTF-8.
    return Response("\ufeff" + text.getvalue(), content_type="text/csv; charset=utf-8", headers=headers)


def _asked() -> tuple[SubjectKind, str]:
    kind, subject_id = request.args.get("kind", "market"), request.args.get("id", "all")
    if kind not in get_args(SubjectKind):
        raise NotFound(noun="subject", id=kind)
    return cast(SubjectKind, kind), subject_id


@blueprint.get("/market/series.csv")
@requires("market:read")
def series_csv() -> Response:
    """List the points of a subject over the period, one a row, times in UTC."""
    kind, subject_id = _asked()
    title_of(kind, subject_id)
    stretch = subject_trend.chosen_stretch()
    points = subject_trend.points_of(kind, subject_id, stretch=stretch)
    usual = subject_trend.usual_of(kind, subject_id, points, step_ms=stretch.step_ms)
    rows = [_row(one, known) for one, known in zip(points, usual, strict=True)]
    return _csv([HEAD, *rows], name=f"{kind}-{subject_id}"[:60])


def _row(point: Point, usual: Expected) -> list[object]:
    seen = [instant(point.at), *(getattr(point, name) for name in SEEN[1:])]
    ranges: list[Range | None] = [getattr(usual, name) for name in RANGES]
    return [*seen, *(end for one in ranges for end in ((one.low, one.high) if one else (None, None)))]


def _series_drawing() -> tuple[str, str]:
    """A chart of a subject as SVG, and the name of its file."""
    kind, subject_id = _asked()
    name, stretch = title_of(kind, subject_id), subject_trend.chosen_stretch()
    chart = request.args.get("chart", "sentiment")
    if chart not in CHARTS:
        raise NotFound(noun="chart", id=chart)
    course = subject_trend.course(kind, subject_id, stretch=stretch, past=subject_trend.alerts_of(kind, subject_id))
    titles = {"sentiment": _("Net sentiment"), "share": _("Negative share"), "volume": _("Stories, negative in front")}
    plot: charts.Plot = charts.scaled(getattr(course, chart), width=WIDTH, height=HEIGHT)
    drawing = render_template(
        "charts/plot.svg", plot=plot, title=f"{name} · {titles[chart]}" if name else titles[chart]
    )
    return drawing, f"{kind}-{chart}"


def _heat_drawing() -> tuple[str, str]:
    stretch = subject_trend.chosen_stretch()
    found = heat_map.heat_map(company_rows(stretch=stretch), step_ms=stretch.step_ms)
    return render_template("charts/heat.svg", heat=found, title=_("Net sentiment of each company over time")), "market"


def _file(drawing: str, name: str, *, form: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"'}
    if form == "png":
        return Response(chart_png.png(drawing), content_type="image/png", headers=headers)
    return Response(drawing, content_type="image/svg+xml; charset=utf-8", headers=headers)


@blueprint.get("/market/series.<any(svg, png):form>")
@requires("market:read")
def series_drawing(form: str) -> Response:
    """Draw a chart of a subject over the period in a file that stands alone."""
    return _file(*_series_drawing(), form=form)


@blueprint.get("/market/heat.<any(svg, png):form>")
@requires("market:read")
def heat_drawing(form: str) -> Response:
    """Draw the heat map in a file that stands alone."""
    return _file(*_heat_drawing(), form=form)


@blueprint.get("/market/heat.csv")
@requires("market:read")
def heat_csv() -> Response:
    """List the heat map: companies down, time across, net sentiment in the cells."""
    rows = company_rows(stretch=subject_trend.chosen_stretch())
    times = [instant(point.at) for point in rows[0].points] if rows else []
    cells = [(row.key, row.title, *(point.net_sentiment for point in row.points)) for row in rows]
    return _csv([("ticker", "name", *times), *cells], name="market")
