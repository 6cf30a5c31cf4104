"""What a notification says: facts are kept as codes and figures; sentences are made here, in the reader's locale."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from app.core.durations import DAY_MS, HOUR_MS
from app.core.events.event import Event

DEFAULT_LOCALE = "en"
NEVER = "0001-01-01T00:00:00Z"
"""How Alertmanager writes the end of an alert that has not ended."""

SENTENCES: dict[str, dict[str, str]] = {
    "en": {
        "alert_firing": "{subject}: {share} negative ({n_negative} of {n_scored} stories) in {window}, usually {usual}",
        "alert_firing_new": "{subject}: {share} negative ({n_negative} of {n_scored} stories) in {window}; "
        "too few earlier stories to say what is usual",
        "alert_resolved": "{subject}: bad news is back to usual after {duration}",
        "alert_resolved_rule_off": "{subject}: closed after {duration}, because the rule was switched off",
        "title_firing": "[FIRING] {subject}",
        "title_resolved": "[RESOLVED] {subject}",
        "title_group": "[FIRING:{n}] {names}",
        "title_group_over": "[RESOLVED:{n}] {names}",
        "title_repeat": "Still: {title}",
        "title_escalation": "Nobody has acknowledged: {title}",
        "title_digest": "{n} alerts since {since}",
        "title_digest_one": "1 alert since {since}",
        "title_test": "Test message",
        "test": "This is a test message of Bellwether to the receiver “{name}”. Alerts arrive here in the same way.",
        "fired_at": "fired {at}",
        "still_firing": "still firing",
        "days": "{n} days",
        "day": "1 day",
        "hours": "{n} hours",
        "hour": "1 hour",
        "minutes": "{n} minutes",
        "minute": "1 minute",
        "market": "the whole market",
    },
    "zh": {
        "alert_firing": "{subject}：近 {window}内 {n_scored} 条报道中有 {n_negative} 条负面（{share}），平时为 {usual}",
        "alert_firing_new": "{subject}：近 {window}内 {n_scored} 条报道中有 {n_negative} 条负面（{share}）；"
        "此前报道太少，尚无常态可比",
        "alert_resolved": "{subject}：负面报道已恢复常态，历时 {duration}",
        "alert_resolved_rule_off": "{subject}：规则已停用，警报关闭，历时 {duration}",
        "title_firing": "[触发] {subject}",
        "title_resolved": "[解除] {subject}",
        "title_group": "[触发:{n}] {names}",
        "title_group_over": "[解除:{n}] {names}",
        "title_repeat": "仍在持续：{title}",
        "title_escalation": "尚无人确认：{title}",
        "title_digest": "{since} 以来共 {n} 条警报",
        "title_digest_one": "{since} 以来共 1 条警报",
        "title_test": "测试消息",
        "test": "这是 Bellwether 发给接收方“{name}”的测试消息。警报也以同样方式送达。",
        "fired_at": "触发于 {at}",
        "still_firing": "仍在触发",
        "days": "{n} 天",
        "day": "1 天",
        "hours": "{n} 小时",
        "hour": "1 小时",
        "minutes": "{n} 分钟",
        "minute": "1 分钟",
        "market": "整个市场",
    },
}


def sentence(code: str, *, locale: str = DEFAULT_LOCALE, **params: object) -> str:
    """The sentence of a code in a locale (`zh`, `zh_Hans_CN`, `zh-CN`, …); English where the locale is not known."""
    language = locale.replace("-", "_").split("_")[0].lower()
    return SENTENCES.get(language, SENTENCES[DEFAULT_LOCALE])[code].format_map(params)


def duration(length_ms: int, *, locale: str = DEFAULT_LOCALE) -> str:
    """A length of time in its largest fitting unit: `24 hours`, `3 days`, `1 minute`."""
    if length_ms >= 2 * DAY_MS:
        n, unit = round(length_ms / DAY_MS), "day"
    elif length_ms >= HOUR_MS:
        n, unit = round(length_ms / HOUR_MS), "hour"
    else:
        n, unit = max(round(length_ms / 60_000), 1), "minute"
    return sentence(unit, locale=locale) if n == 1 else sentence(f"{unit}s", locale=locale, n=n)


def rfc3339(at: int) -> str:
    """Milliseconds UTC as an RFC 3339 time of second precision."""
    return datetime.fromtimestamp(at // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def labels(facts: Mapping[str, Any]) -> dict[str, str]:
    """What routes choose by; see `alert_routes.LABELS`."""
    return {
        "alertname": str(facts["rule"]),
        "severity": str(facts["severity"]),
        "subject_kind": str(facts["subject_kind"]),
        "subject": str(facts["subject"] or facts["subject_id"]),
        "ticker": str(facts.get("ticker", "")),
        "sector": str(facts.get("sector", "")),
    }


def alerts_in(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The facts of every alert that a notification tells of; one that was kept alone is its own body."""
    found = body.get("alerts")
    return [dict(body)] if found is None else list(found)


