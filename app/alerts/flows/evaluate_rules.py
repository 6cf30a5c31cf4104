"""Evaluation of a rule at a moment: one verdict for every subject that it could concern."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from app.alerts.decide import baseline_learning, rule_conditions
from app.alerts.decide.baseline_learning import Score
from app.alerts.domain.alert import Alert, Rule, Severity, Verdict
from app.alerts.domain.baseline import Counts, Measure
from app.alerts.store import baselines
from app.core.durations import DAY_MS, HOUR_MS
from app.core.services import Services
from app.market.domain.series import Window
from app.market.flows import find_silent_feeds
from app.market.store import buckets, posts, stories

BASELINE_WINDOWS = 4
"""Negative stories are asked for in a window and the three before it."""

LEAST_SOURCES = 2
USUAL_MS = 28 * DAY_MS


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A verdict, and the severity by the size of the effect (None: the rule's own)."""

    verdict: Verdict
    severity: Severity | None = None


def verdicts(services: Services, rule: Rule, *, now: int, known: dict[str, Alert]) -> dict[str, Finding]:
    """Return what a rule finds, by subject id, of all that meet it and all that are `known` to have an alert."""
    if not rule.is_active:
        return {subject_id: Finding(verdict=Verdict(is_met=False)) for subject_id in known}
    if rule.is_calibrated:
        return _surges(services, rule, now=now, known=known)
    if rule.kind == "absence":
        return _absences(services, rule, now=now, known=known)
    return _counted(services, rule, now=now, known=known)


def _concerned(rule: Rule, subject_ids: Iterable[str]) -> set[str]:
    return {one for one in subject_ids if rule.subject_id in (None, one)}


def _by_precision(services: Services, rule: Rule, *, now: int) -> Iterator[tuple[Rule, Callable[[str], bool]]]:
    """Yield two rules with tests of subject ids: one for posts with times, one for dates only, of a day at least.

    A post of a date may come until the next midnight: silence counts from the end of the last day.
    """
    is_daily = find_silent_feeds.daily(services, rule.subject_kind, now=now)
    window_ms = max(rule.window_ms, DAY_MS) + (DAY_MS if rule.kind == "absence" else 0)
    yield rule, lambda subject_id: not is_daily(subject_id)
    yield replace(rule, window_ms=window_ms), is_daily


def _counted(services: Services, rule: Rule, *, now: int, known: dict[str, Alert]) -> dict[str, Finding]:
    found: dict[str, Finding] = {}
    for one, is_meant in _by_precision(services, rule, now=now):
        found |= {key: seen for key, seen in _within(services, one, now=now, known=known).items() if is_meant(key)}
    return found


def _within(services: Services, rule: Rule, *, now: int, known: dict[str, Alert]) -> dict[str, Finding]:
    since = now - rule.window_ms
    windows = buckets.counts(services.db, subject_kind=rule.subject_kind, since=since, until=now)
    may = {key for key in _concerned(rule, windows) if rule_conditions.may_meet(rule, window=windows[key])}
    found = {}
    for subject_id in {*known, *may}:
        window = windows.get(subject_id) or Window(since=since, until=now)
        baseline = _window(services, rule, subject_id, since=since - rule.baseline_ms, until=since)
        found[subject_id] = Finding(verdict=rule_conditions.evaluate(rule, window=window, baseline=baseline))
    return found


def _window(services: Services, rule: Rule, subject_id: str, *, since: int, until: int) -> Window:
    return buckets.window(services.db, subject_kind=rule.subject_kind, subject_id=subject_id, since=since, until=until)


