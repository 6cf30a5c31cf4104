"""From `python -m app` to the first served prediction, and what it holds in memory then.

`python -m tests.bench start` writes results/start.json: medians over the rounds, each with a fresh process.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from pathlib import Path

from tests.process import Running, prepare, running

ROUNDS = 5
RESULT = Path(__file__).parents[1] / "results" / "start.json"
TEXTS = (
    "I want to track my order",
    "My card was stolen and I want my money back NOW",
    "Shares plunge as Larkspur warns",
)


def _round(instance: Path, *, token: str) -> dict[str, object]:
    with running(instance, token=token) as app:
        first_s = app.wait_until_answered("/predict", body={"inputs": TEXTS[0]})
        _work(app)
        return {
            "first_prediction_s": round(first_s, 3),
            "resident_mb": round(app.resident_mb(), 1),
            "n_processes": len(app.family()),
            "torch_files": app.forbidden_files(),
        }


def _work(app: Running) -> None:
    """A little of everything, so that memory is measured on a server that has worked."""
    for length in (1, 8, 32):
        app.call("/api/v1/analyze", body={"items": [{"id": str(n), "text": TEXTS[n % 3]} for n in range(length)]})
        app.call("/predict", body={"inputs": [f"{TEXTS[n % 3]} {n} " * (1 + n % 6) for n in range(32)]})
    app.call("/rerank", body={"query": "lost card", "texts": list(TEXTS)})


def main() -> None:
    """Measure and write the result."""
    with tempfile.TemporaryDirectory() as folder:
        instance = Path(folder)
        token = prepare(instance)
        rounds = [_round(instance, token=token) for _ in range(ROUNDS)]
    told = {
        "rounds": rounds,
        "first_prediction_s": statistics.median(float(str(row["first_prediction_s"])) for row in rounds),
        "resident_mb": statistics.median(float(str(row["resident_mb"])) for row in rounds),
        "is_torch_loaded": any(row["torch_files"] for row in rounds),
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({key: value for key, value in told.items() if key != "rounds"}))
