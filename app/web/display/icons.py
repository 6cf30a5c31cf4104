"""Bootstrap's icons, drawn into the page: one read of the sprite in the Bootstrap-Flask wheel, no request for each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

_SYMBOL = re.compile(r'<symbol [^>]*?viewBox="([^"]+)"[^>]*? id="([^"]+)">(.*?)</symbol>', re.DOTALL)


@lru_cache(maxsize=1)
def _sprite() -> dict[str, tuple[str, str]]:
    source = files("flask_bootstrap") / "static" / "bootstrap5" / "icons" / "bootstrap-icons.svg"
    text = source.read_text(encoding="utf-8")
    return {name: (box, paths) for box, name, paths in _SYMBOL.findall(text)}


@dataclass(frozen=True)
class Drawing:
    """Markup of ours that a template shows as it is."""

    markup: str

    def __html__(self) -> str:
        """The markup, for Jinja."""
        return self.markup


@lru_cache(maxsize=256)
def icon(name: str) -> Drawing:
    """An inline SVG of a Bootstrap icon, hidden from screen readers; an unknown name raises KeyError."""
    box, paths = _sprite()[name]
    return Drawing(f'<svg class="bi" viewBox="{box}" aria-hidden="true" focusable="false">{paths}</svg>')
