"""Cells that no spreadsheet calculates."""

from __future__ import annotations

import pytest

from app.web.display.spreadsheet import cell

FORMULAS = (
    "=1+1", "+1", "-1", "@SUM(A1)", "＝1+1", "＋1", "－1", "＠x", "﹢1", "﹦1", "﹣1", "﹫x", "−1",
    " =1", "\u3000＝1", "\u00a0=1", "\t=1", "\r=1", "\n=1", "\ttext", "\rtext", "\u200b=1", "\ufeff=1",
    "\x00=1", "\x0b@x",
)  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_what_could_be_calculated_gets_an_apostrophe(text: str) -> None:
    assert cell(text) == "'" + text


@pytest.mark.parametrize("text", ["", " ", "fine", "1 = 1", "a=b", "’=1", "你好＝1", "1-2", "#tag", "\u200bfine"])
def test_other_texts_stay(text: str) -> None:
    assert cell(text) == text


def test_numbers_stay_numbers() -> None:
    assert [cell(value) for value in (-3, 2.5, True, False, None)] == [-3, 2.5, 1, 0, ""]
