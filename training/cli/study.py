"""`python -m training study NAME`: compare ways of training on capped data."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training.data.tasks import TaskData
    from training.recipe import Recipe

RESULTS = Path("tests/bench/results")
STUDIES = {
    "adapters": "one adapter for all tasks, or one for the desk and one for the market",
    "techniques": "every technique alone against the plain adapter",
    "shots": "5, 10 and 50 examples per label",
}


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("study", choices=STUDIES, help="; ".join(f"{name}: {text}" for name, text in STUDIES.items()))
    parser.add_argument("--recipe", help="recipe name or .toml path (default: the study's name)")
    parser.add_argument("--data", type=Path, help="folder with the corpora (default: BELLWETHER_DATA)")
    parser.add_argument("--runs", type=Path, help="folder for the study's runs (default: BELLWETHER_RUNS)")
    parser.add_argument("--out", type=Path, help=f"result file (default: {RESULTS}/<study>_study.json)")
    parser.add_argument("--cap", type=int, help="at most this many training rows per corpus, instead of the recipe's")
    parser.add_argument(
        "--seeds", type=int, default=3, help="techniques and shots: how many seeds (default: %(default)s)"
    )
    parser.add_argument("--rows", type=int, default=1000, help="techniques: validation rows per corpus")
    parser.add_argument("--only", nargs="*", default=(), metavar="NAME", help="techniques: these alone")


def run(arguments: argparse.Namespace) -> int:
    """Run the study and write its result as JSON."""
    import dataclasses

    from training.config import settings
    from training.fit import use_threads
    from training.recipe import load_recipe

    here = settings()
    use_threads(here.threads)
    recipe, root = load_recipe(arguments.recipe or arguments.study), arguments.data or here.data
    if arguments.cap:
        recipe = dataclasses.replace(
            recipe, tasks=tuple(dataclasses.replace(task, cap=arguments.cap) for task in recipe.tasks)
        )
    folder = (arguments.runs or here.runs) / f"study-{arguments.study}"
    known = {"adapters": "adapter_study.json", "techniques": "technique_study.json", "shots": "shot_study.json"}
    out = arguments.out or RESULTS / known[arguments.study]
    study = {"adapters": _study_adapters, "techniques": _study_techniques, "shots": _study_shots}[arguments.study]
    result = study(arguments, recipe=recipe, data=_load_data(recipe, root=root), folder=folder, root=root, out=out)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))
    return 0


def _load_data(recipe: Recipe, *, root: Path) -> dict[str, TaskData]:
    from training.data.tasks import load_task

    splits = ("train", "validation")
    return {
        task.name: load_task(task.name, root=root, cap=task.cap, seed=recipe.seed, splits=splits)
        for task in recipe.tasks
    }


def _study_adapters(
    arguments: argparse.Namespace, *, recipe: Recipe, data: dict[str, TaskData], folder: Path, root: Path, out: Path
) -> Mapping[str, object]:
    from training.fit import fit
    from training.study.adapter_study import study_adapters

    return study_adapters(recipe, data=data, folder=folder, fit=fit, root=root)


def _study_techniques(
    arguments: argparse.Namespace, *, recipe: Recipe, data: dict[str, TaskData], folder: Path, root: Path, out: Path
) -> Mapping[str, object]:
    from training.fit import fit
    from training.study.technique_study import Study, study_techniques

    study = Study(recipe, data, arguments.rows, folder, fit, root)
    return study_techniques(study, seeds=range(arguments.seeds), wanted=arguments.only, out=out)


def _study_shots(
    arguments: argparse.Namespace, *, recipe: Recipe, data: dict[str, TaskData], folder: Path, root: Path, out: Path
) -> Mapping[str, object]:
    from training.fit import fit
    from training.study.few_shot_study import study_shots

    return study_shots(recipe, data=data, folder=folder, fit=fit, root=root, seeds=range(arguments.seeds))
