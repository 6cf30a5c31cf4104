"""Bodies in Alertmanager's shapes: the webhook that it sends, and the alerts that it is fed with."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from app.core.durations import HOUR_MS
from app.notify.decide.notification_sentences import DEFAULT_LOCALE, alert_summary, group_title
from app.notify.decide.webhook_payloads import rfc3339
from app.notify.domain.alert_facts import AlertFacts

NEVER = "0001-01-01T00:00:00Z"
"""The end of an alert that has not ended, as Alertmanager writes it."""


def alert_body(
    facts: AlertFacts,
    *,
    receiver: str,
    base_url: str,
    others: Sequence[AlertFacts] = (),
    is_repeat: bool = False,
    locale: str = DEFAULT_LOCALE,
) -> dict[str, Any]:
    """Return the webhook body of Alertmanager v4, with Grafana's `title`, `state` and `message`.

    It holds one alert, or a group with `others`. Labels identify an alert and stay the same from firing to its end;
    annotations are figures and sentences, all of them strings.
    """
    told = [facts, *others]
    items = [_item(one, base_url=base_url, locale=locale) for one in told]
    is_over = all(item["status"] == "resolved" for item in items)
    first = items[0]["labels"]
    common = {name: value for name, value in first.items() if all(item["labels"].get(name) == value for item in items)}
    group = {"sector": facts.sector} if others else {facts.subject_kind: first[facts.subject_kind]}
    summaries = [item["annotations"]["summary"] for item in items]
    return {
        "version": "4",
        "groupKey": "{}:{" + ",".join(f'{name}="{value}"' for name, value in group.items()) + "}",
        "truncatedAlerts": 0,
        "status": "resolved" if is_over else "firing",
        "receiver": receiver,
        "groupLabels": group,
        "commonLabels": common,
        "commonAnnotations": {"summary": summaries[0]} if not others else {},
        "externalURL": base_url,
        "notification_reason": _reason(is_over=is_over, is_repeat=is_repeat),
        "alerts": items,
        "title": group_title(told, locale=locale),
        "state": "ok" if is_over else "alerting",
        "message": "\n".join(summaries),
    }


def alertmanager_alerts(
    told: Sequence[AlertFacts], *, base_url: str, lasts_until: int, locale: str = DEFAULT_LOCALE
) -> list[dict[str, Any]]:
    """Return the body of `POST /api/v2/alerts` of a Prometheus Alertmanager.

    A firing alert ends at `lasts_until` (ms UTC), after the time it is sent next, so that Alertmanager closes it when
    nothing more is sent; a resolved one ends when it did.
    """
    found = []
    for facts in told:
        item = _item(facts, base_url=base_url, locale=locale)
        if item["status"] == "firing":
            item["endsAt"] = rfc3339(lasts_until)
        found.append({key: item[key] for key in ("labels", "annotations", "startsAt", "endsAt", "generatorURL")})
    return found


def _item(facts: AlertFacts, *, base_url: str, locale: str) -> dict[str, Any]:
    named = {
        "alertname": facts.rule,
        facts.subject_kind: facts.subject or facts.subject_id,
        "severity": facts.severity,
    } | ({"sector": facts.sector} if facts.sector else {})
    return {
        "status": "resolved" if facts.is_over else "firing",
        "labels": named,
        "annotations": {"summary": alert_summary(facts, locale=locale), **_annotations(facts)},
        "startsAt": rfc3339(facts.began_at),
        "endsAt": rfc3339(facts.resolved_at) if facts.is_over and facts.resolved_at else NEVER,
        "generatorURL": facts.url(base_url),
        "fingerprint": _fingerprint(named),
    }


def _reason(*, is_over: bool, is_repeat: bool) -> str:
    if is_over:
        return "all alerts resolved"
    return "repeat interval elapsed" if is_repeat else "first notification"


def _annotations(facts: AlertFacts) -> dict[str, str]:
    observed = facts.observed
    figures = {
        "observed_negative": observed.get("n_negative"),
        "observed_total": observed.get("n_scored"),
        "observed_posts": observed.get("n_posts"),
        "observed_share": _rounded(observed.get("share")),
        "baseline_share": _rounded(observed.get("baseline_share")),
        "expected_negative": _rounded(observed.get("expected_negative")),
        "threshold_share": _rounded(observed.get("threshold_share")),
        "window": _compact(observed.get("window_ms")),
        "top_story": facts.stories[0] if facts.stories else None,
        "model": facts.model or None,
    }
    return {name: str(value) for name, value in figures.items() if value is not None}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _compact(length_ms: int | None) -> str | None:
    if length_ms is None:
        return None
    return f"{length_ms // HOUR_MS}h" if length_ms % HOUR_MS == 0 else f"{length_ms // 60_000}m"


def _fingerprint(labels: Mapping[str, str]) -> str:
    written = "\n".join(f"{name}={labels[name]}" for name in sorted(labels))
    return hashlib.sha256(written.encode()).hexdigest()[:16]
