from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.prediction import Prediction
from app.desk.decide.priority import priority_of, urgency
from app.desk.domain.ticket import Tier, Urgency
from tests.app.desk.decide.predictions import prediction


def measured(
    text: str = "",
    *,
    intent_urgency: int = 0,
    sentiment: Prediction | None = None,
    emotion: Prediction | None = None,
    tier: Tier = "standard",
    hours_left: float | None = None,
) -> Urgency:
    return urgency(
        intent_urgency=intent_urgency,
        sentiment=sentiment,
        emotion=emotion,
        text=text,
        tier=tier,
        hours_left=hours_left,
    )


def feeling(label: str, *, negative: float, positive: float, abstained: bool = False) -> Prediction:
    others = {"negative": negative, "positive": positive}
    return prediction(label, probability=others[label], others=others, role="sentiment", abstained=abstained)


@pytest.mark.parametrize(
    ("points", "priority"),
    [
        (0, "low"),
        (19, "low"),
        (20, "normal"),
        (44, "normal"),
        (45, "high"),
        (69, "high"),
        (70, "urgent"),
        (100, "urgent"),
    ],
)
def test_thresholds(points: int, priority: str) -> None:
    assert priority_of(points) == priority


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Where is my order?", set()),
        ("I want my money back NOW", {"words_now"}),
        ("how do I pay now", set()),
        ("This is URGENT, please", {"words_urgent"}),
        ("It is not urgent.", {"words_no_hurry"}),
        ("No rush, answer when you have a moment", {"words_no_hurry"}),
        ("no rush, but my card was stolen", {"words_no_hurry", "words_fraud"}),
        ("My lawyer will write to you", {"words_legal"}),
        ("I will see you in court", {"words_legal"}),
        ("there is a payment; I didn’t make this one", {"words_fraud"}),
        ("I did not authorise these payments", {"words_fraud"}),
        ("I can't access my money", {"words_stuck"}),
        ("This is the third time I ask", {"words_repeat"}),
        ("I need it by Friday", {"words_deadline"}),
        ("GIVE BACK WHAT YOU TOOK FROM MINE", {"shouting"}),
        ("why!!!", {"shouting"}),
        ("My IBAN and the BIC", set()),
        ("a surgent matter of regulatory lawyering", set()),
        ("scam scam scam fraud", {"words_fraud"}),
        ("please close  my\naccount", {"words_leaving"}),
    ],
)
def test_words_that_press(text: str, codes: set[str]) -> None:
    assert {part.code for part in measured(text, intent_urgency=0).parts if part.code != "cap"} == codes


@pytest.mark.parametrize(
    ("sentiment", "expected"),
    [
        (feeling("negative", negative=0.95, positive=0.01), [("sentiment_negative", 14)]),
        (feeling("negative", negative=0.95, positive=0.01, abstained=True), []),
        (feeling("positive", negative=0.05, positive=0.9), [("sentiment_positive", -5)]),
        (None, []),
    ],
)
def test_sentiment_gives_points_unless_abstained(sentiment: Prediction | None, expected: list[tuple[str, int]]) -> None:
    parts = measured(sentiment=sentiment, intent_urgency=10).parts
    assert [(part.code, part.points) for part in parts[1:]] == expected


@pytest.mark.parametrize(
    ("anger", "labels", "points"), [(0.9, ("anger",), 14), (0.29, (), 0), (0.3, (), 4), (0.2, ("anger",), 3)]
)
def test_anger_counts_from_a_level_on(anger: float, labels: tuple[str, ...], points: int) -> None:
    emotion = prediction("neutral", probability=0.5, others={"anger": anger}, role="emotion", labels=labels)
    assert measured(emotion=emotion).points == points


@pytest.mark.parametrize(
    ("hours_left", "points"), [(None, 0), (30.0, 0), (4.0, 6), (1.0, 12), (0.5, 12), (0.0, 20), (-3.0, 20)]
)
def test_the_deadline_presses(hours_left: float | None, points: int) -> None:
    assert measured(hours_left=hours_left).points == points


def test_an_angry_business_customer_with_a_stolen_card_is_urgent() -> None:
    found = measured(
        "My card was STOLEN and nobody answers, I need help right now",
        intent_urgency=30,
        sentiment=feeling("negative", negative=0.9, positive=0.02),
        tier="business",
        hours_left=2.0,
    )
    assert found.priority == "urgent"
    assert {"intent", "sentiment_negative", "words_fraud", "words_urgent", "tier_business", "sla_near"} <= {
        part.code for part in found.parts
    }


@settings(deadline=None)
@given(
    text=st.text(max_size=60)
    | st.sampled_from(["urgent fraud lawyer NOW stranded third time by Friday!!!", "no rush"]),
    base=st.integers(-10, 90),
    tier=st.sampled_from(["standard", "plus", "business"]),
    hours_left=st.none() | st.floats(-100, 100),
)
def test_parts_always_add_up(text: str, base: int, tier: Tier, hours_left: float | None) -> None:
    found = measured(text, intent_urgency=base, tier=tier, hours_left=hours_left)
    assert found.points == sum(part.points for part in found.parts)
    assert 0 <= found.points <= 100
    assert all(part.points for part in found.parts)
    assert found.priority == priority_of(found.points)
