"""Twenty agents on one desk at once for two minutes: no error, and no change lost.

`python -m tests.bench desk_agents` writes the part `agents` of results/desk.json. Each agent lists, opens, and edits
with the version that was seen; who comes second is told (412) and looks again. A change is lost if two edits of one
ticket were both accepted on the same version, or if a version is not the number of what was accepted.
"""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

from app.core.db import Database
from app.core.permissions import SYSTEM
from app.core.services import Services
from app.model.engine.opening import open_engine
from app.people.flows import keep_tokens
from app.people.store import users
from app.registration import register_flows
from tests.app.policies import make_policy
from tests.bench.desk.desk_data import database, desk, keep, quantiles, token
from tests.process import Running, running

SECONDS = 120
N_AGENTS = 20
N_SHARED = 12
"""Tickets that all agents work on, so that they meet."""


@dataclass
class Log:
    """What all agents saw."""

    accepted: Counter[tuple[int, int]] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    times_ms: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True)
class Agent:
    """One person with a token."""

    app: Running
    token: str
    log: Log

    def ask(self, method: str, path: str, *, body: Any = None, version: int | None = None) -> tuple[int, Any]:
        """Status and JSON of one request."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.app.url + path, data=data, headers=headers, method=method)
        began = time.perf_counter()
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                status, told = answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            status, told = error.code, json.loads(error.read())
        with self.log.lock:
            self.log.times_ms.append((time.perf_counter() - began) * 1000)
            self.log.statuses[status] += 1
        return status, told

    def work(self, *, seed: int, until: float) -> None:
        """Act on the newest tickets in sight, the same for all of a team, until the time is over."""
        rng = Random(seed)
        listed = self.ask("GET", f"/api/v1/tickets?status=any&sort=newest&limit={N_SHARED}")[1]
        shared = [int(one["id"][4:]) for one in listed["data"]]
        while time.monotonic() < until:
            ticket_id = rng.choice(shared)
            self.ask("GET", "/api/v1/tickets?limit=25")
            status, ticket = self.ask("GET", f"/api/v1/tickets/tkt_{ticket_id}")
            if status != 200:
                continue
            status_of = {"open": "pending", "pending": "open"}
            change = {"status": status_of.get(ticket["status"], "open")}
            status, made = self.ask("PATCH", f"/api/v1/tickets/tkt_{ticket_id}", body=change, version=ticket["version"])
            if status == 200:
                with self.log.lock:
                    self.log.accepted[ticket_id, made["version"]] += 1


def _tokens(db: Database) -> list[str]:
    register_flows()
    services = Services(db=db, engine=open_engine(folders=[]), policy=make_policy())
    agents = [user for user in users.every(db, is_active=True) if user.role == "agent"][:N_AGENTS]
    scopes = ("tickets:write",)
    made = [keep_tokens.make_token(services, user_id=one.id, name="b", scopes=scopes, viewer=SYSTEM) for one in agents]
    return [secret for _, secret in made]


def _versions(db: Database) -> dict[int, int]:
    rows = db.rows("SELECT id, version FROM ticket")
    return {row["id"]: row["version"] for row in rows}


def main() -> None:
    """Let them work and write the part."""
    folder = desk()
    db, key = database(folder), token(folder)
    tokens, log, first = _tokens(db), Log(), _versions(db)
    with running(folder, token=key) as app:
        app.wait_until_answered("/health/ready")
        until = time.monotonic() + SECONDS
        threads = [
            threading.Thread(target=Agent(app, one, log).work, kwargs={"seed": seed, "until": until})
            for seed, one in enumerate(tokens)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    last = _versions(db)
    n_accepted = Counter(ticket_id for ticket_id, _ in log.accepted.elements())
    lost = sum(n - 1 for n in log.accepted.values())
    lost += sum(abs(last[one] - first[one] - n) for one, n in n_accepted.items())
    errors = {str(status): n for status, n in log.statuses.items() if status not in (200, 201, 412)}
    told = {"n_agents": len(tokens), "seconds": SECONDS, "n_requests": sum(log.statuses.values()), "errors": errors}
    told |= {"n_edits": sum(log.accepted.values()), "n_told_second": log.statuses[412], "n_lost": lost}
    keep("agents", told | quantiles(log.times_ms))
    db.close()
