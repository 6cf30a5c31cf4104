"""`python -m training study adapters`: one adapter or two, measured on a capped sample."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

STUDIES = ("adapters",)


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("study", choices=STUDIES, help="which study")
    parser.add_argument("--recipe", default="adapters", help="recipe name or .toml path (default: %(default)s)")
    parser.add_argument("--data", type=Path, help="folder with the corpora (default: BELLWETHER_DATA)")
    parser.add_argument("--runs", type=Path, help="folder for the study's runs (default: BELLWETHER_RUNS)")
    parser.add_argument("--out", type=Path, default=Path("tests/bench/results/adapter_study.json"), help="result file")


def run(arguments: argparse.Namespace) -> int:
    """Run the study and write its figures as JSON."""
    from training.config import load_recipe, settings
    from training.data.tasks import load_task
    from training.fit import fit, use_threads
    from training.study import study_adapters

    here = settings()
    use_threads(here.threads)
    recipe, root = load_recipe(arguments.recipe), arguments.data or here.data
    splits = ("train", "validation")
    data = {
        task.name: load_task(task.name, root=root, cap=task.cap, seed=recipe.seed, splits=splits)
        for task in recipe.tasks
    }
    folder = (arguments.runs or here.runs) / "study-adapters"
    result = study_adapters(recipe, data=data, folder=folder, fit=fit, root=root)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))
    return 0
