"""SLA policies as administrators keep them; a change holds for tickets that arrive or change from then on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import date
from zoneinfo import available_timezones

from app.core.db import Transaction
from app.core.durations import DAY_MS
from app.core.errors import Conflict, FieldError, InputError
from app.core.nouns import Fields, Noun
from app.desk.domain.sla_policy import Opening, SlaPolicy
from app.desk.store import queues

LONGEST_MS = 400 * DAY_MS


class SlaPolicyNoun(Noun[SlaPolicy]):
    """SLA policies; the default one stays, and queues of a removed one have the default."""

    name = "sla_policy"
    title = "SLA policy"
    permission = "settings:write"
    fields = frozenset({"name", "zone", "hours", "holidays", "first_response_ms", "resolution_ms"})

    def make(self, row: sqlite3.Row) -> SlaPolicy:
        """A policy out of its row."""
        return queues.as_policy(row)

    def check(self, tx: Transaction, given: Fields, was: SlaPolicy | None) -> Fields:
        """The fields of a policy; raises InputError with those at fault."""
        found = dict(given)
        if "hours" in found:
            found["hours"] = tuple((int(day), int(opens), int(closes)) for day, opens, closes in found["hours"])
        if "holidays" in found:
            found["holidays"] = tuple(found["holidays"])
        faults = list(_faults(found))
        if faults:
            raise InputError(faults[0].code, fields=faults, **dict(faults[0].params))
        return found

    def delete(self, tx: Transaction, row: SlaPolicy) -> None:
        """Remove a policy; raises Conflict `default_policy`."""
        if row.is_default:
            raise Conflict("default_policy", name=row.name)
        super().delete(tx, row)


SLA_POLICY = SlaPolicyNoun()


def _faults(values: Fields) -> Iterator[FieldError]:
    if "name" in values and not str(values["name"]).strip():
        yield FieldError(pointer="/name", code="empty")
    if "zone" in values and values["zone"] not in available_timezones():
        yield FieldError(pointer="/zone", code="unknown_value", params=(("value", str(values["zone"])),))
    for name in ("first_response_ms", "resolution_ms"):
        if name in values and not 60_000 <= values[name] <= LONGEST_MS:
            yield FieldError(pointer=f"/{name}", code="bad_allowance")
    if not all(_is_opening(one) for one in values.get("hours", ())):
        yield FieldError(pointer="/hours", code="bad_hours")
    for day in values.get("holidays", ()):
        try:
            date.fromisoformat(day)
        except ValueError:
            yield FieldError(pointer="/holidays", code="bad_day", params=(("value", str(day)),))


def _is_opening(opening: Opening) -> bool:
    weekday, opens, closes = opening
    return 0 <= weekday <= 6 and 0 <= opens < closes <= 1440
