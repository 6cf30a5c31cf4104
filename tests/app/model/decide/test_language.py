"""Only a certain answer may refuse a text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.model.decide.language import Language, detect


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("I would like my money back for the order of last week.", "en"),
        ("AAPL SHARES FALL AFTER EARNINGS MISS, ANALYSTS CUT THEIR TARGETS", "en"),
        ("Wo ist meine Bestellung? Ich warte seit zwei Wochen.", "de"),
        ("Je voudrais annuler ma commande s'il vous plaît.", "fr"),
        ("Quiero cancelar mi suscripción y que me devuelvan el dinero", "es"),
        ("我的订单在哪里", "zh"),
        ("注文はどこですか", "ja"),
        ("주문은 어디에 있나요", "ko"),
        ("Где мой заказ", "ru"),
        ("أين طلبي", "ar"),
    ],
)
def test_is_certain(text: str, code: str) -> None:
    assert detect(text) == Language(code=code, is_certain=True)


@pytest.mark.parametrize(
    "text",
    ["", "ok", "Refund!", "12345 67890", "$AAPL $GOOG #up @ann https://x.example/abc", "[card] [email]", "🙂🙂🙂"],
)
def test_does_not_guess(text: str) -> None:
    assert detect(text) == Language(code="und", is_certain=False)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=200))
def test_any_text_has_an_answer(text: str) -> None:
    assert detect(text).code
