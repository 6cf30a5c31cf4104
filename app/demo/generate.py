"""Generates a desk of any size within minutes: a year of invented tickets with messages, predictions and history.

Labels and probabilities are drawn, not predicted, and rows are written in bulk; everything else is as if the tickets
had come in one by one. Most are closed, as on a desk that keeps up.
"""

from __future__ import annotations

from collections.abc import Callable

from app.core import changes
from app.core.errors import InputError
from app.core.events import event_log
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.core.storage import bulk_load
from app.demo import setting
from app.demo.ticket_maker import Chunk, Maker
from app.model.store import predictions
from app.people.flows import keep_accounts
from app.people.flows.keep_teams import TEAM
from app.people.store import teams

CHUNK = 1000
N_AGENTS = 24
MOST = 5_000_000

Progress = Callable[[int], object]


def generate(services: Services, *, n_tickets: int, seed: int = 7, on_progress: Progress = lambda n: None) -> None:
    """Add tickets that arrived within the last year; raises InputError for a number out of bounds.

    An empty database gets the demo's people, queues and answers first, and two dozen agents.
    """
    if not 1 <= n_tickets <= MOST:
        raise InputError("out_of_bounds", value=n_tickets, low=1, high=MOST)
    if keep_accounts.needs_first_admin(services):
        _furnish(services)
    # A load walks over whole indices.
    with services.db.page_cache(megabytes=256):
        maker = Maker(services, n_tickets=n_tickets, seed=seed)
        for start in range(0, n_tickets, CHUNK):
            size = min(CHUNK, n_tickets - start)
            _write(services, maker.chunk(size))
            on_progress(size)
        bulk_load.optimize(services.db)


def _write(services: Services, chunk: Chunk) -> None:
    with services.db.transaction() as tx:
        for table, rows in chunk.rows.items():
            bulk_load.add(tx, table, rows)
        predictions.insert_dated(tx, chunk.said)
        event_log.record_all(tx, chunk.events)


def _furnish(services: Services) -> None:
    setting.people(services)
    setting.queues(services)
    setting.answers(services)
    members = {team.id: list(team.user_ids) for team in teams.every(services.db)}
    for number in range(N_AGENTS):
        user = keep_accounts.add_user(
            services, viewer=SYSTEM, role="agent", name=f"Agent {number + 1}", email=f"agent{number + 1}@example.com"
        )
        members[list(members)[number % len(members)]].append(user.id)
    for team_id, user_ids in members.items():
        changes.change(services.db, TEAM, team_id, {"user_ids": user_ids}, viewer=SYSTEM)