def _absences(services: Services, rule: Rule, *, now: int, known: dict[str, Alert]) -> dict[str, Finding]:
    before = buckets.counts(services.db, subject_kind=rule.subject_kind, since=now - rule.baseline_ms, until=now)
    heard = {key for key in _concerned(rule, before) if before[key].n_stories >= rule.min_stories}
    found = {}
    for one, is_meant in _by_precision(services, rule, now=now):
        for subject_id in filter(is_meant, {*known, *heard}):
            last_at = posts.last_at(services.db, subject_kind=rule.subject_kind, subject_id=subject_id)
            baseline = before.get(subject_id) or Window(since=now - rule.baseline_ms, until=now)
            found[subject_id] = Finding(
                verdict=rule_conditions.absent(one, last_at=last_at, baseline=baseline, now=now)
            )
    return found


def _surges(services: Services, rule: Rule, *, now: int, known: dict[str, Alert]) -> dict[str, Finding]:
    measure: Measure = "volume" if rule.kind == "volume" else "surge"
    learnt = baselines.of_kind(services.db, subject_kind=rule.subject_kind, measure=measure)
    if not learnt and rule.kind == "surge":
        # Nothing is usual yet: an installation is not blind in its first week.
        return _counted(services, rule, now=now, known=known)
    learnt = tuple(one for one in learnt if rule.subject_id in (None, one.subject_id))
    n_subjects = len({one.subject_id for one in learnt})
    counts = _counts(services, rule, widths=sorted({one.width_ms for one in learnt}), now=now)
    scores = baseline_learning.judged(learnt, counts=counts, now=now, zone=services.policy.zone)
    found = {subject_id: Finding(verdict=Verdict(is_met=False)) for subject_id in known}
    # The clearest first, so that an alert can say where it stands among those of its tick.
    for order, score in enumerate(sorted(scores.values(), key=lambda one: -one.score), start=1):
        subject_id = score.usual.subject_id
        cut = baseline_learning.threshold(score.usual, budget=rule.budget, n_subjects=n_subjects)
        is_open = subject_id in known and known[subject_id].state in ("firing", "recovering")
        is_met = score.score >= (cut / 2 if is_open else cut) and (is_open or score.is_enough)
        if is_met or subject_id in known:
            is_met = is_met and (is_open or _has_sources(services, rule, score=score))
            found[subject_id] = _finding(services, rule, score=score, cut=cut, is_met=is_met, order=order)
    return found


def _counts(services: Services, rule: Rule, *, widths: list[int], now: int) -> dict[tuple[str, int], Counts]:
    if not widths:
        return {}
    begins = [baseline_learning.window_since(width, now=now) for width in widths]
    before = [baseline_learning.window_since(BASELINE_WINDOWS * width, now=now) for width in widths]
    until = now - now % HOUR_MS + HOUR_MS
    heard = buckets.recent(services.db, subject_kind=rule.subject_kind, since=[*begins, *before], until=until)
    return {
        (subject_id, width): Counts(
            stories=sums[place][0], negative=sums[place][1], recent=sums[len(widths) + place][1]
        )
        for subject_id, sums in heard.items()
        for place, width in enumerate(widths)
    }


def _has_sources(services: Services, rule: Rule, *, score: Score) -> bool:
    """Return True if two sources report it, or all of those that ever report on the subject."""
    now = _n_sources(services, rule, score=score, since=score.since)
    return now >= LEAST_SOURCES or now >= _n_sources(services, rule, score=score, since=score.until - USUAL_MS)


def _n_sources(services: Services, rule: Rule, *, score: Score, since: int) -> int:
    return stories.n_sources(
        services.db,
        subject_kind=rule.subject_kind,
        subject_id=score.usual.subject_id,
        since=since,
        until=score.until,
        most=LEAST_SOURCES,
    )


def _finding(services: Services, rule: Rule, *, score: Score, cut: float, is_met: bool, order: int) -> Finding:
    window = _window(services, rule, score.usual.subject_id, since=score.since, until=score.until)
    observed = rule_conditions.surge_facts(
        score, window=window, threshold=cut, budget=rule.budget, is_met=is_met, order=order
    )
    severity = rule_conditions.severity_of(score) if is_met and rule.kind == "surge" else None
    return Finding(verdict=Verdict(is_met=is_met, observed=observed), severity=severity)
