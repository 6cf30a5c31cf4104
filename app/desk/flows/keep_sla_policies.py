"""SLA policies as administrators keep them; a change holds for tickets that arrive or change from then on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from zoneinfo import available_timezones

from app.core.durations import DAY_MS
from app.core.errors import Conflict, FieldError, InputError
from app.core.events import history
from app.core.permissions import Viewer
from app.core.services import Services
from app.desk.domain.sla_policy import Opening, SlaPolicy
from app.desk.store import sla_policies

LONGEST_MS = 400 * DAY_MS
_FIELDS = frozenset({"name", "zone", "hours", "holidays", "first_response_ms", "resolution_ms"})


def add_policy(services: Services, *, viewer: Viewer, **values: Any) -> SlaPolicy:
    """Add a policy; raises InputError with the fields at fault, Conflict when the name is taken."""
    _check(values)
    with services.db.transaction() as tx:
        policy_id = sla_policies.insert(tx, values=values)
        after = {"name": values.get("name", "")}
        history.record(tx, actor=history.of(viewer), verb="created", noun="sla_policy", noun_id=policy_id, after=after)
        return sla_policies.get(tx, policy_id)


def change_policy(
    services: Services, policy_id: int, *, viewer: Viewer, changes: Mapping[str, Any], version: int | None = None
) -> SlaPolicy:
    """Change a policy; raises NotFound, Stale, InputError, Conflict."""
    _check(changes)
    with services.db.transaction() as tx:
        was = sla_policies.get(tx, policy_id)
        policy = sla_policies.update(tx, policy_id, changes=changes, version=version)
        before = {key: getattr(was, key) for key in changes}
        history.record(
            tx,
            actor=history.of(viewer),
            verb="edited",
            noun="sla_policy",
            noun_id=policy_id,
            before=before,
            after=changes,
        )
        return policy


def remove_policy(services: Services, policy_id: int, *, viewer: Viewer) -> None:
    """Remove a policy; its queues have the default one then, which itself stays: Conflict `default_policy`."""
    with services.db.transaction() as tx:
        was = sla_policies.get(tx, policy_id)
        if was.is_default:
            raise Conflict("default_policy", name=was.name)
        sla_policies.delete(tx, policy_id)
        before = {"name": was.name}
        history.record(
            tx, actor=history.of(viewer), verb="deleted", noun="sla_policy", noun_id=policy_id, before=before
        )


def _check(values: Mapping[str, Any]) -> None:
    unknown = sorted(set(values) - _FIELDS)
    if unknown:
        raise InputError("unknown_field", field=unknown[0])
    faults = list(_faults(values))
    if faults:
        raise InputError(faults[0].code, fields=faults, **dict(faults[0].params))


def _faults(values: Mapping[str, Any]) -> Iterator[FieldError]:
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
