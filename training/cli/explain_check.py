"""`python -m training explain-check models/bellwether-1.3`: check explanations against integrated gradients."""

from __future__ import annotations

import argparse
from pathlib import Path


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("artifact", type=Path, help="folder of the artifact")
    parser.add_argument("--data", type=Path, help="folder with the corpora (default: BELLWETHER_DATA)")
    parser.add_argument("--rows", type=int, default=30, help="test rows of each corpus (default: %(default)s)")
    parser.add_argument("--out", type=Path, help="also write the figures as JSON to this file")


def run(arguments: argparse.Namespace) -> int:
    """Print agreement and fidelity of occlusion and integrated gradients for each corpus."""
    import json

    from models.runtime import Runtime
    from training.artifact.export import SEED
    from training.config import settings
    from training.evaluate.attribution import FloatNetwork, check_explanations
    from training.evaluate.suites import load_test_rows, make_suites, sample_suites
    from training.network.load_network import open_network

    root = arguments.data or settings().data
    runtime, twin = Runtime.open(arguments.artifact), FloatNetwork(open_network(arguments.artifact))
    tests = sample_suites(make_suites(load_test_rows(runtime, root=root), root=root), seed=SEED, n=arguments.rows)
    found = {}
    for suite in tests:
        found[suite.corpus] = check_explanations(runtime, twin=twin, items=suite.inputs, task=suite.task.name)
        print(f"{suite.corpus:18} " + "  ".join(f"{name} {value}" for name, value in found[suite.corpus].items()))
    if arguments.out:
        arguments.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0
