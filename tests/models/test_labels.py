"""Labels and tasks: slugs, order, and the way to disk and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.labels import load_tasks, make_task, save_tasks, slug


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Fed | Central Banks", "fed_central_banks"),
        ("card_arrival", "card_arrival"),
        ("Refund_not_showing_up", "refund_not_showing_up"),
        ("M&A | Investments", "m_a_investments"),
        ("Überweisung", "uberweisung"),
        ("can't pay", "cant_pay"),
        ("退款", "u9000_u6b3e"),
        ("", "empty"),
    ],
)
def test_slug(name: str, expected: str) -> None:
    assert slug(name) == expected


def test_order_of_labels_survives_the_disk(tmp_path: Path) -> None:
    task = make_task("t", role="intent", kind="single", pooling="mean", labels=["zebra", "apple", "Middle One"])
    save_tasks(tmp_path / "labels.json", tasks=[task])
    loaded = load_tasks(tmp_path / "labels.json")
    assert loaded == {"t": task}
    assert loaded["t"].names == ("zebra", "apple", "Middle One")
    assert loaded["t"].index()["middle_one"] == loaded["t"].index()["Middle One"] == 2
    assert loaded["t"].labels[2].title == "Middle One"


def test_two_labels_that_read_the_same_are_refused() -> None:
    with pytest.raises(ValueError, match=r"'card arrival' and 'Card_Arrival' read the same"):
        make_task("t", role="intent", kind="single", pooling="mean", labels=["card arrival", "Card_Arrival"])


def test_unknown_role_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    path.write_text('{"tasks": [{"name": "t", "role": "mood", "kind": "single", "pooling": "mean", "labels": []}]}')
    with pytest.raises(ValueError, match="'t' has an unknown role"):
        load_tasks(path)
