"""`python -m training report models/bellwether-1.3 --out report.html`: write an artifact's figures as an HTML page."""

from __future__ import annotations

import argparse
from pathlib import Path


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("source", type=Path, help="an artifact's folder, or the JSON file that `evaluate --out` wrote")
    parser.add_argument(
        "--out", type=Path, default=Path("instance/report.html"), help="the page (default: %(default)s)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the page and print its path."""
    import json

    from training.evaluate.report import ReportError, write_report

    path = arguments.source / "metrics.json" if arguments.source.is_dir() else arguments.source
    if not path.is_file():
        raise ReportError(f"There is no {path}. Give an artifact's folder, or a file that `evaluate --out` wrote.")
    metrics = json.loads(path.read_text(encoding="utf-8"))
    name = metrics.get("artifact") or arguments.source.name
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    write_report(arguments.out, metrics=metrics, name=name)
    print(f"The report of {name} is in {arguments.out}")
    return 0
