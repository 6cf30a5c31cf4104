"""How long the reports page takes on a large desk, from the request to the whole page.

`flask --app wsgi demo generate --tickets 1000000` fills an instance; `BELLWETHER_INSTANCE=… python -m tests.bench
reports` then asks for 30, 90 and 365 days, for all queues and for one, in turns, and writes results/reports.json.
"""

from __future__ import annotations

import json
import statistics
import time
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

from app import create_app
from app.core import changes, config
from app.core.permissions import SYSTEM
from app.desk.store import queues
from app.people.flows import keep_accounts, keep_tokens
from app.people.flows.keep_accounts import USER
from tests.bench.machine import machine

ROUNDS = 15
DAYS = (30, 90, 365)
TARGET_MS = 200.0
RESULT = Path(__file__).parents[1] / "results" / "reports.json"


def main() -> None:
    """Measure and write the result."""
    app = create_app(config.load())
    services = app.extensions["bellwether"]
    user = keep_accounts.add_user(
        services, viewer=SYSTEM, name="Bench", email=f"bench-{time.time_ns()}@example.com", role="admin"
    )
    _, secret = keep_tokens.make_token(services, user_id=user.id, name="bench", scopes=("admin",), viewer=SYSTEM)
    client, headers = app.test_client(), {"Authorization": f"Bearer {secret}", "Accept": "text/html"}
    last = datetime.fromtimestamp(services.db.value("SELECT max(created_at) FROM ticket") / 1000, UTC).date()
    one = queues.every(services.db)[0].id
    times: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for days, queue in product(DAYS, ("", str(one))):
            path = f"/reports?since={last - timedelta(days=days - 1)}&until={last}&queue={queue}"
            began = time.perf_counter()
            answer = client.get(path, headers=headers)
            took = 1000 * (time.perf_counter() - began)
            assert answer.status_code == 200, answer.get_data(as_text=True)[:500]
            times.setdefault(f"{days} days, {'one queue' if queue else 'all queues'}", []).append(took)
    changes.change(services.db, USER, user.id, {"is_active": False}, viewer=SYSTEM)
    told = {
        "machine": machine(),
        "n_tickets": services.db.value("SELECT count(*) FROM ticket"),
        "target_ms": TARGET_MS,
        "pages": {name: _summary(found) for name, found in times.items()},
    }
    RESULT.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(told))


def _summary(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {
        "median_ms": round(statistics.median(ordered), 1),
        "p95_ms": round(ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))], 1),
        "most_ms": round(ordered[-1], 1),
    }
