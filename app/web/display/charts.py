"""The geometry of charts: pure functions from points to coordinates, which `parts/charts.html` draws as SVG.

The server draws the charts, so they need no script, follow the theme, and obey a policy without inline styles. Plots
are stretched to their place, so a coordinate is a share of `width` or `height` and texts stand outside.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

from app.core.interval import Range

WIDTH, HEIGHT = 1000.0, 100.0
MAX_X_MARKS = 6

Stamp = Callable[[int], str]


class Step(Protocol):
    """A step of time, by its start in ms UTC."""

    @property
    def at(self) -> int: ...


class Point(Step, Protocol):
    """The figures of one step: counts of stories, net sentiment from −1 to 1, share of negative stories."""

    @property
    def n_stories(self) -> int: ...

    @property
    def n_negative(self) -> int: ...

    @property
    def net_sentiment(self) -> float | None: ...

    @property
    def negative_share(self) -> float | None: ...


class Usual(Protocol):
    """The usual ranges of a step's figures, None where unknown; `share_seen` is the interval of the measured share."""

    @property
    def stories(self) -> Range | None: ...

    @property
    def net(self) -> Range | None: ...

    @property
    def share(self) -> Range | None: ...

    @property
    def share_seen(self) -> Range | None: ...


@dataclass(frozen=True, kw_only=True)
class Spark:
    """A small line: `runs` are polylines with gaps for missing values; `zero` is the height of the zero line."""

    runs: tuple[str, ...]
    zero: float
    width: float = 100.0
    height: float = 28.0


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A rectangle of a chart; `kind` is its CSS class."""

    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A column with a tooltip."""

    x: float
    width: float
    title: str


@dataclass(frozen=True, kw_only=True)
class Whisker:
    """An error bar: the interval of a point as an upright line from `top` to `bottom`."""

    x: float
    top: float
    bottom: float


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A chart's geometry; marks are texts from top to bottom (y) and left to right (x).

    `bands` are polygons of the usual range, with gaps where it is unknown.
    """

    runs: tuple[str, ...] = ()
    bands: tuple[str, ...] = ()
    whiskers: tuple[Whisker, ...] = ()
    bars: tuple[Bar, ...] = ()
    hits: tuple[Hit, ...] = ()
    alerted: tuple[Hit, ...] = ()
    y_marks: tuple[str, ...] = ()
    x_marks: tuple[str, ...] = ()
    zero: float | None = None
    line_kind: str = "line"
    width: float = WIDTH
    height: float = HEIGHT


@dataclass(frozen=True, kw_only=True)
class Frame:
    """The surroundings of a subject's points: `spans` are (since, until) in ms of alerts, `usual` has one per point."""

    stamp: Stamp
    titles: Sequence[str] = ()
    spans: Sequence[tuple[int, int]] = ()
    usual: Sequence[Usual] = ()


def _runs(values: Sequence[float | None], *, width: float, place: Callable[[float], float]) -> tuple[str, ...]:
    """Return polylines through the known values; a single value becomes a short dash."""
    step = width / max(len(values), 1)
    runs: list[list[str]] = [[]]
    for index, value in enumerate(values):
        if value is None:
            runs.append([])
            continue
        y = round(place(value), 2)
        if not runs[-1]:
            runs[-1].append(f"{round(step * (index + 0.3), 2)},{y}")
        runs[-1].append(f"{round(step * (index + 0.5), 2)},{y}")
    for run in runs:
        if len(run) == 2:
            x, y_text = run[-1].split(",")
            run.append(f"{round(float(x) + 0.2 * step, 2)},{y_text}")
    return tuple(" ".join(run) for run in runs if run)


def _bands(ranges: Sequence[Range | None], *, width: float, place: Callable[[float], float]) -> tuple[str, ...]:
    """Return polygons of the known ranges, from the left edge of the first step to the right edge of the last."""
    step = width / max(len(ranges), 1)
    groups: list[list[tuple[float, Range]]] = [[]]
    for index, one in enumerate(ranges):
        if one is None:
            groups.append([])
            continue
        if not groups[-1]:
            groups[-1].append((step * index, one))
        groups[-1].append((step * (index + 0.5), one))
        if index + 1 == len(ranges) or ranges[index + 1] is None:
            groups[-1].append((step * (index + 1), one))
    found = []
    for group in groups:
        upper = [f"{round(x, 2)},{round(place(one.high), 2)}" for x, one in group]
        lower = [f"{round(x, 2)},{round(place(one.low), 2)}" for x, one in reversed(group)]
        found.append(" ".join([*upper, *lower]))
    return tuple(one for one in found if one)


