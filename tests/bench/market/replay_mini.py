"""The replay of replay.py with the small model: `python -m tests.bench replay_mini` writes results/replay_mini.json."""

from __future__ import annotations

from tests.bench.market import replay

MODEL = "bellwether-mini@1.0"
RESULT = replay.RESULT.with_name("replay_mini.json")


def main() -> None:
    """Measure all rows."""
    replay.write(replay.measure(model=MODEL), to=RESULT)
