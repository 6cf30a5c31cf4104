"""Tables of the training lab for the documents: techniques against the plain adapter, few examples, robustness."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bench.tables import table

RESULTS = Path(__file__).parent / "results"
BASE = "lora"
SEEDS = 3
"""A difference counts when so many seeds agree on it."""
Rows = Sequence[Mapping[str, Any]]


def techniques() -> str:
    """Every technique: what it changed against the plain adapter of the same seed, and what it cost."""
    told = _read("technique_study")
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for row in told["rows"]:
        by_name.setdefault(row["technique"], []).append(row)
    base = {row["seed"]: row for row in by_name[BASE]}
    head = ("Technique", "What it is", "accuracy", "accuracy with a typo", "parameters", "speed", "training time",
            "helps")  # fmt: skip
    rows = [_technique(name, rows, base=base) for name, rows in by_name.items()]
    return f"{table(head, rows)}\n\n{_about(told)}"


def _technique(name: str, rows: Rows, *, base: Mapping[int, Mapping[str, Any]]) -> tuple[str, ...]:
    middle = {key: statistics.median(row[key] for row in rows) for key in ("parameters_m", "times_base_speed")}
    cost = statistics.median(row["cpu_s"] / base[row["seed"]]["cpu_s"] for row in rows)
    clean, noisy = (_gains(rows, base=base, key=key) for key in ("accuracy", "with_a_typo"))
    sizes = (f"{middle['parameters_m']:.1f} M", f"{middle['times_base_speed']:.2f} ×", f"{cost:.1f} ×")
    if name == BASE:
        scores = (_mean(rows, key=key) for key in ("accuracy", "with_a_typo"))
        return (f"`{name}`", rows[0]["what"], *(f"{100 * score:.1f} %" for score in scores), *sizes, "")
    return (f"`{name}`", rows[0]["what"], _points(clean), _points(noisy), *sizes, _verdict(clean, noisy, middle))


def _gains(rows: Rows, *, base: Mapping[int, Mapping[str, Any]], key: str) -> list[float]:
    """By how many points each seed's mean over the corpora is above the plain adapter's of the same seed."""
    return [100 * (_mean([row], key=key) - _mean([base[row["seed"]]], key=key)) for row in rows]


def _mean(rows: Rows, *, key: str) -> float:
    return statistics.fmean(score for row in rows for score in row[key].values())


def _points(gains: Sequence[float]) -> str:
    spread = f" ({min(gains):+.1f} to {max(gains):+.1f})" if len(gains) > 1 else ""
    return f"{statistics.median(gains):+.1f}{spread}"


def _verdict(clean: Sequence[float], noisy: Sequence[float], middle: Mapping[str, float]) -> str:
    """What every seed agrees on; a smaller or faster model helps where it loses less than two points."""
    if len(clean) < SEEDS:
        return "not known"
    found = [title for title, gains in (("accuracy", clean), ("typos", noisy)) if min(gains) > 0]
    if statistics.median(clean) > -2:
        found += ["speed"] if middle["times_base_speed"] >= 1.2 else []
    return ", ".join(found) or "no"


def _about(told: Mapping[str, Any]) -> str:
    """One sentence on what the rows were measured on."""
    rows = " and ".join(f"{n:,} of {name}" for name, n in told["train_rows"].items())
    seeds = len({row["seed"] for row in told["rows"]})
    return (
        f"Trained on {rows}; judged on at most {told['validation_rows_a_corpus']} validation rows each of banking77, "
        f"tfns and sentfin. {seeds} seed{'s' * (seeds > 1)}: points above the plain adapter of the same "
        "seed, the median and the range; "
        "speed beside the base encoder's own graph; training in processor time beside the plain adapter's. It helps "
        f"where all of {SEEDS} seeds gain, or where the model is at least 1.2 times as fast and loses less than two "
        "points. What starts from the adapter's network (pruned, longer, averaged) has read the rows twice; the time "
        "of the networks that a row starts from or asks is not in its own."
    )


def shots() -> str:
    """The few-shot curve: scores on validation rows by examples a label."""
    told = _read("shot_study")
    counts = list(told["passes"])
    rows = [(f"`{name}`", told["score"][name].replace("_", " "), *(_shot(row[n]) for n in counts))
            for name, row in told["scores"].items()]  # fmt: skip
    return table(("Task", "Score", *(f"{n} examples a label" for n in counts)), rows)


def _shot(scores: Sequence[float]) -> str:
    return f"{statistics.median(scores):.3f} ({min(scores):.3f}–{max(scores):.3f})"


def robustness(metrics: Mapping[str, Any]) -> str:
    """What is left of an artifact's accuracy when its texts are disturbed."""
    told: Mapping[str, Mapping[str, Any]] = metrics["robustness"]
    kinds = [kind for kind in ("typo", "lower_case", "upper_case", "no_punctuation", "phrase")
             if all(kind in row for row in told.values())]  # fmt: skip
    rows = [(corpus, f"{row['n']}", *_kept(row, kinds=kinds)) for corpus, row in told.items()]
    return table(("Corpus", "n", *(kind.replace("_", " ") for kind in kinds)), rows)


def _kept(row: Mapping[str, Any], *, kinds: Iterable[str]) -> Iterable[str]:
    return (f"{100 * row[kind]['kept']:.1f} %" for kind in kinds)


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text("utf-8"))
    return found


def mini(full: Mapping[str, Any], small: Mapping[str, Any]) -> str:
    """The small artifact's scores as shares of the full one's, from the metrics of both."""
    known = {row["corpus"]: row for row in small["headline"]}
    rows: list[tuple[str, ...]] = [
        (row["corpus"], row["metric"].replace("_", " "), f"{row['int8']:.4f}", f"{known[row['corpus']]['int8']:.4f}",
         f"{100 * known[row['corpus']]['int8'] / row['int8']:.1f} %")
        for row in full["headline"]
    ]  # fmt: skip
    told = _read("mini")
    rates = told["texts_per_s"]
    speeds = [f"{rates[name]['median']:,.0f}" for name in ("bellwether", "bellwether-mini")]
    rows.append(("texts a second", "", *speeds, f"{told['times_full']:.2f} ×"))
    rows.append(("against the transformers pipeline", "", "", "", f"{told['times_pipeline']:.1f} ×"))
    return table(("Corpus", "Metric", "bellwether", "bellwether-mini", "of the full model's"), rows)
