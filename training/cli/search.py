"""`python -m training search`: search for better settings; run it again to continue, or several times in parallel."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training.recipe import Recipe
    from training.techniques.hyperparameter_search import Fit, Space, TrialRow


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--space", default="default", help="search space, by name or .toml path (default: %(default)s)")
    parser.add_argument("--recipe", default="search", help="recipe of a trial (default: %(default)s)")
    parser.add_argument("--sampler", default="tpe", help="grid, random, tpe, gp or nsga2 (default: %(default)s)")
    parser.add_argument("--pruner", default="median", help="none, median or asha (default: %(default)s)")
    parser.add_argument("--trials", type=int, default=20, help="finished trials to reach, all processes together")
    parser.add_argument("--name", help="name of the study (default: space and sampler)")
    parser.add_argument("--encoder", help="packaged encoder, local path or hub name")
    parser.add_argument("--data", type=Path, help="folder with the corpora (default: BELLWETHER_DATA)")
    parser.add_argument("--runs", type=Path, help="folder for runs (default: BELLWETHER_RUNS, instance/runs)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the sampler (default: %(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Run the search; print and write the best trials and the importance of the settings."""
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
    trials, shares = list_trials(study), importance(study)
    content = {"study": name, "trials": trials, "importance": shares}
    (folder / "search.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    _write_page(folder / "search.html", name=name, trials=trials, importance=shares)
    _print_trials(trials, importance=shares)
    print(f"The study is in {folder}: search.json, search.html.")
    return 0


def _make_trial(recipe: Recipe, *, space: Space, folder: Path, root: Path) -> Fit:
    """Return the function that trains a trial in a folder of its own and reports every validation to the study."""
    import os
    import shutil

    from training.data import load_data
    from training.fit import fit
    from training.run.run_folder import Run, ValidationRow
    from training.techniques.hyperparameter_search import Report

    data, _ = load_data(recipe, root=root)

    class ReportingRun(Run):
        """A run that reports its validation scores to the study."""

        def log(self, row: ValidationRow) -> None:
            """Append the row and report its mean score."""
            super().log(row)
            report(row["step"], space.mean_score(row["validation"]))

    report: Report = lambda step, value: None  # noqa: E731

    def train(changed: Recipe, number: int, report_to: Report) -> float:
        nonlocal report
        report = report_to
        place = folder / f"trial-{number}-{os.getpid()}"
        run = ReportingRun(place)
        try:
            fit(changed, data=data, run=run, root=root)
            return space.mean_score(run.scores())
        finally:
            # Only the figures of a trial are kept; a fit with its settings makes the same weights again.
            shutil.rmtree(place / "checkpoints", ignore_errors=True)
            shutil.rmtree(place / "adapter", ignore_errors=True)

    return train


def _print_trials(trials: Sequence[TrialRow], *, importance: Mapping[str, float]) -> None:
    for row in trials[:10]:
        shown = "  ".join(f"{key}={_format_value(value)}" for key, value in row["settings"].items())
        value = "stopped" if row["state"] == "pruned" else f"{row['value']:.4f}"
        print(f"trial {row['trial']:3}  {value}  {row['seconds']} s  {shown}")
    for setting, share in importance.items():
        print(f"{setting:28} explains {share:.0%} of the differences")


def _write_page(path: Path, *, name: str, trials: Sequence[TrialRow], importance: Mapping[str, float]) -> None:
    from training.evaluate.plots import bar_chart, html_table
    from training.evaluate.report import html_page

    rows = [(row["trial"], row["state"], row["value"], row["seconds"], *map(_format_value, row["settings"].values()))
            for row in trials]  # fmt: skip
    names = list(trials[0]["settings"]) if trials else []
    share = list(importance.items())
    parts = [f"<h1>Search {name}</h1>"]
    if share:
        parts.append(f"<section><h2>What mattered</h2>{bar_chart(share, title='Importance of the settings')}</section>")
    head = ("trial", "state", "value", "seconds", *names)
    parts.append(f"<section><h2>Trials</h2>{html_table(head, rows=rows)}</section>")
    path.write_text(html_page(f"Search {name}", parts=parts), encoding="utf-8")


def _format_value(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
