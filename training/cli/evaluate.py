"""`python -m training evaluate models/bellwether-1.0`: measure an artifact again, as export did."""

from __future__ import annotations

import argparse
from pathlib import Path


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("artifact", type=Path, help="folder of the artifact")
    parser.add_argument("--data", type=Path, help="folder with the corpora (default: BELLWETHER_DATA)")
    parser.add_argument("--out", type=Path, help="also write the figures as JSON to this file")


def run(arguments: argparse.Namespace) -> int:
    """Measure every corpus' test file through the runtime that serves and print the figures."""
    import json

    from models.runtime import Runtime
    from training.config import settings
    from training.data.tasks import TASKS, load_task
    from training.measure import measure, suites

    root = arguments.data or settings().data
    runtime = Runtime.open(arguments.artifact)
    data = {name: load_task(name, root=root, splits=("test",)) for name in runtime.tasks if name in TASKS}
    tests = suites(data, root=root)
    found = measure(runtime, tests=tests, decisions=runtime.decisions, root=root, title="int8")
    for corpus, row in found.items():
        print(f"{corpus:18} " + "  ".join(f"{key} {value}" for key, value in row.items()))
    if arguments.out:
        arguments.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0
