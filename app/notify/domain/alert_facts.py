"""The facts of an alert that a notification keeps, in no language; sentences and payloads are made of them later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LABELS = ("alertname", "severity", "subject_kind", "subject", "ticker", "sector")
"""The labels of an alert that routes choose by."""


@dataclass(frozen=True, kw_only=True)
class AlertFacts:
    """An alert as it was when a notification of it was queued: codes, figures and names; times in ms UTC.

    `subject` is the name of the company or topic (empty for the whole market), `reason` the transition's, `observed`
    the figures that the rule saw, and `stories` the titles that stand for the news, those told most often first.
    """

    alert_id: int
    rule_id: int
    rule: str
    subject_kind: str
    subject_id: str
    subject: str
    ticker: str = ""
    sector: str = ""
    state: str
    reason: str
    severity: str
    started_at: int
    firing_at: int | None = None
    resolved_at: int | None = None
    model: str = ""
    observed: Mapping[str, Any] = field(default_factory=dict)
    stories: tuple[str, ...] = ()

    @property
    def is_over(self) -> bool:
        """True once the alert is resolved."""
        return self.state == "resolved"

    @property
    def began_at(self) -> int:
        """When it fired, or when its condition was first met."""
        return self.firing_at or self.started_at

    @property
    def labels(self) -> dict[str, str]:
        """The values of `LABELS`."""
        subject = self.subject or self.subject_id
        values = (self.rule, self.severity, self.subject_kind, subject, self.ticker, self.sector)
        return dict(zip(LABELS, values, strict=True))

    def url(self, base_url: str) -> str:
        """Return the address of the alert's page."""
        return f"{base_url}/alerts/alr_{self.alert_id}"


def alerts_in(body: Mapping[str, Any]) -> list[AlertFacts]:
    """Return the facts of every alert in the body of a notification."""
    return [AlertFacts(**{**kept, "stories": tuple(kept["stories"])}) for kept in body["alerts"]]
