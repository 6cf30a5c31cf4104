"""Reading times: ISO 8601, RFC 5322 mail dates, Unix seconds or milliseconds, days."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from email.utils import mktime_tz, parsedate_tz
from typing import Literal
from zoneinfo import ZoneInfo

Precision = Literal["second", "day"]

_DAY = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})|(\d{4})(\d{2})(\d{2})")
_UNIX = re.compile(r"\d{9,10}(?:\.\d{1,9})?|\d{12,13}")
_FRACTION = re.compile(r"([.,]\d{6})\d+")
_NO_ZONE = re.compile(r":\d\d$")
_LATEST_MS = 7_258_118_400_000  # the year 2200


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A time in milliseconds UTC with its precision; a day stands for its first moment in the feed's zone."""

    at: int
    precision: Precision = "second"


def moment(value: object, *, zone: str = "UTC") -> Moment | None:
    """Read a time, in `zone` where it names none; returns None for a value that is no time or outside 1970–2199."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    try:
        found = _from_text(str(value).strip()[:100], zone=ZoneInfo(zone))
    except (ValueError, OverflowError, OSError, TypeError, IndexError):
        return None
    return found if found and 0 <= found.at < _LATEST_MS else None


def _from_text(text: str, *, zone: tzinfo) -> Moment | None:
    if unix := _UNIX.fullmatch(text):
        number = float(unix.group())
        return Moment(at=round(number * 1000) if number < 1e11 else round(number))
    if day := _DAY.fullmatch(text):
        year, month, date = (int(part) for part in day.groups() if part)
        return Moment(at=_ms(datetime(year, month, date, tzinfo=zone)), precision="day")
    if text[:4].isdigit():
        return _from_iso(text, zone=zone)
    return _from_mail(text, zone=zone)


def _from_iso(text: str, *, zone: tzinfo) -> Moment:
    text = re.sub(r" ?(?:UTC|GMT)$", "Z", text)
    text = re.sub(r"^(\d{4})[/.](\d\d)[/.](\d\d)", r"\1-\2-\3", text)
    text = re.sub(r" (?=[+-]\d\d)", "", text)
    at = datetime.fromisoformat(_FRACTION.sub(r"\1", text))
    return Moment(at=_ms(at if at.tzinfo else at.replace(tzinfo=zone)))


def _from_mail(text: str, *, zone: tzinfo) -> Moment | None:
    has_time = ":" in text
    parts = parsedate_tz(text if has_time else f"{text} 00:00:00")
    if parts is None:
        return None
    if has_time and not _NO_ZONE.search(text):
        return Moment(at=mktime_tz(parts) * 1000)
    year, month, day, hour, minute, second = parts[:6]
    at = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=zone)
    return Moment(at=_ms(at), precision="second" if has_time else "day")


def _ms(at: datetime) -> int:
    return round(at.astimezone(UTC).timestamp() * 1000)
