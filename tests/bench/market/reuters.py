"""A market-wide alert on two and a half years of headlines that only have a date.

`python -m tests.bench reuters` reads the Reuters headlines (32,770, March 2018 to July 2020) into a new database with
the shipped artifact, then goes through them day by day as the worker would: it learns at night, and asks a rule of
surges of the whole market at the end of each day, once for every budget of false alarms a week. An alert is to tell of
the crash of March 2020: one that begins between 24 February and 10 March is right, from 20 January to 30 June nothing
is false, and what fires at any other time is held against the budget. It writes results/reuters.json.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from app.alerts.domain.alert import Alert, Rule
from app.alerts.flows import learn_baselines, tick_rules
from app.alerts.flows.keep_rules import RULE
from app.alerts.flows.share_budget import ALARM_BUDGET
from app.alerts.store import alerts as alert_rows
from app.alerts.store import baselines
from app.core import changes
from app.core.durations import DAY_MS
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.market.flows import ingest_posts
from app.market.store import feeds
from tests.bench.machine import machine
from tests.bench.market.streams import STREAMS, monitor

RESULT = Path(__file__).parents[1] / "results" / "reuters.json"
BUDGETS = (0.1, 0.25, 0.5, 1.0)
WARM_UP_DAYS = 21
"""Seven days make a baseline, and fourteen days of its scores a threshold."""

LAST_MINUTE_MS = 60_000
WEEK_DAYS = 7
MOST_ALERTS = 100_000
RIGHT = (date(2020, 2, 24), date(2020, 3, 10))
CRISIS = (date(2020, 1, 20), date(2020, 6, 30))


def _day_of(at: int) -> date:
    return datetime.fromtimestamp(at / 1000, tz=UTC).date()


def _at(day: date) -> int:
    return round(datetime.combine(day, time(), tzinfo=UTC).timestamp() * 1000)


def filled(services: Services, *, n_rows: int | None = None) -> int:
    """Read the headlines; how many posts they are."""
    (stream,) = (one for one in STREAMS if one.slug == "reuters")
    feed = feeds.find_by_slug(services.db, stream.slug)
    assert feed is not None
    rows = stream.rows(n_rows=n_rows)
    return sum(one.state == "created" for one in ingest_posts.receive_each(services, feed.id, rows, viewer=SYSTEM))


def lived(services: Services, *, first: date, last: date) -> int:
    """Every night's learning and every day's evaluation from `first` to `last`; how many days there were."""
    days = range(_at(first) // DAY_MS, _at(last) // DAY_MS + 1)
    for day in days:
        learn_baselines.refresh(services, now=day * DAY_MS)
        tick_rules.tick(services, now=(day + 1) * DAY_MS - LAST_MINUTE_MS)
    return len(days)


def judged(found: Sequence[Alert], *, budget: float, first: date, last: date) -> dict[str, Any]:
    """The days on which a rule's alerts fired, and what the other days allow."""
    fired = sorted(_day_of(alert.firing_at) for alert in found if alert.firing_at is not None)
    outside = [day for day in fired if not CRISIS[0] <= day <= CRISIS[1]]
    n_days = (last - first).days + 1 - WARM_UP_DAYS - ((CRISIS[1] - CRISIS[0]).days + 1)
    right = [day for day in fired if RIGHT[0] <= day <= RIGHT[1]]
    return {
        "budget_a_week": budget,
        "begins_in_time": [str(day) for day in right],
        "in_the_crisis": [str(day) for day in fired if CRISIS[0] <= day <= CRISIS[1]],
        "outside": [str(day) for day in outside],
        "weeks_outside": round(n_days / WEEK_DAYS, 1),
        "outside_a_week": round(len(outside) * WEEK_DAYS / n_days, 3),
        "is_met": bool(right) and len(outside) * WEEK_DAYS / n_days <= budget,
    }


def measure() -> dict[str, Any]:
    """The figures."""
    first, last = date(2018, 3, 20), date(2020, 7, 18)
    with tempfile.TemporaryDirectory() as folder:
        services = monitor(Path(folder), kinds=())
        n_posts = filled(services)
        rules: list[Rule] = [
            changes.add(
                services.db,
                RULE,
                {"name": f"{budget} a week", "kind": "surge", "subject_kind": "market", "budget": budget},
                viewer=SYSTEM,
            ).row
            for budget in BUDGETS
        ]
        changes.change(services.db, ALARM_BUDGET, 1, {"a_week": sum(BUDGETS)}, viewer=SYSTEM)
        n_days = lived(services, first=first, last=last)
        learnt = baselines.of_kind(services.db, subject_kind="market", measure="surge")
        ever = alert_rows.page(services.db, limit=MOST_ALERTS).items
        found = [
            judged([one for one in ever if one.rule_id == rule.id], budget=rule.budget, first=first, last=last)
            for rule in rules
        ]
        services.db.close()
    return {
        "machine": machine(),
        "posts": n_posts,
        "days": n_days,
        "windows_ms": sorted({one.width_ms for one in learnt}),
        "is_daily": all(one.is_daily for one in learnt),
        "budgets": found,
    }


def main() -> None:
    """Measure and write the result."""
    told = measure()
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(told["budgets"]))
