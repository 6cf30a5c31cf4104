from __future__ import annotations

from app.alerts.decide.replay import backtest
from app.alerts.domain.alert import Rule
from app.core.durations import DAY_MS, HOUR_MS
from app.market.domain.series import Bucket

START = 1_767_225_600_000
RULE = Rule(
    id=1, name="r", window_ms=DAY_MS, baseline_ms=14 * DAY_MS, pending_ms=2 * HOUR_MS, recovering_ms=6 * HOUR_MS
)


def history(*, surge_day: int | None, days: int = 40) -> list[Bucket]:
    """One story an hour, every fourth of them negative; on the day of the surge three an hour, all negative."""
    found = []
    for hour in range(days * 24):
        is_surge = surge_day is not None and hour // 24 == surge_day
        n_negative = 3 if is_surge else int(hour % 4 == 0)
        n_stories = 3 if is_surge else 1
        found.append(
            Bucket(
                subject_kind="entity",
                subject_id="3",
                at=START + hour * HOUR_MS,
                n_posts=n_stories,
                n_stories=n_stories,
                n_negative=n_negative,
                n_neutral=n_stories - n_negative,
            )
        )
    return found


def test_one_surge_is_one_episode() -> None:
    transitions = backtest(RULE, buckets=history(surge_day=30), since=START + 15 * DAY_MS, until=START + 40 * DAY_MS)
    assert [step.after for step in transitions] == ["pending", "firing", "recovering", "resolved"]
    surge = START + 30 * DAY_MS
    assert surge < transitions[1].at < surge + 12 * HOUR_MS
    assert transitions[1].at - transitions[0].at == RULE.pending_ms


def test_quiet_times_stay_quiet() -> None:
    assert backtest(RULE, buckets=history(surge_day=None), since=START + 15 * DAY_MS, until=START + 40 * DAY_MS) == ()
    assert backtest(RULE, buckets=[], since=START, until=START + DAY_MS) == ()
