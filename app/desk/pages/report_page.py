"""Reports as charts and CSV: volume, backlog, response times, SLA, and the accuracy of the model."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from io import StringIO

from flask import Blueprint, Response, render_template, request, url_for

from app.core import clock
from app.core.durations import HOUR_MS
from app.core.errors import InputError, NotFound
from app.desk.domain.report import Report, Step
from app.desk.flows import find_agents, report_desk, show_queues
from app.web import query_string
from app.web.access import requires, services, viewer
from app.web.display import charts, formats
from app.web.display.label_titles import label_title
from app.web.display.spreadsheet import cell
from app.web.display.translation import gettext as _
from app.web.template_context import tell

blueprint = Blueprint("pages_reports", __name__)

USUAL_DAYS = 30
Cell = str | int | float | None


@dataclass(frozen=True, kw_only=True)
class Period:
    """The first and last day of a report, and its queue; all queues for None."""

    first: date
    last: date
    queue_id: int | None


def _today() -> date:
    return formats.moment(clock.now_ms()).date()


def _period() -> Period:
    """The days and the queue in the address; the last 30 days where it names none."""
    usual = _usual_period(_day(request.args.get("until")) or _today())
    return replace(usual, first=_day(request.args.get("since")) or usual.first)


def _usual_period(last: date) -> Period:
    first = last - timedelta(days=USUAL_DAYS - 1)
    return Period(first=first, last=last, queue_id=query_string.whole(request.args.get("queue")))


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None


def _report(asked: Period) -> Report:
    return report_desk.report(
        services(),
        viewer=viewer(),
        first=asked.first,
        last=asked.last,
        zone=str(formats.reader_zone()),
        queue_id=asked.queue_id,
    )


@blueprint.get("/reports")
@requires("reports:read")
def index() -> str | tuple[str, int]:
    """Show every report of a period as a chart with its table."""
    asked, status = _period(), 200
    try:
        found = _report(asked)
    except InputError as error:
        status, asked = tell(error), _usual_period(_today())
        found = _report(asked)
    page = render_template(
        "reports/index.html",
        report=found,
        asked=asked,
        queues=show_queues.every(services(), viewer=viewer()),
        plots=_plots(found.steps),
        names=find_agents.names(services(), [agent.user_id for agent in found.agents]),
        csv_url=lambda name: url_for("pages_reports.table", name=name, **query_string.kept(request.args)),
        hours=_hours,
    )
    return page if status == 200 else (page, status)


def _hours(ms: int | None) -> str:
    """A mean time in a suitable unit."""
    return "—" if ms is None else formats.span(ms)


def _plots(steps: Sequence[Step]) -> dict[str, charts.Plot]:
    """The charts of a report by name."""
    marks = charts.spread([formats.day(step.since) for step in steps])

    def bars(kinds: dict[str, str]) -> charts.Plot:
        values = [[getattr(step.figures, name) for name in kinds.values()] for step in steps]
        titles = [_title(step, [str(value) for value in row]) for step, row in zip(steps, values, strict=True)]
        return charts.side_by_side(values, kinds=tuple(kinds), marks=marks, titles=titles)

    def line(value: Callable[[Step], float | None], shown: Callable[[float], str]) -> charts.Plot:
        values = [value(step) for step in steps]
        texts = ["—" if one is None else shown(one) for one in values]
        titles = [_title(step, [text]) for step, text in zip(steps, texts, strict=True)]
        return charts.line(values, marks=marks, titles=titles, shown=shown)

    def share(value: float) -> str:
        return formats.percent(value)

    def hours(value: float) -> str:
        return _("%(n)s h", n=formats.number(round(value, 1)))

    return {
        "flow": bars({"bar-all": "n_arrived", "bar-good": "n_solved"}),
        "reopened": bars({"bar-bad": "n_reopened"}),
        "backlog": line(lambda step: step.backlog, lambda value: formats.number(round(value))),
        "first": line(lambda step: _in_hours(step.figures.mean_first_ms), hours),
        "solved": line(lambda step: _in_hours(step.figures.mean_solved_ms), hours),
        "sla": line(lambda step: step.figures.first_met_rate, share),
        "automation": line(lambda step: step.figures.automation_rate, share),
    }


def _title(step: Step, values: Iterable[str]) -> str:
    return f"{formats.day(step.since)}: {' · '.join(values)}"


def _in_hours(ms: int | None) -> float | None:
    return None if ms is None else ms / HOUR_MS


@blueprint.get("/reports/<name>.csv")
@requires("reports:read")
def table(name: str) -> Response:
    """Download a table of the report as CSV: `days`, `intents` or `agents`."""
    makers: dict[str, Callable[[Report], list[dict[str, Cell]]]] = {
        "days": _days,
        "intents": _intents,
        "agents": _agents,
    }
    if name not in makers:
        raise NotFound(noun="report", id=name)
    asked = _period()
    answer = Response(_written(makers[name](_report(asked))), mimetype="text/csv")
    answer.headers.set("Content-Disposition", "attachment", filename=f"{name}-{asked.first}-{asked.last}.csv")
    return answer


def _written(rows: list[dict[str, Cell]]) -> str:
    out = StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]) if rows else [])
    writer.writeheader()
    writer.writerows({key: cell(value) for key, value in row.items()} for row in rows)
    return out.getvalue()


def _days(found: Report) -> list[dict[str, Cell]]:
    return [
        {
            "from": formats.moment(step.since).date().isoformat(),
            "arrived": step.figures.n_arrived,
            "solved": step.figures.n_solved,
            "reopened": step.figures.n_reopened,
            "open_at_end": step.backlog,
            "first_responses": step.figures.n_first,
            "mean_first_response_s": _seconds(step.figures.mean_first_ms),
            "first_response_in_time": _share(step.figures.first_met_rate),
            "mean_resolution_s": _seconds(step.figures.mean_solved_ms),
            "resolution_in_time": _share(step.figures.solved_met_rate),
            "routed_by_model": step.figures.n_routed,
            "moved_again_by_a_person": step.figures.n_rerouted,
            "automation_rate": _share(step.figures.automation_rate),
        }
        for step in found.steps
    ]


def _seconds(ms: int | None) -> Cell:
    return None if ms is None else ms // 1000


def _share(value: float | None) -> Cell:
    return None if value is None else round(value, 4)


def _intents(found: Report) -> list[dict[str, Cell]]:
    return [
        {
            "intent": one.intent,
            "title": label_title(one.intent),
            "read": one.n_read,
            "corrected": one.n_corrected,
            "correction_rate": _share(one.correction_rate),
        }
        for one in found.intents
    ]


def _agents(found: Report) -> list[dict[str, Cell]]:
    names = find_agents.names(services(), [agent.user_id for agent in found.agents])
    return [
        {
            "agent": f"usr_{one.user_id}",
            "name": names.get(one.user_id, ""),
            "replies": one.n_replies,
            "solved": one.n_solved,
        }
        for one in found.agents
    ]
