"""A cleaned text by its body: whatever it is, it comes back as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.db import open_database
from app.desk.store.messages import TextParts, text_parts

CASES: list[tuple[str, str, TextParts]] = [
    ("Where is it?", "Where is it?", (None, None)),
    ("Where is it?", "Order 7\nWhere is it?", ("Order 7\n", None)),
    ("Where is it?\n-- \nBo", "Where is it?", (None, 12)),
    ("Wo ist 我的订单 🙂?\n\n-- \nBo", "Bestellung\nWo ist 我的订单 🙂?", ("Bestellung\n", 14)),
    ("> You wrote", "", (None, 0)),
    ("One\n> two\nthree", "One\nthree", ("One\nthree", 0)),
    ("One\0two\n-- \nBo", "One\0two", ("One\0two", 0)),
    ("One\0two", "One\0two", (None, None)),
]


@pytest.mark.parametrize(("body", "text", "kept"), CASES)
def test_a_text_is_kept_by_its_body_and_read_as_it_was(tmp_path: Path, body: str, text: str, kept: TextParts) -> None:
    assert text_parts(body, text) == kept
    db = open_database(tmp_path / "desk.sqlite")
    with db.transaction() as tx:
        tx.execute("CREATE TABLE said AS SELECT ? AS body, ? AS text_head, ? AS text_kept", (body, *kept))
    made = db.value("SELECT sql FROM sqlite_master WHERE name = 'message'").split("GENERATED ALWAYS AS")[1]
    assert db.value(f"SELECT {made.split('VIRTUAL')[0]} FROM said") == text
    db.close()
