"""`python -m training data`: show the data of a recipe's tasks; with --write, write them as JSONL."""

from __future__ import annotations

import argparse
from pathlib import Path


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--recipe", default="release", help="recipe name or .toml path (default: %(default)s)")
    parser.add_argument("--data", type=Path, help="folder with the corpora (default: BELLWETHER_DATA)")
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="write <task>.<split>.jsonl files there")


def run(arguments: argparse.Namespace) -> int:
    """Print the number of rows and labels of every task of the recipe."""
    from models.examples import write_examples
    from training.config import settings
    from training.data import load_data
    from training.recipe import load_recipe

    recipe = load_recipe(arguments.recipe)
    data, bad = load_data(recipe, root=arguments.data or settings().data)
    for sentence in bad:
        print(f"left out: {sentence}")
    for name, rows in data.items():
        counts = ", ".join(f"{len(examples):,} {split}" for split, examples in rows.splits.items())
        labels = f"{len(rows.task.labels):>3} labels ({rows.task.kind})"
        print(f"{name:18} {labels}  {counts}  from {', '.join(rows.corpora)}")
        if arguments.write:
            arguments.write.mkdir(parents=True, exist_ok=True)
            for split, examples in rows.splits.items():
                write_examples(arguments.write / f"{name}.{split}.jsonl", examples=examples)
    return 0
