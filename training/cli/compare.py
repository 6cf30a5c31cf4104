"""`python -m training compare FIRST SECOND`: compare two artifacts on the same test rows."""

from __future__ import annotations

import argparse
from pathlib import Path


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("first", type=Path, help="folder of the first artifact")
    parser.add_argument("second", type=Path, help="folder of the second artifact")
    parser.add_argument("--data", type=Path, help="folder with the corpora (default: BELLWETHER_DATA)")
    parser.add_argument("--rows", type=int, default=0, help="at most this many test rows of each corpus (0: all)")
    parser.add_argument("--out", type=Path, help="also write it as an HTML page to this file, and as JSON beside it")


def run(arguments: argparse.Namespace) -> int:
    """Print the difference on each corpus with its paired 95 % interval, and the labels whose F1 moved."""
    import json

    from models.runtime import Runtime
    from training.artifact.export import SEED
    from training.config import settings
    from training.evaluate.comparison import compare, format_lines
    from training.evaluate.report import write_comparison
    from training.evaluate.suites import load_test_rows, make_suites, sample_suites

    root = arguments.data or settings().data
    first, second = Runtime.open(arguments.first), Runtime.open(arguments.second)
    tests = make_suites(load_test_rows(first, root=root), root=root)
    tests = sample_suites(tests, seed=SEED, n=arguments.rows) if arguments.rows else tests
    found = compare(first, second=second, tests=tests)
    print("\n".join(format_lines(found)))
    if arguments.out:
        write_comparison(arguments.out, comparison=found)
        arguments.out.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0
