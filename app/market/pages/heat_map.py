"""The heat map and the movers: the sentiment of every company, step by step, and whose changed most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.durations import DAY_MS, HOUR_MS
from app.market.domain.series import Point
from app.web.display import charts, formats
from app.web.display.translation import gettext as _

EDGES = (0.1, 0.3, 0.55)
"""Net sentiment, either way, from which a cell is tinted, coloured, and strongly coloured."""

MOST_ROWS = 30
MOST_MOVERS = 4
LEAST_STORIES = 5
LEAST_CHANGE = 0.05


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One step of one row: `tone` is a CSS class, `title` says the figures."""

    tone: str
    title: str
    mark: str


@dataclass(frozen=True, kw_only=True)
class Line:
    """One company of the heat map."""

    key: str
    title: str
    n_firing: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, kw_only=True)
class HeatMap:
    """Companies down, time across; `marks` name some of the steps."""

    lines: tuple[Line, ...]
    marks: tuple[str, ...]
    starts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SubjectRow:
    """A company or topic in a table: `key` is its ticker or topic id, `net` its net sentiment, `delta` the change."""

    key: str
    title: str
    net: float | None
    delta: float | None
    share: float | None
    n_stories: int
    n_firing: int
    spark: charts.Spark
    points: tuple[Point, ...] = ()

    @property
    def tone(self) -> str:
        """The CSS class of its net sentiment: bad, ok or none."""
        return "" if self.net is None or abs(self.net) < 0.1 else "ok" if self.net > 0 else "bad"


def tone(net: float | None) -> str:
    """Return the CSS class of a net sentiment, `heat-n3` (bad) over `heat-0` to `heat-p3` (good); empty for None."""
    if net is None:
        return ""
    level = sum(abs(net) >= edge for edge in EDGES)
    return f"heat-{'n' if net < 0 else 'p'}{level}" if level else "heat-0"


def heat_map(rows: Sequence[SubjectRow], *, step_ms: int) -> HeatMap:
    """Return the heat map of the first rows, in their order."""
    stamp = formats.day_hour if step_ms < DAY_MS else formats.day
    lines = tuple(
        Line(
            key=row.key,
            title=row.title,
            n_firing=row.n_firing,
            cells=tuple(_cell(point, stamp) for point in row.points),
        )
        for row in rows[:MOST_ROWS]
        if row.n_stories
    )
    points = rows[0].points if rows else ()
    short = formats.day if step_ms > HOUR_MS else formats.day_hour
    return HeatMap(
        lines=lines,
        marks=charts.x_marks(points, stamp=short),
        starts=tuple(stamp(point.at) for point in points),
    )


def _cell(point: Point, stamp: charts.Stamp) -> Cell:
    net = formats.signed(point.net_sentiment)
    title = _("%(at)s: net %(net)s, %(n)s stories", at=stamp(point.at), net=net, n=point.n_stories)
    # The sign stands in the cell too: colour alone tells nothing to who does not see it.
    strong = point.net_sentiment is not None and abs(point.net_sentiment) >= EDGES[1]
    mark = ("−" if (point.net_sentiment or 0) < 0 else "+") if strong else ""
    return Cell(tone=tone(point.net_sentiment), title=title, mark=mark)


def movers(rows: Sequence[SubjectRow]) -> tuple[list[SubjectRow], list[SubjectRow]]:
    """Return the companies whose net sentiment fell and rose most, with enough stories to say so."""
    known = sorted((row.delta or 0.0, at) for at, row in enumerate(rows) if row.n_stories >= LEAST_STORIES)
    down = [rows[at] for delta, at in known if delta <= -LEAST_CHANGE]
    up = [rows[at] for delta, at in sorted(known, key=lambda one: (-one[0], one[1])) if delta >= LEAST_CHANGE]
    return down[:MOST_MOVERS], up[:MOST_MOVERS]
