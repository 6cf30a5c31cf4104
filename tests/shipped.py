"""The artifacts that this repository ships."""

from __future__ import annotations

import re
from pathlib import Path

from tests.architecture import ROOT

MODELS = ROOT / "models"


def folders() -> list[Path]:
    """Every shipped artifact's folder."""
    return sorted(path.parent for path in MODELS.glob("*/manifest.json"))


def newest(name: str = "bellwether") -> Path:
    """The folder of the newest shipped version of a model."""
    versions = {folder: re.fullmatch(rf"{re.escape(name)}-([\d.]+)", folder.name) for folder in folders()}
    found = {folder: tuple(map(int, match[1].split("."))) for folder, match in versions.items() if match}
    return max(found, key=lambda folder: found[folder])
