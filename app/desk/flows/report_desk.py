"""Reports of the desk: days in a named zone, added up from hours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from app.core.durations import DAY_MS, HOUR_MS
from app.core.errors import FieldError, InputError
from app.core.permissions import Viewer
from app.core.services import Services
from app.desk.domain.report import Figures, Report, Step
from app.desk.store import report_counts, tickets

MOST_DAYS = 1100
DAYS_AS_DAYS = 92
"""A longer report is told in weeks."""


def report(
    services: Services, *, viewer: Viewer, first: date, last: date, zone: str, queue_id: int | None = None
) -> Report:
    """The days from `first` to `last` in a zone, both included; raises InputError `bad_period` or `too_long`.

    Days begin at the full hour: in zones that lie half an hour off, half an hour belongs to the day before.
    """
    _check(first, last)
    marks = list(_marks(first, last, zone=ZoneInfo(zone)))
    sums = [
        report_counts.between(
            services.db, since=since // HOUR_MS, until=until // HOUR_MS, viewer=viewer, queue_id=queue_id
        )
        for since, until in pairwise(marks)
    ]
    n_open = sum(n for queue, n in tickets.counts(services.db, viewer=viewer).items() if queue_id in (None, queue))
    later = report_counts.growth_after(services.db, marks[-1] // HOUR_MS, viewer=viewer, queue_id=queue_id)
    days = {"since": marks[0] // DAY_MS, "until": -(-marks[-1] // DAY_MS)}
    user_id = None if viewer.may("*:*") else viewer.user_id
    return Report(
        steps=tuple(_steps(marks, sums, n_open=n_open - later)),
        total=_added(sums),
        n_open=n_open,
        intents=report_counts.by_intent(services.db, viewer=viewer, queue_id=queue_id, **days),
        # Who does how much is for administrators; everybody sees their own line.
        agents=report_counts.by_agent(services.db, viewer=viewer, queue_id=queue_id, user_id=user_id, **days),
    )


def _check(first: date, last: date) -> None:
    if first > last:
        raise InputError("bad_period", fields=[FieldError(pointer="/since", code="bad_period")])
    if (last - first).days >= MOST_DAYS:
        fault = FieldError(pointer="/since", code="too_long", params=(("limit", str(MOST_DAYS)),))
        raise InputError("too_long", fields=[fault], limit=MOST_DAYS)


def _marks(first: date, last: date, *, zone: ZoneInfo) -> Iterator[int]:
    """The beginnings of days, or of weeks counted from the last day, and the end, in milliseconds UTC."""
    n_days = (last - first).days + 1
    step = 1 if n_days <= DAYS_AS_DAYS else 7
    for back in sorted({n_days, *range(step, n_days, step)}, reverse=True):
        yield _midnight(last - timedelta(days=back - 1), zone=zone)
    yield _midnight(last + timedelta(days=1), zone=zone)


def _midnight(day: date, *, zone: ZoneInfo) -> int:
    return round(datetime.combine(day, time(), tzinfo=zone).timestamp() * 1000)


def _added(parts: Sequence[Figures]) -> Figures:
    return Figures(**{entry.name: sum(getattr(part, entry.name) for part in parts) for entry in fields(Figures)})


def _steps(marks: Sequence[int], sums: Sequence[Figures], *, n_open: int) -> list[Step]:
    """Steps with their backlog, reckoned back from what is open at their end."""
    found: list[Step] = []
    backlog = n_open
    for since, until, figures_of in zip(reversed(marks[:-1]), reversed(marks[1:]), reversed(sums), strict=True):
        found.append(Step(since=since, until=until, figures=figures_of, backlog=max(backlog, 0)))
        backlog -= figures_of.growth
    return found[::-1]
