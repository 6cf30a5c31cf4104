"""Weight averaging: a run between two others (model soups, Wortsman et al. 2022, arXiv:2203.05482).

    w = (1 - share) w_first + share w_second

for every weight of adapter and heads. `first` is a run or an artifact, and `second` must have started from it (`start`
in its recipe): only then do the factors A and B of both adapters span similar directions, so that averaging them is
close to averaging B A. The average often combines the accuracy of both without further training.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from safetensors.torch import load_file, save_file

from training.network.warm_start import ADAPTER_FILE, WarmStart
from training.recipe import recipe_row
from training.run.run_folder import Run, RunError

_COPIED_FILES = ("recipe.json", "labels.json", "data.json", "encoder.json", "tokenizer.json", "start.json")


def average_runs(first: WarmStart, *, second: Run, into: Run, share: float) -> None:
    """Write the average of two finished runs as a new run; `share` is the weight of the second, from 0 to 1.

    Raises RunError when the runs do not fit together or `into` already holds a run.
    """
    _check_compatible(first, second=second, into=into, share=share)
    shutil.copytree(second.adapter, into.adapter)
    for name in _COPIED_FILES:
        if (second.path / name).is_file():
            shutil.copyfile(second.path / name, into.path / name)
    adapters = (first.adapter / ADAPTER_FILE, second.adapter / ADAPTER_FILE)
    _average_weights(adapters, into=into.adapter / ADAPTER_FILE, share=share)
    _average_weights((first.heads, second.heads), into=into.heads, share=share)
    recipes = {"first": dict(first.recipe), "second": recipe_row(second.recipe())}
    into.write("soup.json", content={"share": share, **recipes})
    into.write("state.json", content={**second.state(), "finished": True})


def _average_weights(files: tuple[Path, Path], *, into: Path, share: float) -> None:
    one, two = (load_file(path) for path in files)
    save_file({key: (1 - share) * one.get(key, two[key]) + share * two[key] for key in two}, into)


def _check_compatible(first: WarmStart, *, second: Run, into: Run, share: float) -> None:
    if not 0 <= share <= 1:
        raise RunError(f"The share must lie between 0 and 1, not {share}.")
    if not second.is_finished:
        raise RunError(f"{second.path} is not finished; only finished runs can be averaged.")
    if dict(first.tasks) != second.tasks():
        raise RunError(f"{first.path.name} and {second.path.name} have other tasks or labels; they cannot be averaged.")
    if second.recipe().start not in (first.path.name, str(first.path)):
        raise RunError(f"{second.path.name} did not start from {first.path.name}; their adapters do not fit together.")
    if into.path.exists() and any(into.path.iterdir()):
        raise RunError(f"{into.path} already holds a run. Choose another name.")
