"""Figures and times in the reader's language and time zone."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import dates, numbers
from flask_babel import get_locale
from markupsafe import Markup

from app.core import clock
from app.core.durations import DAY_MS, HOUR_MS, MINUTE_MS
from app.core.interval import Range
from app.web import access
from app.web.display.translation import gettext


def page_locale() -> str:
    """Return the language of the page, `en` or `zh`."""
    found = get_locale()
    return found.language if found else "en"


def reader_zone() -> ZoneInfo:
    """Return the reader's time zone; UTC without a reader or for an unknown name."""
    user = access.signed_in_user()
    try:
        return ZoneInfo(user.zone if user else "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def moment(ms: int) -> datetime:
    """Return milliseconds UTC as a time in the reader's zone."""
    return datetime.fromtimestamp(ms / 1000, tz=UTC).astimezone(reader_zone())


def _formatted(ms: int, *, en: str, zh: str) -> str:
    locale = page_locale()
    return dates.format_datetime(moment(ms), zh if locale == "zh" else en, locale=locale)


def when(ms: int | None) -> str:
    """Return date and time in full, in the reader's zone."""
    return _formatted(ms, en="d MMM y, HH:mm", zh="y年M月d日 HH:mm") if ms else "—"


def day(ms: int) -> str:
    """Return day and month."""
    return _formatted(ms, en="d MMM", zh="M月d日")


def day_hour(ms: int) -> str:
    """Return day, month, hour and minute."""
    return _formatted(ms, en="d MMM HH:mm", zh="M月d日 HH:mm")


def span(ms: int) -> str:
    """Return a duration in its largest unit: `4 min`, `3 h`, `2 d`."""
    size = abs(ms)
    if size < MINUTE_MS:
        return gettext("%(n)s s", n=size // 1000)
    if size < HOUR_MS:
        return gettext("%(n)s min", n=size // MINUTE_MS)
    if size < 2 * DAY_MS:
        return gettext("%(n)s h", n=size // HOUR_MS)
    return gettext("%(n)s d", n=size // DAY_MS)


def ago(ms: int | None) -> Markup | str:
    """Return a `<time>` element with the time that has passed, and the exact time on hover."""
    if not ms:
        return "—"
    mark = Markup('<time datetime="{}" title="{}">{}</time>')
    return mark.format(moment(ms).isoformat(timespec="seconds"), when(ms), span(clock.now_ms() - ms))


def stamp(ms: int | None) -> Markup | str:
    """Return a `<time>` element with date and time in full."""
    return (
        Markup('<time datetime="{}">{}</time>').format(moment(ms).isoformat(timespec="seconds"), when(ms))
        if ms
        else "—"
    )


def percent(share: float | None) -> str:
    """Return a share 0–1 as a whole percentage; a share below 1 is never rounded up to 100 %."""
    if share is None:
        return "—"
    shown = min(share, 0.99) if share < 1 else share
    return f"{round(100 * shown)} %"


def percent1(share: float | None) -> str:
    """Return a share 0–1 as a percentage with one decimal."""
    return "—" if share is None else f"{100 * share:.1f} %"


def signed(value: float | None) -> str:
    """Return a figure from −1 to 1 with its sign and two decimals."""
    if value is None:
        return "—"
    return "0.00" if abs(value) < 0.005 else f"{'+' if value > 0 else '−'}{abs(value):.2f}"


def percent_range(found: Range | None) -> str:
    """Return a range of shares as whole percentages."""
    return "—" if found is None else f"{round(100 * found.low)}–{round(100 * found.high)} %"


def count_range(found: Range | None) -> str:
    """Return a range of counts."""
    return "—" if found is None else f"{round(found.low)}–{round(found.high)}"


def signed_range(found: Range | None) -> str:
    """Return a range of figures with their signs."""
    return "—" if found is None else gettext("%(low)s to %(high)s", low=signed(found.low), high=signed(found.high))


def points(value: int) -> str:
    """Return points with their sign."""
    return f"{'+' if value >= 0 else '−'}{abs(value)}"


def number(value: float) -> str:
    """Return a number with the separators of the reader's language."""
    return numbers.format_decimal(value, locale=page_locale())


def size(n_bytes: int) -> str:
    """Return a size in kB or MB."""
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes >= 1_000_000 else f"{max(1, n_bytes // 1000)} kB"
