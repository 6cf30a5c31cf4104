"""The folder of the corpora, which lies beside the checkout and is no part of it."""

from __future__ import annotations

from pathlib import Path

from tests.architecture import ROOT
from training.config import settings


def folder() -> Path:
    """The corpora's folder, as BELLWETHER_DATA says; a relative one is taken from the root of the checkout."""
    return ROOT / settings().data
