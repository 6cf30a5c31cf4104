"""The training commands: COMMANDS lists them, and a module of this folder declares and runs each of them.

Modules import what they need inside `run`, so that help and errors do not wait for torch.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import Any

COMMANDS = {
    "fit": "train a network: a recipe and data in, a run's folder out",
    "study": "compare ways of training on a capped sample and write the figures",
    "export": "merge, quantise and measure a finished run and write it as an artifact that serves",
    "export-encoder": "write a pretrained encoder as an artifact, for the search of articles",
    "evaluate": "measure an artifact on the corpora's test files",
    "compare": "compare two artifacts on the same test rows",
    "report": "write an artifact's figures as an HTML page with plots",
    "learn": "train a candidate on the desk's corrections and compare it with the live artifact",
    "search": "search for better settings, with several processes if you like",
    "noise": "list training labels that are probably wrong",
    "explain-check": "check the served model's explanations against integrated gradients",
    "soup": "average the weights of a run and of a run that started from it",
    "data": "show the data of a recipe's tasks, or write them as JSONL",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status: 2, with a message, for a mistake in recipe, data or folder."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(prog="python -m training", description="Train, study, export and evaluate models.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text[:1].upper() + text[1:] + ".")
        if given[:1] == [name]:
            _import_command(name).add(command)
    parsed = parser.parse_args(given)
    try:
        status: int = _import_command(parsed.command).run(parsed)
    except ValueError as error:
        if not _has_our_message(error):
            raise
        print(f"{error}", file=sys.stderr)
        return 2
    return status


def _import_command(name: str) -> Any:
    return importlib.import_module(f"training.cli.{name.replace('-', '_')}")


def _has_our_message(error: ValueError) -> bool:
    """True for errors that this repository declares: their message is for users. Others are bugs with a traceback."""
    return type(error).__module__.split(".")[0] in ("training", "models")
