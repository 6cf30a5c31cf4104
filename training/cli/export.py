"""`python -m training export RUN --out models/bellwether-1.3`: export a finished run as an artifact that serves."""

from __future__ import annotations

import argparse
from pathlib import Path


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("run", type=Path, help="the finished run's folder")
    parser.add_argument("--out", type=Path, required=True, help="folder of the artifact, named <name>-<version>")
    parser.add_argument(
        "--slim",
        action="store_true",
        help="leave out a whole encoder's 16-bit weights; training cannot continue from it then",
    )
    parser.add_argument("--data", type=Path, help="folder with the corpora (default: BELLWETHER_DATA)")


def run(arguments: argparse.Namespace) -> int:
    """Export the run and print the headline figures."""
    from training.artifact.export import export
    from training.config import settings
    from training.data import load_data
    from training.run.run_folder import open_run

    root = arguments.data or settings().data
    finished = open_run(arguments.run)
    data, _ = load_data(finished.recipe(), root=root)
    done = export(finished, folder=arguments.out, data=data, root=root, is_slim=arguments.slim)
    for row in done.metrics["headline"]:
        print(
            f"{row['corpus']:18} {row['metric']:12} int8 {row['int8']:.4f}  float32 {row['float32']:.4f}  "
            f"({100 * row['difference']:+.2f} points, n {row['n']})"
        )
    size = sum(entry.size for entry in done.artifact.manifest.files.values())
    print(f"{done.artifact.manifest.id} is in {done.artifact.folder} ({size / 1e6:.1f} MB)")
    return 0
