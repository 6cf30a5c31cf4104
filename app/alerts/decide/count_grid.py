"""Counts of many subjects side by side, to fit baselines to and to score history on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from app.core.durations import DAY_MS, HOUR_MS

Array = NDArray[np.float64]
Slots = NDArray[np.int64]

HOURS_OF_WEEK = 168


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Stories [s, t] and negative ones [s, t] of s subjects in t bins of `bin_ms` from `first_at` on.

    `slots` [t] is the hour of the week of each bin, 0–167 from Monday midnight in the zone of the series.
    """

    first_at: int
    bin_ms: int
    stories: Array
    negative: Array
    slots: Slots

    @property
    def n_subjects(self) -> int:
        """The number of subjects."""
        return int(self.stories.shape[0])

    @property
    def n_bins(self) -> int:
        """The number of bins."""
        return int(self.stories.shape[1])

    @property
    def bins_a_day(self) -> int:
        """The number of bins in 24 hours."""
        return DAY_MS // self.bin_ms

    def coarser(self, times: int) -> Grid:
        """Return the same counts in bins of `times` the length, without a last one that is not full."""
        n_bins = self.n_bins // times
        kept = slice(0, n_bins * times)
        return Grid(
            first_at=self.first_at,
            bin_ms=self.bin_ms * times,
            stories=self.stories[:, kept].reshape(-1, n_bins, times).sum(axis=2),
            negative=self.negative[:, kept].reshape(-1, n_bins, times).sum(axis=2),
            slots=self.slots[: n_bins * times : times],
        )


def hours_of_week(first_at: int, *, bin_ms: int, n_bins: int, zone: str = "UTC") -> Slots:
    """Return the hour of the week [n_bins] in which each bin begins, in local time with daylight saving time."""
    if zone == "UTC":
        # 1970 began on a Thursday.
        at = first_at + np.arange(n_bins, dtype=np.int64) * bin_ms
        return (at // HOUR_MS + 3 * 24) % HOURS_OF_WEEK
    where, epoch = ZoneInfo(zone), datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC"))
    found = []
    for index in range(n_bins):
        local = (epoch + timedelta(milliseconds=first_at + index * bin_ms)).astimezone(where)
        found.append(local.weekday() * 24 + local.hour)
    return np.array(found, dtype=np.int64)


def rolled(values: Array, width: int) -> Array:
    """Return the sums [s, t] of the `width` bins that end with each bin; the first sums have fewer bins."""
    sums = np.cumsum(values, axis=1)
    sums[:, width:] = sums[:, width:] - sums[:, :-width]
    return sums
