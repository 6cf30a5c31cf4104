"""The native reading: roles, targets, reasons, and errors that stay with their item."""

from __future__ import annotations

from typing import Any

import pytest

from app.model.api.analyze_api import span
from tests.app.site import Caller, Site

TEXT = "Apple profit is up while Tesla shares fall"


@pytest.fixture(scope="module")
def api(model_site: Site) -> Caller:
    """A caller that may ask the model."""
    return model_site.caller("predict")


def _items(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.get_data(as_text=True)
    found: list[dict[str, Any]] = answer.get_json()["items"]
    return found


def test_every_role_by_default(api: Caller) -> None:
    answer = api("POST", "/api/v1/analyze", json={"items": [{"id": "m1", "text": "where is my order?"}]})
    item = _items(answer)[0]
    assert item["id"] == "m1"
    assert {"intent", "sentiment", "emotion", "market_sentiment", "market_topic"} <= set(item)
    assert item["intent"]["task"] == "banking_intent"
    assert {"label", "score", "band", "band_precision", "abstained", "set", "ranking"} <= set(item["intent"])
    assert -1 <= item["sentiment"]["value"] <= 1
    assert item["tokens"]["used"] == item["tokens"]["total"] > 0
    told = answer.get_json()
    assert told["model"] | {"sha256": ""} == {"id": "tiny", "version": "1.0", "sha256": "", "dtype": "int8"}
    assert told["timing_ms"]["total"] > 0


@pytest.mark.parametrize("name", ["roles", "heads"])
def test_only_the_roles_asked_for(api: Caller, name: str) -> None:
    item = _items(api("POST", "/api/v1/analyze", json={"items": [{"text": "help"}], name: ["sentiment"]}))[0]
    assert "sentiment" in item
    assert "intent" not in item
    assert "id" not in item


def test_another_intent_task(api: Caller) -> None:
    sent = {"items": [{"text": "help"}], "roles": ["intent"], "intent_task": "commerce_intent"}
    assert _items(api("POST", "/api/v1/analyze", json=sent))[0]["intent"]["task"] == "commerce_intent"


def test_an_unknown_role_lists_the_roles(api: Caller) -> None:
    answer = api("POST", "/api/v1/analyze", json={"items": [{"text": "help"}], "roles": ["sentiment", "horoscope"]})
    assert answer.status_code == 422
    fault = answer.get_json(force=True)["errors"][0]
    assert fault["pointer"] == "/roles/1"
    assert "market_topic" in fault["detail"]


def test_a_bad_item_keeps_its_error_to_itself(api: Caller) -> None:
    sent = {"items": [{"text": "help"}, {"id": 7, "text": " "}, {"text": 4}, {"text": "thanks", "targets": ["nope"]}]}
    items = _items(api("POST", "/api/v1/analyze", json=sent))
    assert "error" not in items[0]
    assert items[1] == {"id": 7, "error": {**items[1]["error"], "pointer": "/items/1/text", "code": "empty"}}
    assert items[2]["error"]["code"] == "not_text"
    assert items[3]["error"]["pointer"] == "/items/3/targets/0"


def test_the_call_fails_when_every_item_does(api: Caller) -> None:
    answer = api("POST", "/api/v1/analyze", json={"items": [{"text": ""}, {"text": "\n"}]})
    assert answer.status_code == 422
    assert len(answer.get_json(force=True)["errors"]) == 2


@pytest.mark.parametrize("sent", [{}, {"items": []}, {"items": "x"}, {"items": [1]}, {"items": [{}]}])
def test_bad_calls(api: Caller, sent: Any) -> None:
    answer = api("POST", "/api/v1/analyze", json=sent)
    assert answer.status_code == 422
    assert answer.get_json(force=True)["errors"][0]["pointer"].startswith("/items")


def test_targets_by_text_and_by_place(api: Caller) -> None:
    start = TEXT.index("Tesla")
    sent = {"items": [{"text": TEXT, "targets": ["Apple", {"start": start, "end": start + 5}]}]}
    targets = _items(api("POST", "/api/v1/analyze", json=sent))[0]["targets"]
    assert [(one["start"], one["text"]) for one in targets] == [(0, "Apple"), (start, "Tesla")]
    first, second = (one["market_sentiment"]["ranking"] for one in targets)
    assert first != second


def test_reasons_are_measured_on_the_words(api: Caller) -> None:
    text = "where is my order?"
    sent = {"items": [{"text": text}], "roles": ["intent"], "explain": "tokens"}
    found = _items(api("POST", "/api/v1/analyze", json=sent))[0]["explanations"]["intent"]
    assert [text[one["start"] : one["end"]] for one in found["tokens"]] == text.split()
    assert any(one["weight"] for one in found["tokens"])
    assert -1 <= found["fidelity"] <= 1
    assert found["read_as"] == []


def test_reasons_for_many_texts_are_refused(api: Caller) -> None:
    answer = api("POST", "/api/v1/analyze", json={"items": [{"text": "a"}] * 17, "explain": "tokens"})
    assert answer.status_code == 413


def test_a_language_that_is_not_read_is_said_so(api: Caller) -> None:
    text = "Bonjour, je voudrais savoir pourquoi ma carte bancaire n'est toujours pas arrivée chez moi cette semaine."
    item = _items(api("POST", "/api/v1/analyze", json={"items": [{"text": text}]}))[0]
    assert item["lang"] == {"code": "fr", "supported": False}
    assert item["intent"]["abstained"]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("Apple", (0, 5)),
        ("", None),
        (" ", None),
        ("Microsoft", None),
        ({"start": 0, "end": 5}, (0, 5)),
        ({"start": 5, "end": 6}, None),
        ({"start": 5, "end": 5}, None),
        ({"start": -1, "end": 5}, None),
        ({"start": 0, "end": 1000}, None),
        ({"start": True, "end": 5}, None),
        ({"start": "0", "end": 5}, None),
        (None, None),
        ([0, 5], None),
    ],
)
def test_what_a_target_is(target: Any, expected: tuple[int, int] | None) -> None:
    assert span(target, text=TEXT) == expected
