"""`python -m training search`: look for better settings; run it again to go on, or several times at once."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from training.recipe import Recipe
    from training.techniques.hyperparameter_search import Fit, Space


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--space", default="default", help="search space, by name or .toml path (default: %(default)s)")
    parser.add_argument("--recipe", default="search", help="what a trial is (default: %(default)s)")
    parser.add_argument("--sampler", default="tpe", help="grid, random, tpe, gp or nsga2 (default: %(default)s)")
    parser.add_argument("--pruner", default="median", help="none, median or asha (default: %(default)s)")
    parser.add_argument("--trials", type=int, default=20, help="finished trials to reach, all processes together")
    parser.add_argument("--name", help="name of the study (default: space and sampler)")
    parser.add_argument("--encoder", help="packaged encoder, local path or hub name")
    parser.add_argument("--data", type=Path, help="folder with the corpora (default: BELLWETHER_DATA)")
    parser.add_argument("--runs", type=Path, help="folder for runs (default: BELLWETHER_RUNS, instance/runs)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the sampler (default: %(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Search, then print the best trials and what mattered, and write both beside the study."""
    import dataclasses
    import json

    from training.config import settings
    from training.fit import use_threads
    from training.recipe import load_recipe
    from training.techniques.hyperparameter_search import importance, list_trials, load_space, open_study, search

    here = settings()
    use_threads(here.threads)
    recipe, space = load_recipe(arguments.recipe), load_space(arguments.space)
    recipe = dataclasses.replace(recipe, encoder=arguments.encoder or here.encoder)
    name = arguments.name or f"{Path(arguments.space).stem}-{arguments.sampler}"
    folder = (arguments.runs or here.runs) / f"search-{name}"
    study = open_study(
        folder / "study.db", name=name, space=space, sampler=arguments.sampler, pruner=arguments.pruner,
        seed=arguments.seed,
    )  # fmt: skip
    trial = _make_trial(recipe, space=space, folder=folder, root=arguments.data or here.data)
    search(study, recipe=recipe, space=space, fit=trial, trials=arguments.trials)
    found = {"study": name, "trials": list_trials(study), "importance": importance(study)}
    (folder / "search.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    _write_page(folder / "search.html", found=found)
    _print_trials(found)
    print(f"The study is in {folder}: search.json, search.html.")
    return 0


def _make_trial(recipe: Recipe, *, space: Space, folder: Path, root: Path) -> Fit:
    """How a trial is trained: the data are read once, each trial has a folder, validation is reported as it comes."""
    import os
    import shutil

    from training.data import load_data
    from training.fit import fit
    from training.run.run_folder import Run, ValidationRow
    from training.techniques.hyperparameter_search import Report

    data, _ = load_data(recipe, root=root)

    class Watched(Run):
        """A run that tells the study what validation says."""

        def log(self, row: ValidationRow) -> None:
            """Append the row and report its mean score."""
            super().log(row)
            tell(row["step"], space.mean_score(row["validation"]))

    tell: Report = lambda step, value: None  # noqa: E731

    def trained(changed: Recipe, number: int, watch: Report) -> float:
        nonlocal tell
        tell = watch
        place = folder / f"trial-{number}-{os.getpid()}"
        made = Watched(place)
        try:
            fit(changed, data=data, run=made, root=root)
            return space.mean_score(made.scores())
        finally:
            # Only figures are kept of a trial; its weights are made again by a fit with its settings.
            shutil.rmtree(place / "checkpoints", ignore_errors=True)
            shutil.rmtree(place / "adapter", ignore_errors=True)

    return trained


def _print_trials(found: dict[str, Any]) -> None:
    for row in found["trials"][:10]:
        shown = "  ".join(f"{key}={_format_value(value)}" for key, value in row["settings"].items())
        value = "stopped" if row["state"] == "pruned" else f"{row['value']:.4f}"
        print(f"trial {row['trial']:3}  {value}  {row['seconds']} s  {shown}")
    for setting, share in found["importance"].items():
        print(f"{setting:28} explains {share:.0%} of the differences")


def _write_page(path: Path, *, found: dict[str, Any]) -> None:
    from training.evaluate.plots import bar_chart, html_table
    from training.evaluate.report import html_page

    rows = [(row["trial"], row["state"], row["value"], row["seconds"], *map(_format_value, row["settings"].values()))
            for row in found["trials"]]  # fmt: skip
    names = list(found["trials"][0]["settings"]) if found["trials"] else []
    share = list(found["importance"].items())
    parts = [f"<h1>Search {found['study']}</h1>"]
    if share:
        parts.append(f"<section><h2>What mattered</h2>{bar_chart(share, title='Importance of the settings')}</section>")
    head = ("trial", "state", "value", "seconds", *names)
    parts.append(f"<section><h2>Trials</h2>{html_table(head, rows=rows)}</section>")
    path.write_text(html_page(f"Search {found['study']}", parts=parts), encoding="utf-8")


def _format_value(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
