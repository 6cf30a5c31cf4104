"""Bulletins: the plain text that people read in a mail or a chat, from the facts that a notification keeps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from app.notify.decide.notification_sentences import alert_summary, group_title, sentence
from app.notify.domain.alert_facts import AlertFacts, alerts_in
from app.notify.domain.notification import Bulletin, Notification, Receiver

MOST_STORIES = 3
MOST_ALERTS = 40


def bulletin(receiver: Receiver, *, notification: Notification, base_url: str, locale: str) -> Bulletin:
    """Return the bulletin of a notification of alerts, of a digest or of a test."""
    told = alerts_in(notification.body) if notification.noun in ("alert", "digest") else []
    title, parts = _content(receiver, notification=notification, told=told, base_url=base_url, locale=locale)
    is_bad = any(not facts.is_over for facts in told)
    return Bulletin(url=receiver.url, title=title, text="\n\n".join(parts), is_bad=is_bad)


def _content(
    receiver: Receiver, *, notification: Notification, told: Sequence[AlertFacts], base_url: str, locale: str
) -> tuple[str, list[str]]:
    if notification.noun == "receiver":
        return sentence("title_test", locale=locale), [sentence("test", locale=locale, name=receiver.name)]
    if notification.noun == "digest":
        since = _stamp(int(notification.body["since"]), zone=receiver.zone)
        code = "title_digest_one" if len(told) == 1 else "title_digest"
        title = sentence(code, locale=locale, n=len(told), since=since)
        lines = [_line(facts, zone=receiver.zone, base_url=base_url, locale=locale) for facts in told[:MOST_ALERTS]]
        return title, lines
    title = group_title(told, locale=locale)
    kind = str(notification.body.get("kind", ""))
    if kind in ("repeat", "escalation"):
        title = sentence(f"title_{kind}", locale=locale, title=title)
    return title, [_paragraph(facts, base_url=base_url, locale=locale) for facts in told[:MOST_ALERTS]]


def _paragraph(facts: AlertFacts, *, base_url: str, locale: str) -> str:
    lines = [alert_summary(facts, locale=locale)]
    if not facts.is_over:
        lines += [f"– {title}" for title in facts.stories[:MOST_STORIES]]
    return "\n".join([*lines, facts.url(base_url)])


def _line(facts: AlertFacts, *, zone: str, base_url: str, locale: str) -> str:
    at = _stamp(facts.began_at, zone=zone)
    when = sentence("fired_at", locale=locale, at=at)
    if not facts.is_over:
        when += ", " + sentence("still_firing", locale=locale)
    return "\n".join([alert_summary(facts, locale=locale), when, facts.url(base_url)])


def _stamp(at: int, *, zone: str) -> str:
    return datetime.fromtimestamp(at / 1000, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")
