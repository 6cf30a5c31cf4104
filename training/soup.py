"""Weight averaging: a run between two runs that share their beginning (model soups, Wortsman et al. 2022, 2203.05482).

    w = (1 - share) w_first + share w_second

for every weight of the adapter and of the heads. The second run must have started from the first (`start` in its
recipe): only then do the factors A and B of both adapters speak of the same directions, and averaging them is close to
averaging B A. The average often keeps what the first run knew and what the second one gained, for no more training.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from safetensors.torch import load_file, save_file

from training.config import recipe_row
from training.runs import Run, RunError

_KEPT = ("recipe.json", "labels.json", "data.json", "encoder.json", "tokenizer.json", "start.json")


def average(first: Run, *, second: Run, into: Run, share: float) -> None:
    """Write the run between two finished ones; `share` is the second one's weight, from 0 to 1. Raises RunError."""
    _check(first, second=second, into=into, share=share)
    shutil.copytree(second.adapter, into.adapter)
    for name in _KEPT:
        if (second.path / name).is_file():
            shutil.copyfile(second.path / name, into.path / name)
    weights = Path("adapter") / "adapter_model.safetensors"
    for part in (weights, Path("heads.safetensors")):
        one, two = load_file(first.path / part), load_file(second.path / part)
        save_file({key: (1 - share) * one[key] + share * two[key] for key in two}, into.path / part)
    recipes = {"first": recipe_row(first.recipe()), "second": recipe_row(second.recipe())}
    into.write("soup.json", content={"share": share} | recipes)
    states = (first.state(), second.state())
    spent = {key: sum(state[key] for state in states) for key in ("step", "steps", "tokens", "seconds")}
    into.write("state.json", content=spent | {"finished": True})


def _check(first: Run, *, second: Run, into: Run, share: float) -> None:
    if not 0 <= share <= 1:
        raise RunError(f"The share must lie between 0 and 1, not {share}.")
    for run in (first, second):
        if not run.is_finished:
            raise RunError(f"{run.path} is not finished; only finished runs can be averaged.")
    if first.tasks() != second.tasks():
        raise RunError(f"{first.path.name} and {second.path.name} have other tasks or labels; they cannot be averaged.")
    if second.recipe().start not in (first.path.name, str(first.path)):
        raise RunError(f"{second.path.name} did not start from {first.path.name}; their adapters do not fit together.")
    if into.path.exists() and any(into.path.iterdir()):
        raise RunError(f"{into.path} already holds a run. Choose another name.")
