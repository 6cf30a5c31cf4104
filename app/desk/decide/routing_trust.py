"""Trust in the model's routing: its intents compared with people's, by intent and confidence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.core.interval import Z95_ONE_SIDED, interval
from app.core.prediction import OUT_OF_SCOPE
from app.desk.domain.routing_rule import IntentTrust, Judged, Step, TrustReport

STEPS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
LEAST_JUDGED = 10


def report(rows: Iterable[Judged], *, precision: float) -> TrustReport:
    """Per intent: what was right at each confidence, and from which one the wanted precision (0–1) is kept."""
    every = list(rows)
    by_intent: dict[tuple[str, str], list[Judged]] = {}
    for row in every:
        if not row.abstained and row.intent != OUT_OF_SCOPE:
            by_intent.setdefault((row.task, row.intent), []).append(row)
    found = [_intent(several, precision=precision) for several in by_intent.values()]
    found.sort(key=lambda one: (-one.steps[0].n, one.intent))
    return TrustReport(
        precision=precision,
        n=len(every),
        n_judged=sum(row.is_right is not None for row in every),
        intents=tuple(found),
        n_automated=sum(one.suggested.n for one in found if one.suggested is not None),
    )


def _intent(rows: Sequence[Judged], *, precision: float) -> IntentTrust:
    steps = tuple(_step(rows, least=least) for least in STEPS)
    kept = next((step for step in steps if is_kept(step, precision=precision)), None)
    return IntentTrust(task=rows[0].task, intent=rows[0].intent, steps=steps, suggested=kept)


def _step(rows: Sequence[Judged], *, least: float) -> Step:
    sure = [row for row in rows if row.probability >= least]
    judged = [row for row in sure if row.is_right is not None]
    return Step(least=least, n=len(sure), n_judged=len(judged), n_right=sum(row.is_right is True for row in judged))


def is_kept(step: Step, *, precision: float) -> bool:
    """Return whether at least ten judgements, and their one-sided 95 % lower bound (Wilson), show the precision."""
    low, _ = interval(step.n_right, step.n_judged, z=Z95_ONE_SIDED)
    return step.n_judged >= LEAST_JUDGED and low >= precision