def alert_summary(facts: Mapping[str, Any], *, locale: str = DEFAULT_LOCALE) -> str:
    """One sentence on an alert: what was observed while it fires, how long it lasted when it is resolved."""
    subject = facts["subject"] or sentence("market", locale=locale)
    if facts["state"] == "resolved":
        lasted_ms = (facts["resolved_at"] or 0) - (facts["firing_at"] or facts["started_at"])
        code = "alert_resolved_rule_off" if facts["reason"] == "rule_off" else "alert_resolved"
        return sentence(code, locale=locale, subject=subject, duration=duration(lasted_ms, locale=locale))
    observed = facts["observed"]
    usual = observed.get("baseline_share")
    return sentence(
        "alert_firing_new" if usual is None else "alert_firing",
        locale=locale,
        subject=subject,
        share=_percent(observed.get("share")),
        usual=_percent(usual),
        n_negative=observed.get("n_negative", 0),
        n_scored=observed.get("n_scored", 0),
        window=duration(observed.get("window_ms", 0), locale=locale),
    )


def alert_title(facts: Mapping[str, Any], *, locale: str = DEFAULT_LOCALE) -> str:
    """The headline of an alert: whether it fires or is over, and whom it is about."""
    code = "title_resolved" if facts["state"] == "resolved" else "title_firing"
    return sentence(code, locale=locale, subject=facts["subject"] or sentence("market", locale=locale))


def alert_body(
    facts: Mapping[str, Any],
    *,
    receiver: str,
    base_url: str,
    others: Sequence[Mapping[str, Any]] = (),
    is_repeat: bool = False,
    locale: str = DEFAULT_LOCALE,
) -> dict[str, Any]:
    """The Alertmanager v4 webhook body of one alert, or of a group with `others`, with Grafana's `title`, `state` and
    `message`.

    Labels name what the alert is, so that they are equal while it fires and when it ends; annotations are figures and
    sentences, all of them strings as Alertmanager has them.
    """
    told = [facts, *others]
    items = [_item(one, base_url=base_url, locale=locale) for one in told]
    is_over = all(item["status"] == "resolved" for item in items)
    first = items[0]["labels"]
    common = {name: value for name, value in first.items() if all(item["labels"].get(name) == value for item in items)}
    group = (
        {"sector": str(facts.get("sector", ""))} if others else {facts["subject_kind"]: first[facts["subject_kind"]]}
    )
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
        "notification_reason": _why(is_over=is_over, is_repeat=is_repeat),
        "alerts": items,
        "title": group_title(told, locale=locale),
        "state": "ok" if is_over else "alerting",
        "message": "\n".join(summaries),
    }


def alertmanager_alerts(
    told: Sequence[Mapping[str, Any]], *, base_url: str, lasts_until: int, locale: str = DEFAULT_LOCALE
) -> list[dict[str, Any]]:
    """The body of `POST /api/v2/alerts` of a Prometheus Alertmanager.

    A firing alert is said to last until `lasts_until` (ms), later than the next time it is sent, so that Alertmanager
    closes it when we fall silent; what is resolved ends when it ended.
    """
    found = []
    for facts in told:
        item = _item(facts, base_url=base_url, locale=locale)
        if item["status"] == "firing":
            item["endsAt"] = rfc3339(lasts_until)
        found.append({key: item[key] for key in ("labels", "annotations", "startsAt", "endsAt", "generatorURL")})
    return found


def _item(facts: Mapping[str, Any], *, base_url: str, locale: str) -> dict[str, Any]:
    is_over = facts["state"] == "resolved"
    named = {
        "alertname": str(facts["rule"]),
        facts["subject_kind"]: str(facts["subject"] or facts["subject_id"]),
        "severity": str(facts["severity"]),
    } | ({"sector": str(facts["sector"])} if facts.get("sector") else {})
    return {
        "status": "resolved" if is_over else "firing",
        "labels": named,
        "annotations": {"summary": alert_summary(facts, locale=locale), **_annotations(facts)},
        "startsAt": rfc3339(facts["firing_at"] or facts["started_at"]),
        "endsAt": rfc3339(facts["resolved_at"]) if is_over and facts["resolved_at"] else NEVER,
        "generatorURL": alert_url(facts, base_url=base_url),
        "fingerprint": _fingerprint(named),
    }


