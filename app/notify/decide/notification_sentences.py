"""The sentences of notifications, made from an alert's facts in the receiver's locale."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.durations import DAY_MS, HOUR_MS
from app.notify.domain.alert_facts import AlertFacts

DEFAULT_LOCALE = "en"
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
    """Return the sentence of a code in a locale (`zh`, `zh_Hans_CN`, `zh-CN`, …), in English for an unknown locale."""
    language = locale.replace("-", "_").split("_")[0].lower()
    return SENTENCES.get(language, SENTENCES[DEFAULT_LOCALE])[code].format_map(params)


def duration(length_ms: int, *, locale: str = DEFAULT_LOCALE) -> str:
    """Return a length of time in its largest fitting unit: `24 hours`, `3 days`, `1 minute`."""
    if length_ms >= 2 * DAY_MS:
        n, unit = round(length_ms / DAY_MS), "day"
    elif length_ms >= HOUR_MS:
        n, unit = round(length_ms / HOUR_MS), "hour"
    else:
        n, unit = max(round(length_ms / 60_000), 1), "minute"
    return sentence(unit, locale=locale) if n == 1 else sentence(f"{unit}s", locale=locale, n=n)


def alert_summary(facts: AlertFacts, *, locale: str = DEFAULT_LOCALE) -> str:
    """Return one sentence on an alert: its figures while it fires, and how long it lasted once it is resolved."""
    subject = facts.subject or sentence("market", locale=locale)
    if facts.is_over:
        lasted_ms = (facts.resolved_at or 0) - facts.began_at
        code = "alert_resolved_rule_off" if facts.reason == "rule_off" else "alert_resolved"
        return sentence(code, locale=locale, subject=subject, duration=duration(lasted_ms, locale=locale))
    observed = facts.observed
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


def alert_title(facts: AlertFacts, *, locale: str = DEFAULT_LOCALE) -> str:
    """Return the headline of an alert: its state and its subject."""
    code = "title_resolved" if facts.is_over else "title_firing"
    return sentence(code, locale=locale, subject=facts.subject or sentence("market", locale=locale))


def group_title(told: Sequence[AlertFacts], *, locale: str = DEFAULT_LOCALE) -> str:
    """Return the headline of one alert, or of several that go out together."""
    if len(told) == 1:
        return alert_title(told[0], locale=locale)
    n_firing = sum(not facts.is_over for facts in told)
    names = ", ".join(dict.fromkeys(facts.subject or sentence("market", locale=locale) for facts in told))
    code = "title_group" if n_firing else "title_group_over"
    return sentence(code, locale=locale, n=n_firing or len(told), names=names)


def _percent(share: float | None) -> str:
    return "?" if share is None else f"{share:.0%}"
