"""`python -m training noise`: list the labels of the training rows that are probably wrong."""

from __future__ import annotations

import argparse
from pathlib import Path

SHOWN = 5


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--recipe", default="release", help="recipe name or .toml path (default: %(default)s)")
    parser.add_argument(
        "--task", action="append", help="only this task; may be repeated (default: every single-label one)"
    )
    parser.add_argument("--data", type=Path, help="folder with the corpora (default: BELLWETHER_DATA)")
    parser.add_argument("--cap", type=int, default=0, help="at most this many training rows of each corpus (0: all)")
    parser.add_argument(
        "--vectors", type=Path, default=Path("models/search-1.0"), help="artifact that gives the vectors (%(default)s)"
    )
    parser.add_argument("--out", type=Path, default=Path("instance/suspect-labels.jsonl"), help="list (%(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Print the number of suspect labels of each task and the worst of them; write all of them to a file."""
    import dataclasses
    import json

    from models.runtime import Runtime
    from training.config import settings
    from training.data import load_data
    from training.recipe import load_recipe
    from training.techniques.label_noise import find_label_noise

    recipe = load_recipe(arguments.recipe)
    tasks = tuple(task for task in recipe.tasks if not arguments.task or task.name in arguments.task)
    tasks = tuple(dataclasses.replace(task, cap=arguments.cap or task.cap) for task in tasks)
    data, _ = load_data(dataclasses.replace(recipe, tasks=tasks), root=arguments.data or settings().data)
    encoder = Runtime.open(arguments.vectors)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    with arguments.out.open("w", encoding="utf-8") as out:
        for entry in data.values():
            noise = find_label_noise(entry, encoder=encoder)
            if noise is None:
                continue
            print(noise.sentence)
            for place, one in enumerate(noise.suspects):
                row, label, likelier = noise.rows[one.row], noise.names[one.given], noise.names[one.likelier]
                line = {"task": noise.task, "text": row.text, "label": label, "likelier": likelier}
                line |= {"quality": f"{one.quality:.4f}", "source": row.source}
                out.write(json.dumps(line, ensure_ascii=False) + "\n")
                if place < SHOWN:
                    print(noise.line(one))
    print(f"The list is in {arguments.out}; a person decides.")
    return 0
