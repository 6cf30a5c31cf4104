"""Bootstrap's icons as inline SVG: the sprite of the Bootstrap-Flask package is read once, and no icon is requested."""

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
    """Markup of this program that a template does not escape."""

    markup: str

    def __html__(self) -> str:
        """Return the markup, for Jinja."""
        return self.markup


@lru_cache(maxsize=256)
def icon(name: str) -> Drawing:
    """Return a Bootstrap icon as inline SVG, hidden from screen readers; raises KeyError for an unknown name."""
    box, paths = _sprite()[name]
    return Drawing(f'<svg class="bi" viewBox="{box}" aria-hidden="true" focusable="false">{paths}</svg>')
