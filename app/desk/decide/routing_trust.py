"""How far the model may route by itself: its answers beside what people said, per intent and confidence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import sqrt

from app.core.prediction import OUT_OF_SCOPE
from app.desk.domain.routing_rule import IntentTrust, Judged, Step, TrustReport

STEPS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
Z = 1.6449
"""One-sided 95 %: a precision is believed when its lower bound reaches the one that is wanted."""

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
    """Whether so many judgements show the precision: at least ten, and a lower bound (Wilson, 95 %) that reaches it."""
    return step.n_judged >= LEAST_JUDGED and lower_bound(step.n_right, n=step.n_judged) >= precision


def lower_bound(n_right: int, *, n: int) -> float:
    """Wilson's one-sided 95 % lower bound of a share (Wilson 1927, JASA 22)."""
    if not n:
        return 0.0
    share = n_right / n
    centre = share + Z * Z / (2 * n)
    spread = Z * sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    return (centre - spread) / (1 + Z * Z / n)
