"""Baselines are learnt every night, by one process, for each kind of subjects that a rule of surges watches."""

from __future__ import annotations

import numpy as np

from app.alerts.decide.baseline_learning import HISTORY_DAYS, learn
from app.alerts.decide.count_grid import Grid, hours_of_week
from app.alerts.domain.baseline import Measure, Usual
from app.alerts.store import alert_rules, baselines
from app.core import clock
from app.core.durations import DAY_MS, HOUR_MS
from app.core.services import Services
from app.market.domain.market import SubjectKind
from app.market.store import buckets, posts
from app.model.flows import deploy_model

LEASE_MS = HOUR_MS
RESCORED_MS = 28 * DAY_MS
READ_DAYS = 2
MEASURES: tuple[Measure, ...] = ("surge", "volume")


def refresh(services: Services, *, now: int | None = None) -> int:
    """Learn the baselines that are due; return how many were made.

    After a change of the model the posts of the last 28 days are read again first. Until that is done the rules of
    surges hold every state, because shares of two models cannot be compared.
    """
    moment = clock.now_ms() if now is None else now
    model = deploy_model.answering(services)
    kinds = sorted(
        {rule.subject_kind for rule in alert_rules.every(services.db) if rule.is_active and rule.kind in MEASURES}
    )
    known = {kind: baselines.learning(services.db, kind) for kind in kinds}
    old = [kind for kind, one in known.items() if one is not None and one.model != model]
    if old:
        with services.db.transaction() as tx:
            for kind in old:
                baselines.start_over(tx, kind, model=model, at=moment)
            posts.read_again(tx, since=moment - RESCORED_MS, at=moment)
        return 0
    ready = [kind for kind in kinds if not _is_waiting(services, known[kind])]
    return sum(_learn_kind(services, kind, model=model, now=moment) for kind in ready)


def is_open(services: Services, subject_kind: SubjectKind) -> bool:
    """Return True while a kind of subjects is still to be learnt anew for the model that answers now."""
    known = baselines.learning(services.db, subject_kind)
    return known is not None and (known.is_starting_over or known.model != deploy_model.answering(services))


def _is_waiting(services: Services, known: baselines.Learning | None) -> bool:
    return known is not None and known.is_starting_over and posts.n_pending(services.db) > 0


def _learn_kind(services: Services, kind: SubjectKind, *, model: str, now: int) -> int:
    with services.db.transaction() as tx:
        if not baselines.claim(tx, kind, day=now // DAY_MS, model=model, now=now, lease_ms=LEASE_MS):
            return 0
    found = baselines_of(services, kind, now=now)
    with services.db.transaction() as tx:
        baselines.replace(tx, kind, found)
        baselines.done(tx, kind, at=now)
    return len(found)


def baselines_of(services: Services, kind: SubjectKind, *, now: int) -> list[Usual]:
    """Return the baselines of a kind of subjects from the whole days before `now`; equal hours give equal ones."""
    grid, subject_ids = grid_of(services, kind, until=now - now % DAY_MS, n_days=HISTORY_DAYS)
    return [
        one
        for measure in MEASURES
        for one in learn(grid, subject_kind=kind, subject_ids=subject_ids, measure=measure, now=now)
    ]


def grid_of(services: Services, kind: SubjectKind, *, until: int, n_days: int) -> tuple[Grid, list[str]]:
    """Return the hourly counts of every subject of a kind and the ids, from the first of `n_days` days with any."""
    since = until - n_days * DAY_MS
    rows: dict[str, int] = {}
    cells: list[tuple[int, int, int, int]] = []
    for begin in range(since, until, READ_DAYS * DAY_MS):
        end = min(until, begin + READ_DAYS * DAY_MS)
        for subject_id, at, n, k in buckets.hours(services.db, subject_kind=kind, since=begin, until=end):
            cells.append((rows.setdefault(subject_id, len(rows)), (at - since) // HOUR_MS, n, k))
    counts = np.zeros((2, len(rows), n_days * 24))
    if cells:
        row, hour, n, k = np.array(cells).T
        np.add.at(counts[0], (row, hour), n)
        np.add.at(counts[1], (row, hour), k)
    first = min((cell[1] for cell in cells), default=0) // 24 * 24
    start = since + first * HOUR_MS
    slots = hours_of_week(start, bin_ms=HOUR_MS, n_bins=n_days * 24 - first, zone=services.policy.zone)
    grid = Grid(
        first_at=start, bin_ms=HOUR_MS, stories=counts[0, :, first:], negative=counts[1, :, first:], slots=slots
    )
    return grid, list(rows)
