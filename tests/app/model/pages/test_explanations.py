"""Words with their weights, as they are drawn."""

from __future__ import annotations

from app.core.engine_interface import Word
from app.model.pages.explanations import pieces

TEXT = "My card was stolen today"


def test_the_whole_text_is_kept_and_the_strongest_word_stands_out() -> None:
    weights = [
        Word(start=3, end=7, weight=0.1),
        Word(start=12, end=18, weight=0.6),
        Word(start=19, end=24, weight=-0.3),
    ]
    cut = pieces(TEXT, weights=weights)
    assert "".join(piece.text for piece in cut) == TEXT
    assert {piece.text: (piece.strength, piece.is_against) for piece in cut if piece.strength} == {
        "card": (1, False),
        "stolen": (3, False),
        "today": (2, True),
    }


def test_weights_of_next_to_nothing_mark_no_word() -> None:
    assert pieces(TEXT, weights=[Word(start=0, end=2, weight=0.01)]) == ()
    assert pieces(TEXT, weights=[]) == ()