def _why(*, is_over: bool, is_repeat: bool) -> str:
    if is_over:
        return "all alerts resolved"
    return "repeat interval elapsed" if is_repeat else "first notification"


def alert_url(facts: Mapping[str, Any], *, base_url: str) -> str:
    """Where the alert explains itself."""
    return f"{base_url}/alerts/{_id('alr', facts['alert_id'])}"


def group_title(told: Sequence[Mapping[str, Any]], *, locale: str = DEFAULT_LOCALE) -> str:
    """The headline of one alert, or of several that go out together."""
    if len(told) == 1:
        return alert_title(told[0], locale=locale)
    n_firing = sum(facts["state"] != "resolved" for facts in told)
    names = ", ".join(dict.fromkeys(str(facts["subject"] or sentence("market", locale=locale)) for facts in told))
    code = "title_group" if n_firing else "title_group_over"
    return sentence(code, locale=locale, n=n_firing or len(told), names=names)


def alert_event_body(
    facts: Mapping[str, Any],
    *,
    verb: str,
    at: int,
    base_url: str,
    others: Sequence[Mapping[str, Any]] = (),
    locale: str = DEFAULT_LOCALE,
) -> dict[str, Any]:
    """The Standard Webhooks payload of an alert: `alert.firing` or `alert.resolved` with figures and a summary.

    A group names its first alert in `alert`, and all of them in `alerts`.
    """
    told = [_alert_out(one, base_url=base_url, locale=locale) for one in (facts, *others)]
    changed_by = {"type": "rule", "id": _id("rul", facts["rule_id"])}
    data = {"alert": told[0], **({"alerts": told} if others else {}), "changed_by": changed_by}
    return {"type": f"alert.{verb}", "timestamp": rfc3339(at), "data": data}


def _alert_out(facts: Mapping[str, Any], *, base_url: str, locale: str) -> dict[str, Any]:
    times = ("started_at", "firing_at", "resolved_at")
    alert = {name: value for name, value in facts.items() if name not in (*times, "alert_id", "rule_id")}
    alert |= {name: rfc3339(facts[name]) if facts[name] else None for name in times}
    return alert | {
        "id": _id("alr", facts["alert_id"]),
        "summary": alert_summary(facts, locale=locale),
        "url": alert_url(facts, base_url=base_url),
    }


def event_body(event: Event, *, data: Mapping[str, Any]) -> dict[str, Any]:
    """The Standard Webhooks payload of an event: `ticket.triaged`, its time, the things it is about, who and before.

    `data` holds them under their nouns (`{"ticket": {…}, "prediction": {…}}`).
    """
    return {
        "type": f"{event.noun}.{event.verb}",
        "timestamp": rfc3339(event.at),
        "data": {
            **data,
            "changed_by": {"type": event.actor_kind, "id": event.actor_id},
            "previous": dict(event.before),
        },
    }


def _annotations(facts: Mapping[str, Any]) -> dict[str, str]:
    observed = facts["observed"]
    figures = {
        "observed_negative": observed.get("n_negative"),
        "observed_total": observed.get("n_scored"),
        "observed_posts": observed.get("n_posts"),
        "observed_share": _rounded(observed.get("share")),
        "baseline_share": _rounded(observed.get("baseline_share")),
        "expected_negative": _rounded(observed.get("expected_negative")),
        "threshold_share": _rounded(observed.get("threshold_share")),
        "window": _compact(observed.get("window_ms")),
        "top_story": facts["stories"][0] if facts["stories"] else None,
        "model": facts["model"] or None,
    }
    return {name: str(value) for name, value in figures.items() if value is not None}


def _id(prefix: str, number: int) -> str:
    return f"{prefix}_{number}"


def _percent(share: float | None) -> str:
    return "?" if share is None else f"{share:.0%}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _compact(length_ms: int | None) -> str | None:
    if length_ms is None:
        return None
    return f"{length_ms // HOUR_MS}h" if length_ms % HOUR_MS == 0 else f"{length_ms // 60_000}m"


def _fingerprint(labels: Mapping[str, str]) -> str:
    written = "\n".join(f"{name}={labels[name]}" for name in sorted(labels))
    return hashlib.sha256(written.encode()).hexdigest()[:16]
