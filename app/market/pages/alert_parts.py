"""The parts of the market's pages that are about alerts; the area of alerts draws them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from markupsafe import Markup

from app.core.registry import Registry
from app.market.domain.market import SubjectKind
from app.market.flows.find_alerts import ALERTS, SubjectAlert

Subject = tuple[SubjectKind, str]


class AlertParts(Protocol):
    """Draws what the reader may see of alerts; nothing where there is nothing to show."""

    def firing(self, *, subjects: Collection[Subject] | None = None, most: int | None = None) -> Markup:
        """The alerts that fire, of these subjects (None: all), at most so many."""

    def open_ones(self, alerts: Sequence[SubjectAlert], *, title: str) -> Markup:
        """Cards of those of a subject's alerts that are not over."""

    def past(
        self,
        alerts: Sequence[SubjectAlert],
        *,
        subject: Subject,
        none_yet: str,
        is_over: bool = False,
        can_report: bool = False,
    ) -> Markup:
        """A panel of a subject's alerts, or `none_yet`.

        `is_over`: only those that are over; `can_report`: with a form to report bad news that nobody was told of.
        """


DRAWN: Registry[AlertParts] = Registry()


def parts() -> AlertParts:
    """Return what draws these parts."""
    return DRAWN[ALERTS]