def bridged(values: Sequence[float | None]) -> list[float | None]:
    """Return the values with gaps between known ones filled by straight lines, for a small line that shows a trend."""
    known = [index for index, value in enumerate(values) if value is not None]
    filled = list(values)
    for left, right in pairwise(known):
        low, high = values[left], values[right]
        for index in range(left + 1, right):
            if low is not None and high is not None:
                filled[index] = low + (high - low) * (index - left) / (right - left)
    return filled


def sparkline(values: Sequence[float | None]) -> Spark:
    """Return a small line of net sentiment (−1 to 1) with its zero line; the scale is symmetric around zero."""
    known = [abs(value) for value in values if value is not None]
    reach = max([0.25, *known])
    empty = Spark(runs=(), zero=14.0)
    middle = empty.height / 2

    def place(value: float) -> float:
        return middle - value / reach * (middle - 2)

    return Spark(runs=_runs(bridged(values), width=empty.width, place=place), zero=middle)


def scaled(plot: Plot, *, width: float, height: float) -> Plot:
    """Return a plot in another size, for drawings whose lines must not be stretched."""
    across, down = width / plot.width, height / plot.height

    def path(text: str) -> str:
        pairs = (pair.split(",") for pair in text.split())
        return " ".join(f"{round(float(x) * across, 2)},{round(float(y) * down, 2)}" for x, y in pairs)

    return replace(
        plot,
        runs=tuple(map(path, plot.runs)),
        bands=tuple(map(path, plot.bands)),
        whiskers=tuple(
            Whisker(x=one.x * across, top=one.top * down, bottom=one.bottom * down) for one in plot.whiskers
        ),
        bars=tuple(
            replace(one, x=one.x * across, y=one.y * down, width=one.width * across, height=one.height * down)
            for one in plot.bars
        ),
        alerted=tuple(replace(one, x=one.x * across, width=one.width * across) for one in plot.alerted),
        zero=None if plot.zero is None else plot.zero * down,
        width=width,
        height=height,
    )


def x_marks(points: Sequence[Step], *, stamp: Stamp) -> tuple[str, ...]:
    """Return at most six times, evenly spread from the first point to the last."""
    return spread([stamp(point.at) for point in points])


def alerted(points: Sequence[Step], *, spans: Sequence[tuple[int, int]]) -> tuple[Hit, ...]:
    """Return the stretches of firing alerts: `spans` are (since, until) in ms, cut to the time of the points."""
    if len(points) < 2:
        return ()
    first, step_ms = points[0].at, points[1].at - points[0].at
    whole = step_ms * len(points)
    marks = []
    for since, until in spans:
        left, right = max(0, since - first), min(whole, until - first)
        if right > left:
            width = max(WIDTH * (right - left) / whole, 3.0)
            marks.append(Hit(x=round(WIDTH * left / whole, 2), width=round(width, 2), title=""))
    return tuple(marks)


def sentiment_plot(points: Sequence[Point], *, frame: Frame) -> Plot:
    """Plot net sentiment as a line around zero (top +1, bottom −1), with bars from zero and the usual band."""
    step, middle = WIDTH / max(len(points), 1), HEIGHT / 2
    bars = []
    for index, point in enumerate(points):
        if point.net_sentiment is None:
            continue
        reach = abs(point.net_sentiment) * middle
        kind, top = ("over", middle - reach) if point.net_sentiment >= 0 else ("under", middle)
        x, width = round(step * (index + 0.1), 2), round(step * 0.8, 2)
        bars.append(Bar(kind=kind, x=x, y=round(top, 2), width=width, height=round(reach, 2)))

    def place(value: float) -> float:
        return middle - value * middle

    return Plot(
        runs=_runs([point.net_sentiment for point in points], width=WIDTH, place=place),
        bands=_bands([one.net for one in frame.usual], width=WIDTH, place=place),
        bars=tuple(bars),
        hits=_hits(len(points), titles=frame.titles),
        alerted=alerted(points, spans=frame.spans),
        y_marks=("+1", "0", "−1"),
        x_marks=x_marks(points, stamp=frame.stamp),
        zero=middle,
    )


