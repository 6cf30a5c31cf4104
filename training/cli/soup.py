"""`python -m training soup`: average the weights of a run (or an artifact) and of a run that started from it."""

from __future__ import annotations

import argparse
from pathlib import Path


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("first", type=Path, help="folder of the earlier run, or of the artifact")
    parser.add_argument("second", type=Path, help="folder of the run that started from it")
    parser.add_argument("into", type=Path, help="folder to write")
    parser.add_argument("--share", type=float, default=0.5, help="weight of the second run (default: %(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Write the averaged run and print its folder."""
    from training.network.warm_start import open_warm_start
    from training.run.run_folder import Run, open_run
    from training.techniques.weight_averaging import average_runs

    first = open_warm_start(str(arguments.first), beside=arguments.second.parent)
    average_runs(first, second=open_run(arguments.second), into=Run(arguments.into), share=arguments.share)
    print(f"The average is in {arguments.into}")
    return 0
