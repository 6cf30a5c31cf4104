"""Plots as inline SVG, without a library or a script.

Every plot has a title for screen readers; its figures are also in a table or in metrics.json.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from training.evaluate.figures import CurvePoint, ReliabilityBin

SIDE, MARGIN = 220, 34
LINE = 20


def scatter(
    points: Sequence[tuple[float, float]], *, title: str, x: str, y: str, diagonal: bool = False,
    sizes: Sequence[float] = (), x_range: tuple[float, float] = (0, 1), y_range: tuple[float, float] = (0, 1),
) -> str:  # fmt: skip
    """Return a square plot of points joined by a line; `sizes` (0–1) scale the dots, `diagonal` is the ideal line."""
    inner = SIDE - 2 * MARGIN

    def place(point: tuple[float, float]) -> tuple[float, float]:
        across = (point[0] - x_range[0]) / max(x_range[1] - x_range[0], 1e-9)
        up = (point[1] - y_range[0]) / max(y_range[1] - y_range[0], 1e-9)
        return MARGIN + inner * min(max(across, 0), 1), SIDE - MARGIN - inner * min(max(up, 0), 1)

    placed = [place(point) for point in points]
    parts = [f'<rect x="{MARGIN}" y="{MARGIN}" width="{inner}" height="{inner}" class="frame"/>']
    if diagonal:
        parts.append(_polyline([place((x_range[0], y_range[0])), place((x_range[1], y_range[1]))], css="ideal"))
    parts.append(_polyline(placed, css="line"))
    radii = [2 + 4 * size for size in sizes] or [2.0] * len(placed)
    parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="{r:.1f}" class="dot"/>' for (a, b), r in
              zip(placed, radii, strict=True)]  # fmt: skip
    parts += _axis_labels(x=x, y=y, x_range=x_range, y_range=y_range)
    return _svg(parts, width=SIDE, height=SIDE, title=title)


def _axis_labels(*, x: str, y: str, x_range: tuple[float, float], y_range: tuple[float, float]) -> list[str]:
    low, high = MARGIN, SIDE - MARGIN
    return [
        _text(low, high + 14, f"{x_range[0]:g}"),
        _text(high, high + 14, f"{x_range[1]:g}", anchor="end"),
        _text(SIDE / 2, high + 26, x, anchor="middle"),
        _text(low - 4, high, f"{y_range[0]:g}", anchor="end"),
        _text(low - 4, low + 8, f"{y_range[1]:g}", anchor="end"),
        _text(low, low - 6, y),
    ]


def interval_plot(rows: Sequence[tuple[str, float, float, float]], *, title: str) -> str:
    """Return a plot with a line for each row (name, value, low, high): a dot at the value, a bar from low to high."""
    left, width = 240, 700
    lowest, highest = min(row[2] for row in rows), max(row[3] for row in rows)
    low, high = max(0.0, lowest - 0.02), min(1.0, highest + 0.02)

    def at(value: float) -> float:
        return left + (width - left - 70) * (value - low) / max(high - low, 1e-9)

    parts = []
    for number, (name, value, first, last) in enumerate(rows):
        middle = LINE * number + LINE
        parts.append(_text(left - 8, middle + 4, name, anchor="end"))
        parts.append(f'<line x1="{at(first):.1f}" x2="{at(last):.1f}" y1="{middle}" y2="{middle}" class="span"/>')
        parts.append(f'<circle cx="{at(value):.1f}" cy="{middle}" r="4" class="dot"/>')
        parts.append(_text(width - 60, middle + 4, f"{value:.4f}"))
    return _svg(parts, width=width, height=LINE * (len(rows) + 1), title=title)


def bar_chart(rows: Sequence[tuple[str, float]], *, title: str) -> str:
    """Return horizontal bars of shares between 0 and 1."""
    left, width = 220, 560
    parts = []
    for number, (name, value) in enumerate(rows):
        top, length = LINE * number + 4, (width - left - 60) * value
        parts.append(_text(left - 8, top + 11, name, anchor="end"))
        parts.append(f'<rect x="{left}" y="{top}" width="{max(length, 0.5):.1f}" height="{LINE - 8}" class="bar"/>')
        parts.append(_text(left + length + 6, top + 11, f"{value:.2f}"))
    return _svg(parts, width=width, height=LINE * len(rows) + 8, title=title)


def confusion_heatmap(counts: Sequence[Sequence[int]], *, names: Sequence[str], title: str) -> str:
    """Return a confusion matrix, rows by label and columns by answer; a cell is shaded by its share of the row."""
    cell, left, top = (44 if len(names) <= 7 else 26), 190, 24
    parts = [_text(left, 14, "answers, in the order of the labels")]
    for row, line in enumerate(counts):
        total = max(sum(line), 1)
        parts.append(_text(left - 8, top + cell * row + cell / 2 + 4, names[row], anchor="end"))
        for column, count in enumerate(line):
            place = f'x="{left + cell * column}" y="{top + cell * row}" width="{cell - 1}" height="{cell - 1}"'
            css = "hit" if row == column else "miss"
            parts.append(f'<rect {place} class="{css}" fill-opacity="{count / total:.3f}"/>')
            if count:
                x, y = left + cell * column + cell / 2, top + cell * row + cell / 2 + 4
                parts.append(_text(x, y, str(count), anchor="middle"))
    size = cell * len(names)
    return _svg(parts, width=left + size + 8, height=top + size + 8, title=title)


def html_table(head: Sequence[str], *, rows: Sequence[Sequence[object]], numbers_from: int = 1) -> str:
    """Return an HTML table; columns from index `numbers_from` on are right-aligned."""

    def cell(value: object, *, at: int, tag: str) -> str:
        css = ' class="number"' if at >= numbers_from else ""
        return f"<{tag}{css}>{escape(str(value))}</{tag}>"

    lines = ["".join(cell(value, at=at, tag="th") for at, value in enumerate(head))]
    lines += ["".join(cell(value, at=at, tag="td") for at, value in enumerate(row)) for row in rows]
    body = "".join(f"<tr>{line}</tr>" for line in lines[1:])
    return f"<div class='scroll'><table><thead><tr>{lines[0]}</tr></thead><tbody>{body}</tbody></table></div>"


def reliability_diagram(bins: Sequence[ReliabilityBin], *, title: str) -> str:
    """Return the reliability diagram: share right against confidence, the size of a dot by the rows of its bin."""
    most = max((row["n"] for row in bins), default=1)
    points = [(row["confidence"], row["right"]) for row in bins]
    sizes = [(row["n"] / most) ** 0.5 for row in bins]
    return scatter(points, title=title, x="confidence", y="share right", diagonal=True, sizes=sizes)


def risk_coverage_plot(curve: Sequence[CurvePoint], *, title: str) -> str:
    """Return the risk-coverage plot: share of wrong answers against the share of rows that are answered."""
    points = [(row["coverage"], row["risk"]) for row in curve]
    highest = max((point[1] for point in points), default=0.0)
    ceiling = max(0.05, round(highest + 0.02, 2))
    return scatter(points, title=title, x="share answered", y="wrong among them", y_range=(0, ceiling))


def _polyline(points: Sequence[tuple[float, float]], *, css: str) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" class="{css}"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(parts: Sequence[str], *, width: float, height: float, title: str) -> str:
    size = f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}"'
    return f'<svg {size} role="img"><title>{escape(title)}</title>{"".join(parts)}</svg>'
