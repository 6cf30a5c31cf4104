"""Sentences: the same in every language, from figures alone."""

from __future__ import annotations

import json
from dataclasses import asdict
from string import Formatter

import pytest

from app.core.durations import DAY_MS, HOUR_MS
from app.notify.decide.notification_sentences import SENTENCES, alert_summary, alert_title, duration, sentence
from app.notify.domain.alert_facts import AlertFacts, alerts_in
from tests.app.notify.decide.sample_facts import OBSERVED, OVER, facts


def test_every_language_has_every_sentence_with_the_same_parameters() -> None:
    def parameters(language: str) -> dict[str, set[str | None]]:
        return {
            code: {field for _, field, _, _ in Formatter().parse(text) if field is not None}
            for code, text in SENTENCES[language].items()
        }

    assert parameters("zh") == parameters("en")


@pytest.mark.parametrize(
    ("locale", "expected"), [("en", "2 days"), ("zh_Hans_CN", "2 天"), ("zh-CN", "2 天"), ("xx", "2 days")]
)
def test_a_locale_that_is_not_known_reads_english(locale: str, expected: str) -> None:
    assert sentence("days", locale=locale, n=2) == expected


@pytest.mark.parametrize(
    ("length_ms", "expected"),
    [
        (0, "1 minute"),
        (90_000, "2 minutes"),
        (HOUR_MS, "1 hour"),
        (DAY_MS, "24 hours"),
        (2 * DAY_MS, "2 days"),
        (3 * DAY_MS + HOUR_MS, "3 days"),
    ],
)
def test_durations(length_ms: int, expected: str) -> None:
    assert duration(length_ms) == expected


@pytest.mark.parametrize(
    ("given_facts", "locale", "expected"),
    [
        (facts(), "en", "Larkspur: 46% negative (21 of 46 stories) in 24 hours, usually 22%"),
        (facts(), "zh", "Larkspur：近 24 小时内 46 条报道中有 21 条负面（46%），平时为 22%"),
        (
            facts(observed={**OBSERVED, "baseline_share": None}),
            "en",
            "Larkspur: 46% negative (21 of 46 stories) in 24 hours; too few earlier stories to say what is usual",
        ),
        (facts(**OVER), "en", "Larkspur: bad news is back to usual after 3 days"),
        (facts(**OVER), "zh", "Larkspur：负面报道已恢复常态，历时 3 天"),
        (facts(**OVER, reason="rule_off"), "en", "Larkspur: closed after 3 days, because the rule was switched off"),
        (
            facts(subject="", subject_kind="market", subject_id="all"),
            "zh",
            "整个市场：近 24 小时内 46 条报道中有 21 条负面（46%），平时为 22%",
        ),
    ],
)
def test_an_alert_in_a_sentence(given_facts: AlertFacts, locale: str, expected: str) -> None:
    assert alert_summary(given_facts, locale=locale) == expected


def test_titles() -> None:
    assert alert_title(facts()) == "[FIRING] Larkspur"
    assert alert_title(facts(**OVER), locale="zh") == "[解除] Larkspur"


def test_what_is_kept_is_json_without_a_sentence() -> None:
    kept = json.dumps({"alerts": [asdict(facts())]})
    assert alerts_in(json.loads(kept)) == [facts()]
    assert "negative (" not in kept
