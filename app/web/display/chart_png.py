"""Charts as PNG, drawn by resvg from the SVG of a page."""

from __future__ import annotations

import re
from importlib.resources import files

import font_lato
import resvg_py

SHARPNESS = 2
"""Pixels for each unit of the drawing, for sharp lines on paper and on dense screens."""

# Characters of the packaged font; others are searched in the fonts of the machine, which is slower.
_LATIN = re.compile(r"[\u0000-\u024f\u2010-\u2026\u20ac\u2212]*")


def png(drawing: str) -> bytes:
    """Return an SVG as PNG; characters that no font has are left out."""
    folder = files(font_lato) / "files"
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=drawing,
            zoom=SHARPNESS,
            skip_system_fonts=_LATIN.fullmatch(drawing) is not None,
            font_files=[str(folder / name) for name in ("Lato-Regular.ttf", "Lato-Bold.ttf")],
            font_family="Lato",
            sans_serif_family="Lato",
        )
    )
