"""Hyperparameter search with Optuna: grid, random, Bayesian (TPE, GP) and genetic (NSGA-II) samplers.

    settings* = argmax over the search space of  mean over tasks of  score(fit(settings), validation rows)

A search space is a TOML file of settings with their ranges. A study is a SQLite file: it can be interrupted and
continued, and several processes can run trials of the same study. The pruner stops a trial that falls behind: behind
the median of the other trials at the same step, or by successive halving (ASHA).

TPE: Bergstra et al. 2011. GP: Gaussian process with expected improvement. NSGA-II: Deb et al. 2002. ASHA: Li et al.
2020, arXiv:1810.05934. Importance of settings (fANOVA): Hutter et al. 2014.
"""

from __future__ import annotations

import tomllib
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import optuna
from optuna.samplers import BaseSampler, GPSampler, GridSampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.trial import TrialState

from training.recipe import RECIPES, Recipe, RecipeError, recipe_from, recipe_row

SAMPLERS = ("grid", "random", "tpe", "gp", "nsga2")
PRUNERS = ("none", "median", "asha")
DONE = (TrialState.COMPLETE, TrialState.PRUNED)

Report = Callable[[int, float], None]
Fit = Callable[[Recipe, int, Report], float]


@dataclass(frozen=True)
class Range:
    """The values of one setting: `choices`, or a range from `low` to `high`, logarithmic with `log`.

    A grid search takes `steps` values of a range.
    """

    choices: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    steps: int = 3

    def grid(self) -> list[Any]:
        """Return the values that a grid search tries."""
        if self.choices:
            return list(self.choices)
        space = np.geomspace if self.log else np.linspace
        return [float(f"{value:.6g}") for value in space(self.low, self.high, self.steps)]

    def suggest(self, trial: optuna.Trial, *, name: str) -> Any:
        """Return the value that the sampler chooses for a trial; with a grid sampler it is one of `grid()`."""
        if self.choices:
            return trial.suggest_categorical(name, list(self.choices))
        if isinstance(trial.study.sampler, GridSampler):
            return trial.suggest_categorical(name, self.grid())
        return trial.suggest_float(name, self.low, self.high, log=self.log)


@dataclass(frozen=True)
class Space:
    """A search space: ranges by the setting's dotted name, and the score that counts for each task."""

    ranges: Mapping[str, Range]
    score: Mapping[str, str] = field(default_factory=dict)

    def mean_score(self, validation: Mapping[str, Mapping[str, float]]) -> float:
        """Return the mean of the tasks' scores; a task without a named score counts with its accuracy."""
        return float(np.mean([found[self.score.get(task, "accuracy")] for task, found in validation.items()]))


def load_space(name: str) -> Space:
    """Read a search space by its name in training/recipes/spaces, or by path. Raises RecipeError."""
    path = Path(name) if name.endswith(".toml") else RECIPES / "spaces" / f"{name}.toml"
    if not path.is_file():
        raise RecipeError(f"There is no search space {name!r}; a path must end in .toml.")
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8"))
        ranges = {key: _parse_range(key, row=row) for key, row in rows["space"].items()}
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise RecipeError(f"The search space {path} cannot be read: {error}.") from error
    return Space(ranges, rows.get("score", {}))


def _parse_range(name: str, *, row: Mapping[str, Any]) -> Range:
    found = Range(**{**row, "choices": tuple(row.get("choices", ()))})
    if not found.choices and not (found.low < found.high and found.steps >= 2 and (found.low > 0 or not found.log)):
        raise RecipeError(f"The search space's {name} needs choices, or low below high (above zero where it is log).")
    return found


def apply_settings(recipe: Recipe, *, values: Mapping[str, Any]) -> Recipe:
    """Return the recipe with changed settings, by dotted name: `lr`, `lora.rank`, `tasks.emotion.dropout`.

    `tasks.*.dropout` changes every task. Raises RecipeError for a name or value that does not fit the recipe.
    """
    row = recipe_row(recipe)
    row["tasks"] = {task["name"]: dict(task) for task in row["tasks"]}
    for name, value in values.items():
        *tables, last = name.split(".")
        for place in _find_tables(row, tables=tables, name=name):
            place[last] = value
    return recipe_from(row)


