"""`python -m training fit`: train a network on the corpora, or on a user's own examples."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training.data.tasks import TaskData
    from training.recipe import Recipe, TaskRecipe
    from training.run.run_folder import Run, TaskScores


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--recipe", help="recipe name or .toml path (default: release; own for your own task)")
    parser.add_argument("--name", help="name of the run's folder (default: the recipe's name)")
    parser.add_argument("--data", type=Path, help="folder with the corpora (default: BELLWETHER_DATA)")
    parser.add_argument("--runs", type=Path, help="folder for runs (default: BELLWETHER_RUNS, instance/runs)")
    parser.add_argument("--out", type=Path, help="the run's folder itself, instead of --runs and --name")
    parser.add_argument("--start", help="run or artifact to start from, instead of the recipe's")
    parser.add_argument("--encoder", help="packaged encoder, local path or hub name")
    parser.add_argument("--resume", action="store_true", help="continue an interrupted run")
    parser.add_argument("--max-steps", type=int, help="stop after this many steps")
    parser.add_argument("--no-noise-report", action="store_true", help="do not check for suspect labels first")
    own = parser.add_argument_group("your own task (instead of the recipe's tasks)")
    own.add_argument("--own", metavar="SOURCE", help="CSV or JSONL file, or a Hugging Face data set")
    own.add_argument("--task", default="own_intent", help="the task's name (default: %(default)s)")
    own.add_argument("--role", default="intent", help="role of the task in the product (default: %(default)s)")
    own.add_argument("--kind", choices=("single", "multi"), default="single", help="one label per text, or several")
    own.add_argument("--passes", type=float, default=10.0, help="passes over the rows (default: %(default)s)")
    own.add_argument("--text-column", default="text", help="column of the text (default: %(default)s)")
    own.add_argument("--label-column", default="label", help="column of the label (default: %(default)s)")
    own.add_argument("--skip-bad-rows", action="store_true", help="report and skip rows that cannot be used")


def run(arguments: argparse.Namespace) -> int:
    """Train, then print the validation scores and the run's folder."""
    from training.config import settings
    from training.data import load_data
    from training.fit import fit, use_threads
    from training.run.run_folder import Run

    here = settings()
    use_threads(here.threads)
    root = arguments.data or here.data
    run = Run(arguments.out or (arguments.runs or here.runs) / _run_name(arguments))
    recipe = _choose_recipe(arguments, run=run)
    data, bad = load_data(recipe, root=root)
    for sentence in bad:
        print(f"left out: {sentence}")
    if not (arguments.no_noise_report or arguments.resume):
        _print_label_noise(data)
    progress = fit(recipe, data=data, run=run, root=root, resume=arguments.resume)
    _print_scores(run.scores(), data=data)
    print(f"{progress.step} steps, {progress.tokens:,} tokens in {progress.seconds:,.0f} s. The run is in {run.path}")
    return 0


def _print_label_noise(data: dict[str, TaskData]) -> None:
    """Print how many labels of a sample are suspect, before training; `noise` lists all of them."""
    from models.runtime import Runtime
    from training.run.distributed import join_workers
    from training.techniques.label_noise import SAMPLE_ROWS, VECTORS, find_label_noise

    if not join_workers().is_first:
        return
    if not VECTORS.is_dir():
        print(f"No report of suspect labels: there is no {VECTORS} here to read the texts with.")
        return
    encoder = Runtime.open(VECTORS)
    for entry in data.values():
        noise = find_label_noise(entry, encoder=encoder, cap=SAMPLE_ROWS)
        if noise is not None:
            print(noise.sentence)
            if noise.suspects:
                print(noise.line(noise.suspects[0]))


def _run_name(arguments: argparse.Namespace) -> str:
    name = arguments.name or (Path(arguments.recipe).stem if arguments.recipe else "")
    return name or (arguments.task if arguments.own else "release")


def _choose_recipe(arguments: argparse.Namespace, *, run: Run) -> Recipe:
    """Return the recipe with the command's changes; a resumed run keeps its own recipe."""
    import dataclasses

    from training.config import settings
    from training.recipe import load_recipe

    if arguments.resume:
        return run.recipe()
    recipe = load_recipe(arguments.recipe or ("own" if arguments.own else "release"))
    if arguments.own:
        skips = arguments.skip_bad_rows or recipe.skip_bad_rows
        recipe = dataclasses.replace(recipe, tasks=(_user_task(arguments),), skip_bad_rows=skips)
    encoder = arguments.encoder or (settings().encoder if recipe.encoder == type(recipe).encoder else recipe.encoder)
    start, steps = arguments.start or recipe.start, arguments.max_steps or recipe.max_steps
    return dataclasses.replace(recipe, encoder=encoder, start=start, max_steps=steps)


def _user_task(arguments: argparse.Namespace) -> TaskRecipe:
    from training.recipe import TaskRecipe

    return TaskRecipe(
        name=arguments.task,
        passes=arguments.passes,
        data=arguments.own,
        role=arguments.role,
        kind=arguments.kind,
        text_column=arguments.text_column,
        label_column=arguments.label_column,
    )


def _print_scores(scores: TaskScores, *, data: dict[str, TaskData]) -> None:
    for task, values in scores.items():
        rows = len(data[task].splits["validation"])
        print(f"{task:18} " + "  ".join(f"{name} {value:.3f}" for name, value in values.items()) + f"  ({rows} rows)")
