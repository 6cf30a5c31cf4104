"""The demo's story keeps its promises before any model has read it."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from app.demo import story
from tests.shipped import newest

LABELS = newest() / "labels.json"


def test_it_is_worth_looking_at() -> None:
    n = {name: sum(1 for _ in story.rows(name)) for name in ("tickets", "macros", "articles", "entities", "posts")}
    assert n["tickets"] >= 300
    assert n["macros"] >= 60
    assert n["articles"] >= 40
    assert n["entities"] >= 12
    assert n["posts"] >= 500
    assert max(row["minutes_ago"] for row in story.rows("posts")) >= 6 * 7 * 24 * 60 - 24 * 60
    assert max(row["minutes_ago"] for row in story.rows("tickets")) >= 13 * 24 * 60


@pytest.mark.parametrize("name", ["tickets", "posts"])
def test_external_ids_are_unique(name: str) -> None:
    counts = Counter(row["external_id"] for row in story.rows(name))
    assert [one for one, n in counts.items() if n > 1] == []


def test_routes_name_queues_of_the_story() -> None:
    slugs = {queue["slug"] for queue in story.read("queues")}
    routes = story.read("routes")
    for task in routes["urgency"]:
        assert set(routes[task].values()) <= slugs
        assert set(routes["urgency"][task]) <= set(routes[task])
    assert {row["intake"] for row in story.rows("tickets")} <= slugs


def test_every_intent_of_the_shipped_model_has_its_queue() -> None:
    routes = story.read("routes")
    tasks = {task["name"]: task for task in json.loads(LABELS.read_text(encoding="utf-8"))["tasks"]}
    for name in routes["urgency"]:
        assert {label["id"] for label in tasks[name]["labels"]} == set(routes[name])


def test_macros_use_placeholders_that_are_filled_or_asked_for() -> None:
    asked_for = {"order_no"}
    filled = {"customer.name", "agent.name", "ticket.number"}
    used = {name for row in story.rows("macros") for name in re.findall(r"{{\s*([\w.]+)\s*}}", row["body"])}
    assert used <= filled | asked_for
