"""Which artifact answers: live, in shadow, or gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """An artifact `name@version` put into a slot at a time, by whom; the newest row of a slot is in force."""

    id: int
    model: str
    slot: Literal["live", "shadow"]
    at: int
    actor_id: str
