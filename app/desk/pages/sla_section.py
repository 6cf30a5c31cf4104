"""The administrator's section of SLA policies; opening hours are typed as `Mon-Fri 09:00-18:00`, one a line."""

from __future__ import annotations

import re
from typing import Any

from flask_babel import lazy_gettext as _l

from app.core.durations import HOUR_MS
from app.core.errors import InputError
from app.core.nouns import Fields
from app.desk.domain.sla_policy import Opening, SlaPolicy
from app.desk.flows import show_queues
from app.desk.flows.keep_sla_policies import SLA_POLICY
from app.desk.forms import EditPolicy
from app.people.pages.admin_section import Row, Section
from app.web.access import services, viewer
from app.web.display.formats import span
from app.web.display.translation import gettext as _

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_LINE = re.compile(r"([a-z]{3})(?:\s*[-–]\s*([a-z]{3}))?\s+(\d{1,2}):(\d\d)\s*[-–]\s*(\d{1,2}):(\d\d)", re.I)


def hours_of(text: str) -> tuple[Opening, ...]:
    """The openings of lines of days and times; raises InputError `bad_hours` for any other line."""
    return tuple(sorted(one for line in text.splitlines() if line.strip() for one in _openings(line.strip())))


def _openings(line: str) -> list[Opening]:
    found = _LINE.fullmatch(line)
    names = [name.lower() for name in DAYS]
    if found is None or found[1].lower() not in names or (found[2] or "mon").lower() not in names:
        raise InputError("bad_hours")
    first, last = names.index(found[1].lower()), names.index((found[2] or found[1]).lower())
    opens, closes = int(found[3]) * 60 + int(found[4]), int(found[5]) * 60 + int(found[6])
    days = range(first, last + 1) if first <= last else [*range(first, 7), *range(last + 1)]
    return [(day, opens, closes) for day in days]


def text_of(hours: tuple[Opening, ...]) -> str:
    """The lines of openings; neighbouring days with the same times share a line."""
    lines: list[tuple[int, int, int, int]] = []
    for day, opens, closes in sorted(hours, key=lambda one: (one[1], one[2], one[0])):
        if lines and lines[-1][2:] == (opens, closes) and lines[-1][1] == day - 1:
            lines[-1] = (lines[-1][0], day, opens, closes)
        else:
            lines.append((day, day, opens, closes))
    return "\n".join(_line(*one) for one in sorted(lines))


def _line(first: int, last: int, opens: int, closes: int) -> str:
    days = DAYS[first] if first == last else f"{DAYS[first]}-{DAYS[last]}"
    return f"{days} {opens // 60:02d}:{opens % 60:02d}-{closes // 60:02d}:{closes % 60:02d}"


def rows() -> list[Row]:
    """Every policy with its times and its queues."""
    held: dict[int | None, list[str]] = {}
    for queue in show_queues.every(services()):
        held.setdefault(queue.sla_policy_id, []).append(queue.title)
    return [Row(id=policy.id, cells=_cells(policy, held=held)) for policy in show_queues.policies(services())]


def _cells(policy: SlaPolicy, *, held: dict[int | None, list[str]]) -> tuple[str, ...]:
    named = held.get(policy.id, [])
    return (
        policy.name,
        span(policy.first_response_ms),
        span(policy.resolution_ms),
        text_of(policy.hours).replace("\n", "; ") or _("around the clock"),
        policy.zone,
        str(len(policy.holidays)),
        ", ".join([_("every other queue"), *named] if policy.is_default else named) or "—",
    )


def values(number: int) -> Fields:
    """The fields of a policy in the units of its form."""
    policy = SLA_POLICY.get(services().db, number, viewer=viewer())
    return {
        "name": policy.name,
        "zone": policy.zone,
        "first_hours": policy.first_response_ms / HOUR_MS,
        "resolution_hours": policy.resolution_ms / HOUR_MS,
        "hours": text_of(policy.hours),
        "holidays": "\n".join(policy.holidays),
    }


def _given(form: Any) -> Fields:
    return {
        "name": form.name.data,
        "zone": form.zone.data,
        "first_response_ms": round(float(form.first_hours.data) * HOUR_MS),
        "resolution_ms": round(float(form.resolution_hours.data) * HOUR_MS),
        "hours": hours_of(form.hours.data or ""),
        "holidays": tuple(dict.fromkeys((form.holidays.data or "").split())),
    }


SECTION = Section(
    slug="sla",
    noun=SLA_POLICY,
    icon="stopwatch",
    title=_l("SLA"),
    one=_l("SLA policy"),
    about=_l("How soon a normal ticket is answered and solved: low ×2, high ×½, urgent ×¼, in opening hours."),
    heads=(
        *(_l("Name"), _l("First response"), _l("Resolution"), _l("Opening hours")),
        *(_l("Time zone"), _l("Holidays"), _l("Holds for")),
    ),
    rows=rows,
    form=EditPolicy,
    values=values,
    given=_given,
    is_removable=True,
)
