"""Surges of volume on NAB realTweets (Lavin & Ahmad 2015), beside the published scores of three detectors.

`python -m tests.bench nab` writes results/nab.json. Bins of 15 minutes; thresholds set every night by the daily maxima
before it, after 14 days; the target is one false alarm a series and week. An alarm is one notification: alarms within
6 hours are one, one that goes on is told again after 24 hours. A false alarm is a notification outside the labelled
windows, and the rate counts only time outside them. Delay is from the middle of a window, where the label stands, to
the first alarm in it, 0 when that came before. Nothing here is fitted to these series: they are judged with the
constants of app/monitor.
"""

from __future__ import annotations

import csv
import json
import statistics
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from app.alerts.decide.count_grid import Array, Grid, hours_of_week
from app.alerts.decide.history_scoring import Scored, history, notifications, thresholds
from app.alerts.decide.surge import QUARTER_MS, Flags, volume_windows
from app.core.durations import DAY_MS
from tests.bench.machine import machine
from tests.corpora import folder

RESULT = Path(__file__).parents[1] / "results" / "nab.json"
PEERS = ("contextOSE", "windowedGaussian", "bayesChangePt")
WARM_UP = 14 * DAY_MS // QUARTER_MS
A_DAY = DAY_MS // QUARTER_MS
TARGET_A_WEEK = 1.0
MERGE, REPEAT = A_DAY // 4, A_DAY


@dataclass(frozen=True, kw_only=True)
class Ticker:
    """One series in bins and its labelled windows, as first and last bin."""

    name: str
    first_at: int
    counts: Array
    windows: tuple[tuple[int, int], ...]

    @property
    def judged(self) -> list[tuple[int, int]]:
        """The windows after the warm-up."""
        return [window for window in self.windows if window[0] >= WARM_UP]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Counts over some series: labelled windows, those hit, false alarms, weeks outside the windows, delays in bins."""

    n_windows: int
    n_hit: int
    n_false: int
    weeks: float
    delays: tuple[float, ...]

    def row(self) -> dict[str, object]:
        """As it is written down."""
        return {
            "windows": self.n_windows,
            "hit": self.n_hit,
            "false_alarms": self.n_false,
            "series_weeks": round(self.weeks, 2),
            "false_a_week": round(self.n_false / self.weeks, 3),
            "median_delay_bins": statistics.median(self.delays) if self.delays else None,
        }


def _at(stamp: str) -> int:
    return int(datetime.fromisoformat(stamp).replace(tzinfo=UTC).timestamp() * 1000)


def _rows(path: Path, column: str) -> tuple[Array, Array]:
    with path.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    return np.array([_at(row["timestamp"]) for row in rows]), np.array([float(row[column]) for row in rows])


def tickers(data: Path) -> list[Ticker]:
    """The five series."""
    labels = json.loads((data / "anomaly_windows.json").read_text("utf-8"))
    found = []
    for name, windows in sorted(labels.items()):
        at, values = _rows(data / f"{name}.csv", "value")
        bins = at // QUARTER_MS
        first = int(bins.min())
        counts = np.bincount(bins.astype(int) - first, weights=values).astype(np.float64)
        placed = tuple((_at(a) // QUARTER_MS - first, _at(b) // QUARTER_MS - first) for a, b in windows)
        found.append(Ticker(name=name, first_at=first * QUARTER_MS, counts=counts, windows=placed))
    return found


def _ours(ticker: Ticker) -> Flags:
    grid = Grid(
        first_at=ticker.first_at,
        bin_ms=QUARTER_MS,
        stories=ticker.counts[None],
        negative=np.zeros((1, len(ticker.counts))),
        slots=hours_of_week(ticker.first_at, bin_ms=QUARTER_MS, n_bins=len(ticker.counts)),
    )
    widths = [window // QUARTER_MS for window in volume_windows()]
    scored = history(grid, widths=widths, measure="volume")
    cut = thresholds(scored, alarms_a_day=TARGET_A_WEEK / 7, bins_a_day=A_DAY, measure="volume")
    alarms: Flags = scored.alarms(cut)[0]
    return alarms


def _peer(ticker: Ticker, path: Path, *, is_log: bool) -> Flags:
    """A published score, the highest of each bin, calibrated as ours is; on a log scale it tells the top apart."""
    at, values = _rows(path, "anomaly_score")
    scores = np.zeros(len(ticker.counts))
    np.maximum.at(scores, at.astype(int) // QUARTER_MS - ticker.first_at // QUARTER_MS, values)
    if is_log:
        scores = -np.log10(1 - scores + 1e-12)
    scored = Scored(scores=scores[None], passes=scores[None] > 0)
    cut = thresholds(scored, alarms_a_day=TARGET_A_WEEK / 7, bins_a_day=A_DAY, measure="volume", floor=-np.inf)
    alarms: Flags = scored.alarms(cut)[0]
    return alarms


def judged(ticker: Ticker, alarms: Flags) -> Outcome:
    """What a detector's alarms are worth on one series."""
    alarms = alarms.copy()
    alarms[:WARM_UP] = False
    raised = np.flatnonzero(alarms)
    told = notifications(alarms, merge=MERGE, repeat=REPEAT)
    within = np.zeros(len(alarms), dtype=bool)
    for first, last in ticker.windows:
        within[first : last + 1] = True
    delays = []
    for first, last in ticker.judged:
        inside = raised[(raised >= first) & (raised <= last)]
        if inside.size:
            delays.append(max(0.0, float(inside[0]) - (first + last) / 2))
    return Outcome(
        n_windows=len(ticker.judged),
        n_hit=len(delays),
        n_false=sum(not within[index] for index in told),
        weeks=float((~within[WARM_UP:]).sum()) / (7 * A_DAY),
        delays=tuple(delays),
    )


def together(outcomes: list[Outcome]) -> Outcome:
    """Several series as one."""
    return Outcome(
        n_windows=sum(one.n_windows for one in outcomes),
        n_hit=sum(one.n_hit for one in outcomes),
        n_false=sum(one.n_false for one in outcomes),
        weeks=sum(one.weeks for one in outcomes),
        delays=tuple(delay for one in outcomes for delay in one.delays),
    )


def main() -> None:
    """Measure and write the result."""
    data = folder() / "nab_real_tweets"
    series = tickers(data)
    ours = [judged(ticker, _ours(ticker)) for ticker in series]
    told: dict[str, object] = {"bellwether": together(ours).row()}
    for peer in PEERS:
        both = [
            together([judged(one, _peer(one, data / "peers" / f"{peer}_{one.name}.csv", is_log=log)) for one in series])
            for log in (False, True)
        ]
        # Each published score gets the scale that suits it better.
        told[peer] = max(both, key=lambda one: (one.n_hit, -one.n_false)).row()
    result = {
        "target": {"hit": 9, "windows": 10, "false_a_week": 1.2, "median_delay_bins": 1},
        "detectors": told,
        "tickers": {ticker.name: outcome.row() for ticker, outcome in zip(series, ours, strict=True)},
        "without": {
            left.name: together([one for ticker, one in zip(series, ours, strict=True) if ticker is not left]).row()
            for left in series
        },
        "machine": machine(),
    }
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(told, indent=1))
