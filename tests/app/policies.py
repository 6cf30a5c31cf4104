"""The policy of an installation for tests: that of the default settings, away from the folders of this checkout."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.core.config import Settings
from app.core.services import Policy


def make_policy(**changes: Any) -> Policy:
    """Return the policy of the default settings, without artifacts and feeds, with some fields changed."""
    return replace(Policy.of(Settings()), **{"artifact_folders": (), "feed_folder": None, **changes})