def _find_tables(row: dict[str, Any], *, tables: Sequence[str], name: str) -> list[dict[str, Any]]:
    places = [row]
    for table in tables:
        if table != "*" and any(table not in place for place in places):
            raise RecipeError(f"The search space's {name} names a table that the recipe does not have.")
        places = [inner for place in places for inner in (place.values() if table == "*" else [place[table]])]
    return places


def open_study(path: Path, *, name: str, space: Space, sampler: str, pruner: str, seed: int = 0) -> optuna.Study:
    """Create or continue a study in a SQLite file. Raises RecipeError for an unknown sampler or pruner."""
    if sampler not in SAMPLERS or pruner not in PRUNERS:
        raise RecipeError(f"Samplers: {', '.join(SAMPLERS)}; pruners: {', '.join(PRUNERS)}.")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        storage = optuna.storages.RDBStorage(
            f"sqlite:///{path}", engine_kwargs={"connect_args": {"timeout": 60}}, heartbeat_interval=30,
            heartbeat_stale_trial_callback=optuna.storages.RetryHeartbeatStaleTrialCallback(max_retry=2),
        )  # fmt: skip
        return optuna.create_study(
            study_name=name, storage=storage, direction="maximize", load_if_exists=True,
            sampler=_make_sampler(sampler, space=space, seed=seed), pruner=_make_pruner(pruner),
        )  # fmt: skip


def _make_sampler(name: str, *, space: Space, seed: int) -> BaseSampler:
    if name == "grid":
        return GridSampler({key: found.grid() for key, found in space.ranges.items()}, seed=seed)
    makes: dict[str, Callable[[], BaseSampler]] = {
        "random": lambda: RandomSampler(seed=seed),
        "tpe": lambda: TPESampler(seed=seed, n_startup_trials=5, constant_liar=True),
        "gp": lambda: GPSampler(seed=seed, n_startup_trials=5),
        "nsga2": lambda: NSGAIISampler(seed=seed, population_size=8),
    }
    return makes[name]()


def _make_pruner(name: str) -> optuna.pruners.BasePruner:
    if name == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=1)
    if name == "asha":
        return optuna.pruners.SuccessiveHalvingPruner()
    return optuna.pruners.NopPruner()


def search(study: optuna.Study, *, recipe: Recipe, space: Space, fit: Fit, trials: int) -> None:
    """Run trials until the study has `trials` finished ones, including those of other processes.

    `fit(recipe, number, report)` trains and returns the value of a trial. On the way it calls `report(step, value)`,
    which raises optuna.TrialPruned when the pruner stops the trial.
    """

    def objective(trial: optuna.Trial) -> float:
        values = {name: found.suggest(trial, name=name) for name, found in space.ranges.items()}

        def watch(step: int, value: float) -> None:
            trial.report(value, step)
            if trial.should_prune():
                raise optuna.TrialPruned

        return fit(apply_settings(recipe, values=values), trial.number, watch)

    if len(study.get_trials(states=DONE)) < trials:
        study.optimize(objective, callbacks=[optuna.study.MaxTrialsCallback(trials, states=DONE)])


class TrialRow(TypedDict):
    """A finished trial in search.json; `state` is `complete` or `pruned`."""

    trial: int
    state: str
    value: float | None
    settings: dict[str, Any]
    seconds: float | None


def list_trials(study: optuna.Study) -> list[TrialRow]:
    """Return every finished trial, the best first."""
    rows = [
        TrialRow(
            trial=trial.number,
            state=trial.state.name.lower(),
            value=round(trial.value, 5) if trial.value is not None else None,
            settings=trial.params,
            seconds=round(trial.duration.total_seconds(), 1) if trial.duration else None,
        )
        for trial in study.get_trials(states=DONE)
    ]
    return sorted(rows, key=lambda row: (row["state"] != "complete", -(row["value"] or 0.0)))


def importance(study: optuna.Study, *, seed: int = 0) -> dict[str, float]:
    """Return the share of the values' variance that each setting explains; empty before four complete trials."""
    if len(study.get_trials(states=(TrialState.COMPLETE,))) < 4:
        return {}
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=seed)
    found = optuna.importance.get_param_importances(study, evaluator=evaluator)
    return {name: round(share, 4) for name, share in found.items()}
