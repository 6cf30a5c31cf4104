"""`python -m training evaluate models/bellwether-1.3`: measure an artifact on the test files, as export does."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training.evaluate.figures import CloserFigures


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("artifact", type=Path, help="folder of the artifact")
    parser.add_argument("--data", type=Path, help="folder with the corpora (default: BELLWETHER_DATA)")
    parser.add_argument("--out", type=Path, help="also write everything as JSON to this file (`report` reads it)")
    parser.add_argument("--rows", type=int, default=0, help="at most this many test rows of each corpus (0: all)")


def run(arguments: argparse.Namespace) -> int:
    """Measure the artifact through the serving runtime and print the figures."""
    import json

    from models.runtime import Runtime
    from training.artifact.export import SEED
    from training.config import settings
    from training.evaluate.closer_evaluation import evaluate_closely
    from training.evaluate.suites import figures_by_corpus, load_test_rows, make_suites, read_suites, sample_suites

    root = arguments.data or settings().data
    runtime = Runtime.open(arguments.artifact)
    tests = make_suites(load_test_rows(runtime, root=root), root=root)
    tests = sample_suites(tests, seed=SEED, n=arguments.rows) if arguments.rows else tests
    readings = read_suites(runtime, tests=tests, root=root, title="int8")
    found = figures_by_corpus(readings, decisions=runtime.decisions)
    for corpus, row in found.items():
        print(f"{corpus:18} " + "  ".join(f"{key} {value}" for key, value in row.items()), flush=True)
    closer = evaluate_closely(runtime, readings=readings, decisions=runtime.decisions, seed=SEED)
    _print_closer(closer)
    if arguments.out:
        content = {"artifact": runtime.artifact.manifest.id, "int8": found, **closer}
        arguments.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return 0


def _print_closer(closer: CloserFigures) -> None:
    from training.evaluate.figures import PERTURBATIONS

    for task, calibration in closer["heads"].items():
        print(f"{task:18} calibration error {calibration['ece']:.4f} "
              f"(a perfect model: {calibration['ece_if_perfect']:.4f})")  # fmt: skip
    for corpus, row in closer["robustness"].items():
        kept = "  ".join(f"{name} {row[name]['kept']:.3f}" for name in PERTURBATIONS)
        attacked = f"  attack success {row['attack']['success_rate']:.3f}" if "attack" in row else ""
        print(f"{corpus:18} accuracy kept: {kept}{attacked}")
    for test in closer["behaviours"]:
        print(f"{test['kind']} {test['task']:18} {test['failed']:3} of {test['n']:3} failed  {test['name']}")
    speed, size = closer["speed"], closer["size"]
    print(
        f"{speed['texts_per_second']:,.0f} texts/s on {speed['cores']} cores, one text {speed['one_text_ms']:.1f} ms, "
        f"{size['served_bytes'] / 1e6:.1f} MB"
    )
