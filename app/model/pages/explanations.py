"""The words behind an answer, as pieces of the text with a strength to draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.engine_interface import Word

WEAKEST = 0.02


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A stretch of the text: `strength` 0 (plain) to 3 (strongest), and whether it spoke against the label."""

    text: str
    weight: float = 0.0
    strength: int = 0
    is_against: bool = False


def _strength(weight: float, *, strongest: float) -> int:
    if abs(weight) < WEAKEST or strongest <= 0:
        return 0
    return max(1, min(3, round(3 * abs(weight) / strongest)))


def pieces(text: str, *, weights: Sequence[Word]) -> tuple[Piece, ...]:
    """Return the whole text in pieces; none when no word mattered (every weight below 0.02)."""
    strongest = max((abs(weight.weight) for weight in weights), default=0.0)
    if strongest < WEAKEST:
        return ()
    cut: list[Piece] = []
    at = 0
    for weight in sorted(weights, key=lambda entry: entry.start):
        if weight.start > at:
            cut.append(Piece(text=text[at : weight.start]))
        strength = _strength(weight.weight, strongest=strongest)
        is_against = weight.weight < 0 and strength > 0
        shown = text[weight.start : weight.end]
        cut.append(Piece(text=shown, weight=weight.weight, strength=strength, is_against=is_against))
        at = weight.end
    return (*cut, Piece(text=text[at:])) if at < len(text) else tuple(cut)
