"""Bodies of Standard Webhooks: those of alerts and those of all other events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from app.core.events.event import Event
from app.notify.decide.notification_sentences import DEFAULT_LOCALE, alert_summary
from app.notify.domain.alert_facts import AlertFacts


def rfc3339(at: int) -> str:
    """Return milliseconds UTC as an RFC 3339 time of second precision."""
    return datetime.fromtimestamp(at // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def alert_event_body(
    facts: AlertFacts,
    *,
    verb: str,
    at: int,
    base_url: str,
    others: Sequence[AlertFacts] = (),
    locale: str = DEFAULT_LOCALE,
) -> dict[str, Any]:
    """Return the payload of an alert: `alert.firing` or `alert.resolved` with figures and a summary.

    A group names its first alert in `alert`, and all of them in `alerts`.
    """
    told = [_alert_json(one, base_url=base_url, locale=locale) for one in (facts, *others)]
    changed_by = {"type": "rule", "id": f"rul_{facts.rule_id}"}
    data = {"alert": told[0], **({"alerts": told} if others else {}), "changed_by": changed_by}
    return {"type": f"alert.{verb}", "timestamp": rfc3339(at), "data": data}


def _alert_json(facts: AlertFacts, *, base_url: str, locale: str) -> dict[str, Any]:
    alert = {name: value for name, value in asdict(facts).items() if name not in ("alert_id", "rule_id")}
    for name in ("started_at", "firing_at", "resolved_at"):
        alert[name] = rfc3339(alert[name]) if alert[name] else None
    return alert | {
        "id": f"alr_{facts.alert_id}",
        "summary": alert_summary(facts, locale=locale),
        "url": facts.url(base_url),
    }


def event_body(event: Event, *, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the payload of an event: its type (`ticket.triaged`), time, things concerned, actor and earlier values.

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
