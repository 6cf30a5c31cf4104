"""Routes: which receiver hears of which alert, when, and together with what; pure functions of alert and time.

Every notice has a key that depends on its episode alone: it is sent once, however often it is asked for, also after a
restart. A notice that is held back now (silenced, muted, quiet hours, not yet escalated) is asked for again later.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Protocol
from zoneinfo import ZoneInfo

from app.core.errors import FieldError, InputError
from app.notify.domain.alert_facts import LABELS
from app.notify.domain.notification import LONGEST_VALUE, MOST_MATCHERS, Notice, Receiver

OPERATORS = ("=", "!=", "=~", "!~")
DAY_MINUTES = 1440


class Episode(Protocol):
    """An alert as routes read it; times in ms UTC."""

    @property
    def id(self) -> int:
        """The alert."""

    @property
    def started_at(self) -> int:
        """When its condition was first met."""

    @property
    def firing_at(self) -> int | None:
        """When it fired."""

    @property
    def acknowledged_at(self) -> int | None:
        """When somebody took it up."""


_MATCHER = re.compile(r"\s*(\w+)\s*(=~|!~|!=|=)\s*\"?(.*?)\"?\s*$")


def parsed_matchers(text: str) -> tuple[dict[str, str], ...]:
    """Return matchers as people write them, one a line: `sector = "Energy"`, `severity =~ "warning|critical"`.

    Raises InputError `bad_matcher` with the line at fault.
    """
    found = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        match = _MATCHER.match(line)
        if match is None:
            raise _bad(line)
        found.append({"name": match[1], "op": match[2], "value": match[3]})
    return checked_matchers(found)


def checked_matchers(matchers: Sequence[Mapping[str, str]]) -> tuple[dict[str, str], ...]:
    """Return matchers whose names, operators and patterns are known; raise InputError `bad_matcher` otherwise."""
    if len(matchers) > MOST_MATCHERS:
        raise _bad(str(matchers[MOST_MATCHERS].get("name")))
    return tuple(_checked(matcher) for matcher in matchers)


def _checked(matcher: Mapping[str, str]) -> dict[str, str]:
    name, op, value = (str(matcher.get(key, "")) for key in ("name", "op", "value"))
    is_known = name in LABELS and op in OPERATORS and len(value) <= LONGEST_VALUE
    if not is_known:
        raise _bad(f"{name} {op} {value}")
    return {"name": name, "op": op, "value": value}


def _bad(line: str) -> InputError:
    params = {"line": line[:100], "known": ", ".join(LABELS)}
    fault = FieldError(pointer="/matchers", code="bad_matcher", params=tuple(params.items()))
    return InputError("bad_matcher", fields=[fault], **params)


def matches(receiver: Receiver, *, labels: Mapping[str, str]) -> bool:
    """Return True if every matcher of a receiver's route holds; `=~` takes alternatives (`|`) with wildcards (`*`)."""
    return all(_holds(matcher, value=labels.get(matcher["name"], "")) for matcher in receiver.matchers)


def _holds(matcher: Mapping[str, str], *, value: str) -> bool:
    if matcher["op"] in ("=", "!="):
        return (value.casefold() == matcher["value"].casefold()) == (matcher["op"] == "=")
    found = any(_is_like(value, pattern=pattern) for pattern in matcher["value"].split("|"))
    return found == (matcher["op"] == "=~")


def _is_like(value: str, *, pattern: str) -> bool:
    # Not a regular expression of the user's, which could be made to run for ever; fnmatch does not go back.
    return fnmatchcase(value.casefold(), pattern.strip().casefold())


def is_quiet(receiver: Receiver, *, now: int) -> bool:
    """Return True if `now` (ms UTC) lies in the receiver's quiet hours, which may run over midnight."""
    start, end = receiver.quiet_from, receiver.quiet_until
    if start is None or end is None or start == end:
        return False
    local = datetime.fromtimestamp(now / 1000, ZoneInfo(receiver.zone))
    minute = local.hour * 60 + local.minute
    return start <= minute < end if start < end else minute >= start or minute < end


def digest_due(receiver: Receiver, *, now: int) -> int | None:
    """Return the latest time (ms UTC) at which a digest was due, unless one has gone out since."""
    if receiver.digest_at is None:
        return None
    local = datetime.fromtimestamp(now / 1000, ZoneInfo(receiver.zone))
    hour, minute = divmod(receiver.digest_at % DAY_MINUTES, 60)
    moment = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
    if moment > local:
        # By the calendar and not by 24 hours, so that the hour stays when clocks change.
        moment = (moment.replace(tzinfo=None) - timedelta(days=1)).replace(tzinfo=ZoneInfo(receiver.zone))
    at = round(moment.astimezone(UTC).timestamp() * 1000)
    return at if at > receiver.digested_at else None


def group_key(receiver: Receiver, *, kind: str, labels: Mapping[str, str]) -> str | None:
    """Return the key that alerts of one message share, or None when each goes out alone."""
    if receiver.group_by == "sector":
        return f"{kind}:sector:{labels.get('sector', '')}"
    return f"{kind}:all" if receiver.group_by == "all" else None


def begun(alert: Episode, *, receiver: Receiver, now: int) -> Iterator[Notice]:
    """Yield the notices of a firing alert that are due by now, whatever the quiet hours.

    The first is its beginning, or that nobody acknowledged it for `escalate_ms`; then one for every `repeat_ms`.
    """
    fired = alert.firing_at if alert.firing_at is not None else alert.started_at
    elapsed = now - fired
    is_taken = alert.acknowledged_at is not None
    if not receiver.escalate_ms:
        yield Notice(kind="firing", key=key_of(alert, kind="firing", receiver=receiver))
    elif not is_taken and elapsed >= receiver.escalate_ms:
        yield Notice(kind="escalation", key=key_of(alert, kind="escalation", receiver=receiver))
    n = elapsed // receiver.repeat_ms if receiver.repeat_ms else 0
    if n >= 1 and not is_taken and elapsed >= receiver.escalate_ms:
        yield Notice(kind="repeat", key=f"{key_of(alert, kind='repeat', receiver=receiver)}_{n}")


def ended(alert: Episode, *, receiver: Receiver) -> Notice:
    """Return the notice that an alert is over."""
    return Notice(kind="resolved", key=key_of(alert, kind="resolved", receiver=receiver))


def key_of(alert: Episode, *, kind: str, receiver: Receiver) -> str:
    """Return the key of a notice: one for each episode, kind and receiver."""
    return f"msg_alr_{alert.id}_{alert.firing_at}_{kind}_{receiver.id}"
