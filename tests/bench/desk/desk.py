"""The desk at a million tickets, all parts one after the other: reading, writing, twenty agents.

`python -m tests.bench desk` writes results/desk.json; each part has a command of its own for a machine that is quiet
only for minutes: `desk_read`, `desk_write`, `desk_agents`.
"""

from __future__ import annotations

from tests.bench.desk import desk_agents, desk_read, desk_write


def main() -> None:
    """Measure all parts."""
    for part in (desk_read, desk_write, desk_agents):
        part.main()