def share_plot(points: Sequence[Point], *, frame: Frame) -> Plot:
    """Plot the share of negative stories, 0–100 %, as a line with error bars and the usual band."""
    step = WIDTH / max(len(points), 1)

    def place(value: float) -> float:
        return HEIGHT * (1 - value)

    whiskers = [
        Whisker(x=round(step * (index + 0.5), 2), top=round(place(sure.high), 2), bottom=round(place(sure.low), 2))
        for index, one in enumerate(frame.usual)
        if (sure := one.share_seen) is not None
    ]
    return Plot(
        runs=_runs([p.negative_share for p in points], width=WIDTH, place=place),
        bands=_bands([one.share for one in frame.usual], width=WIDTH, place=place),
        whiskers=tuple(whiskers),
        hits=_hits(len(points), titles=frame.titles),
        alerted=alerted(points, spans=frame.spans),
        y_marks=("100 %", "50 %", "0 %"),
        x_marks=x_marks(points, stamp=frame.stamp),
        zero=HEIGHT / 2,
        line_kind="share",
    )


def _ceiling(count: int) -> int:
    """Return a round, even number at or above `count` for the top of a scale: 2, 4, 6, 8, 10, 12, 16, 20, 40, …"""
    power = 1
    while power * 20 < count:
        power *= 10
    return next(power * step for step in (2, 4, 6, 8, 10, 12, 16, 20) if power * step >= count)


def volume_plot(points: Sequence[Point], *, frame: Frame) -> Plot:
    """Plot unique stories per step as bars, the negative ones in front, and the usual number behind."""
    ranges = [one.stories for one in frame.usual]
    highest = max([0, *(p.n_stories for p in points), *(math.ceil(one.high) for one in ranges if one)])
    step, top = WIDTH / max(len(points), 1), _ceiling(highest)
    bars = []
    for index, point in enumerate(points):
        for kind, count in (("bar-all", point.n_stories), ("bar-bad", point.n_negative)):
            height = round(HEIGHT * count / top, 2)
            x, width = round(step * (index + 0.1), 2), round(step * 0.8, 2)
            bars.append(Bar(kind=kind, x=x, y=round(HEIGHT - height, 2), width=width, height=height))
    return Plot(
        bars=tuple(bar for bar in bars if bar.height),
        bands=_bands(ranges, width=WIDTH, place=lambda value: HEIGHT * (1 - value / top)),
        hits=_hits(len(points), titles=frame.titles),
        alerted=alerted(points, spans=frame.spans),
        y_marks=(str(top), str(top // 2), "0"),
        x_marks=x_marks(points, stamp=frame.stamp),
    )


def spread(texts: Sequence[str]) -> tuple[str, ...]:
    """Return at most six of the texts, evenly spread from the first to the last."""
    if len(texts) <= MAX_X_MARKS:
        return tuple(texts)
    return tuple(texts[round((len(texts) - 1) * mark / (MAX_X_MARKS - 1))] for mark in range(MAX_X_MARKS))


def side_by_side(
    values: Sequence[Sequence[int]], *, kinds: Sequence[str], marks: Sequence[str], titles: Sequence[str]
) -> Plot:
    """Plot counts per step as bars next to each other, one for each kind."""
    step, top = WIDTH / max(len(values), 1), _ceiling(max((max(row) for row in values), default=0))
    width = 0.84 * step / max(len(kinds), 1)
    bars = []
    for index, row in enumerate(values):
        for place, (kind, count) in enumerate(zip(kinds, row, strict=True)):
            height = round(HEIGHT * max(count, 0) / top, 2)
            x = round(step * (index + 0.08) + place * width, 2)
            bars.append(Bar(kind=kind, x=x, y=round(HEIGHT - height, 2), width=round(width * 0.92, 2), height=height))
    return Plot(
        bars=tuple(bar for bar in bars if bar.height),
        hits=_hits(len(values), titles=titles),
        y_marks=(str(top), str(top // 2), "0"),
        x_marks=tuple(marks),
    )


def line(
    values: Sequence[float | None], *, marks: Sequence[str], titles: Sequence[str], shown: Callable[[float], str]
) -> Plot:
    """Plot a line on a scale from zero to a round number above the largest value; `shown` formats its marks."""
    most = max((value for value in values if value is not None), default=0.0)
    top = 1.0 if most <= 1 else float(_ceiling(math.ceil(most)))
    return Plot(
        runs=_runs(values, width=WIDTH, place=lambda value: HEIGHT * (1 - value / top)),
        hits=_hits(len(values), titles=titles),
        y_marks=(shown(top), shown(top / 2), shown(0)),
        x_marks=tuple(marks),
    )


def _hits(n: int, *, titles: Sequence[str]) -> tuple[Hit, ...]:
    step = WIDTH / max(n, 1)
    return tuple(Hit(x=round(step * index, 2), width=round(step, 2), title=title) for index, title in enumerate(titles))
