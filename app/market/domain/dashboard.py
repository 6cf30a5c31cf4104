"""Dashboards of the market: subjects side by side over a period."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

DAYS = (2, 7, 14, 28, 84)
"""The periods that it can be drawn for."""

MOST_SUBJECTS = 12


@dataclass(frozen=True, kw_only=True)
class Dashboard:
    """Subjects over so many days, None for the usual ones; keys are `market` or a kind and a name: `entity:AAPL`."""

    subjects: tuple[str, ...] = ()
    days: int | None = None

    @property
    def query(self) -> str:
        """The part of the page's address that is the dashboard, in one order, so that equal ones are equal texts."""
        days = [] if self.days is None else [("days", str(self.days))]
        return urlencode([*days, *(("s", key) for key in self.subjects)])


def dashboard(subjects: Iterable[str], *, days: str | int | None = None) -> Dashboard:
    """Return the dashboard of these subjects, each once; a period that there is none of is left out."""
    known = {str(one): one for one in DAYS}
    return Dashboard(subjects=tuple(dict.fromkeys(subjects))[:MOST_SUBJECTS], days=known.get(str(days)))


def of_query(query: str) -> Dashboard:
    """Return the dashboard that the part of an address after the `?` names."""
    said = parse_qsl(query)
    days = next((value for name, value in said if name == "days"), None)
    return dashboard((value for name, value in said if name == "s"), days=days)
