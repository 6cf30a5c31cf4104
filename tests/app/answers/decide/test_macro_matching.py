from __future__ import annotations

import pytest

from app.answers.decide.macro_matching import broken_placeholder, fill, placeholders, rank, verdict
from app.answers.domain import Macro, Tally
from app.core.prediction import Prediction
from tests.app.desk.decide.predictions import prediction

REFUND = Macro(id=1, name="Refund: sent", body="Hi {{ customer.name }}, order {{order_no}}.", intents=("get_refund",))
POLICY = Macro(id=2, name="Refund: policy", body="30 days.", intents=("check_refund_policy", "get_refund"))
TRACK = Macro(id=3, name="Where it is", body="On its way.", intents=("track_order",))
HELLO = Macro(id=4, name="We look into it", body="We look into it.")
ALL = (TRACK, HELLO, POLICY, REFUND)


@pytest.mark.parametrize(
    ("body", "values", "text", "missing"),
    [
        ("Hi {{ customer.name }}", {"customer.name": "Ana"}, "Hi Ana", ()),
        ("Hi {{customer.name}}!", {"customer.name": " Ana "}, "Hi Ana!", ()),
        ("Order {{ order_no }}", {}, "Order {{ order_no }}", ("order_no",)),
        ("Order {{ order_no }}", {"order_no": "  "}, "Order {{ order_no }}", ("order_no",)),
        ("{{ a }} {{ b }} {{ a }}", {"b": "2"}, "{{ a }} 2 {{ a }}", ("a",)),
        ("{{ a }}", {"a": "{{ b }}", "b": "no"}, "{{ b }}", ()),
        ("{{ a }}", {"a": r"\1 \g<0>"}, r"\1 \g<0>", ()),
        ("{ a } {{ 9 }} {{}}", {"a": "x"}, "{ a } {{ 9 }} {{}}", ()),
    ],
)
def test_filling_never_guesses(body: str, values: dict[str, str], text: str, missing: tuple[str, ...]) -> None:
    assert fill(Macro(id=1, name="m", body=body), values=values) == (text, missing)


def test_placeholders_are_named_once_in_order() -> None:
    assert placeholders("{{ b }} {{ a.c }} {{b}}") == ("b", "a.c")


def ranked(intent: Prediction | None, *, macros: tuple[Macro, ...] = ALL) -> list[tuple[str, str]]:
    return [(found.macro.name, found.reason) for found in rank(macros, intent=intent, values={})]


def test_macros_of_the_intent_come_first() -> None:
    intent = prediction("get_refund", probability=0.7, others={"track_order": 0.2})
    assert ranked(intent) == [
        ("Refund: policy", "intent"),
        ("Refund: sent", "intent"),
        ("Where it is", "intent_second"),
        ("We look into it", "general"),
    ]


def test_an_abstained_intent_is_offered_as_uncertain() -> None:
    assert ranked(prediction("track_order", probability=0.3, abstained=True))[0] == ("Where it is", "intent_uncertain")


def test_without_an_intent_only_general_macros_are_offered() -> None:
    assert ranked(None) == [("We look into it", "general")]
    assert ranked(prediction("out_of_scope")) == [("We look into it", "general")]


def test_acceptance_decides_between_equals_and_not_against_the_intent() -> None:
    liked = Macro(id=9, name="z liked", body="", intents=("get_refund",))
    disliked = Macro(id=8, name="a disliked", body="", intents=("get_refund",))
    other = Macro(id=7, name="other", body="", intents=("track_order",))
    intent = prediction("get_refund", probability=0.6, others={"track_order": 0.4})
    tallies = {
        9: Tally(n_accepted=80, n_edited=20, kept=90.0),
        8: Tally(n_rejected=100),
        7: Tally(n_accepted=100, kept=100.0),
    }
    found = rank((disliked, other, liked), intent=intent, values={}, tallies=tallies)
    assert [one.macro.name for one in found] == ["z liked", "a disliked", "other"]


@pytest.mark.parametrize(
    ("sent", "expected", "least", "most"),
    [
        ("Hi Ana, your case is 7.", "accepted", 1.0, 1.0),
        ("Hi Ana,\n your case is 7 and a half.", "accepted", 1.0, 1.0),
        ("Hi Ana, your case is 7. We are sorry.", "edited", 0.5, 0.95),
        ("Something else entirely", "edited", 0.0, 0.2),
    ],
)
def test_what_was_kept_of_an_offer(sent: str, expected: str, least: float, most: float) -> None:
    found, kept = verdict(sent, offered="Hi Ana, your case is {{ case_no }}.")
    assert found == expected
    assert least <= kept <= most


@pytest.mark.parametrize(
    ("body", "broken"),
    [("Hi {{ order_no }}", None), ("Hi {{ order no }}", "{{ order no }}"), ("Hi {{ x", "{{ x"), ("a }} b", "}} b")],
)
def test_a_broken_placeholder_is_found(body: str, broken: str | None) -> None:
    assert broken_placeholder(body) == broken


def test_a_suggestion_shows_what_is_missing_and_the_limit_holds() -> None:
    first, *rest = rank((REFUND, POLICY), intent=prediction("get_refund"), values={"order_no": "FH-1"}, limit=2)[::-1]
    assert first.filled == "Hi {{ customer.name }}, order FH-1."
    assert first.missing == ("customer.name",)
    assert len(rest) == 1
    assert len(rank(ALL, intent=prediction("get_refund"), values={}, limit=1)) == 1
