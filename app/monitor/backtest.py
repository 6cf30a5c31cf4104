"""What a rule would have done over stored history: the same evaluation and state machine, replayed."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.alert import Alert, Rule, Transition
from app.domain.series import HOUR_MS, Bucket
from app.monitor.alerts import next_state
from app.monitor.rules import evaluate, windows
from app.monitor.series import Timeline


def backtest(
    rule: Rule, *, buckets: Sequence[Bucket], since: int, until: int, step_ms: int = HOUR_MS
) -> tuple[Transition, ...]:
    """The transitions of one subject's alert if the rule had been evaluated every `step_ms` from `since` to `until`.

    `buckets` are one subject's, from `since` less window and baseline on; earlier ones make the baseline, so too
    short a history shows as unknown baselines.
    """
    if not buckets:
        return ()
    timeline = Timeline(buckets)
    alert: Alert | None = None
    transitions: list[Transition] = []
    for now in range(since, until, step_ms):
        window, baseline = windows(rule, timeline=timeline, now=now)
        alert, transition = next_state(
            alert,
            rule=rule,
            verdict=evaluate(rule, window=window, baseline=baseline),
            now=now,
            subject_kind=buckets[0].subject_kind,
            subject_id=buckets[0].subject_id,
            model="",
        )
        if transition is not None:
            transitions.append(transition)
    return tuple(transitions)
