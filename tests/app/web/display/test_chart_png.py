"""Charts as pictures: what is drawn, letters and all."""

from __future__ import annotations

import pytest

from app.web.display import chart_png


def _drawing(text: str) -> str:
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="100" height="40"><text x="4" y="20">{text}</text></svg>'


@pytest.mark.parametrize("text", ["Net −0.5", "Größe 100 %", "+1 · 3 Nov"])
def test_letters_are_drawn_with_the_font_that_comes_along(text: str) -> None:
    empty, told, other = (chart_png.png(_drawing(one)) for one in ("", text, f"{text}!"))
    assert len({empty, told, other}) == 3
    assert told == chart_png.png(_drawing(text))


def test_a_script_that_the_font_lacks_does_no_harm() -> None:
    assert chart_png.png(_drawing("负面占比 12 %")).startswith(b"\x89PNG")
