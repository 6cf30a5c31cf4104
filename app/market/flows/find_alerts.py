"""Alerts found for the market's pages: those that fire, and when a subject was in alarm before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from app.core.permissions import Viewer
from app.core.registry import Registry
from app.core.services import Services
from app.market.domain.market import SubjectKind

ALERTS = "alerts"
"""The name under which the area of alerts registers its answers."""


class SubjectAlert(Protocol):
    """An alert as the market reads it: its subject, its state, and when it fired and ended (ms UTC)."""

    @property
    def subject_kind(self) -> SubjectKind:
        """The kind of the subject."""

    @property
    def subject_id(self) -> str:
        """The subject, as series name it."""

    @property
    def state(self) -> str:
        """The state: `firing`, `recovering`, …"""

    @property
    def firing_at(self) -> int | None:
        """When it fired."""

    @property
    def resolved_at(self) -> int | None:
        """When it was over."""


OPEN: Registry[Callable[[Services, Viewer | None], Sequence[SubjectAlert]]] = Registry()
"""Finds the alerts in the viewer's sight (None: all) that are not over."""

OF_SUBJECT: Registry[Callable[[Services, SubjectKind, str, Viewer], Sequence[SubjectAlert]]] = Registry()
"""Finds the newest alerts of a subject that the viewer may see."""


def open_ones(services: Services, *, viewer: Viewer | None = None) -> Sequence[SubjectAlert]:
    """Return the alerts in the viewer's sight (None: all) that are not over."""
    return OPEN[ALERTS](services, viewer)


def of_subject(
    services: Services, subject_kind: SubjectKind, subject_id: str, *, viewer: Viewer
) -> Sequence[SubjectAlert]:
    """Return the newest alerts of a subject that the viewer may see."""
    return OF_SUBJECT[ALERTS](services, subject_kind, subject_id, viewer)
