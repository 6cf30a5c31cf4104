"""Warm start: initialise adapter and heads from a finished run or from an artifact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from peft import PeftModel, set_peft_model_state_dict
from safetensors.torch import load_file

from models.artifact import MANIFEST, ArtifactError, open_artifact
from models.labels import Task, load_tasks
from models.network import Network
from training.recipe import recipe_row
from training.run.run_folder import RunError, open_run, resolve_run

ADAPTER_FILE = "adapter_model.safetensors"


@dataclass(frozen=True)
class WarmStart:
    """Files of trained weights, the tasks that they answer, and the recipe that they were trained with."""

    path: Path
    adapter: Path
    heads: Path
    tasks: Mapping[str, Task]
    recipe: Mapping[str, Any]


def open_warm_start(name: str, *, beside: Path) -> WarmStart:
    """Open a run or an artifact, given its path or its name in the folder `beside`.

    Raises RunError when the run is not finished, the artifact is damaged, or there is no adapter.
    """
    path = resolve_run(name, beside=beside)
    return _open_artifact_start(path) if (path / MANIFEST).is_file() else _open_run_start(path)


def _open_run_start(path: Path) -> WarmStart:
    run = open_run(path)
    if not run.is_finished:
        raise RunError(f"{path} is not finished; a run can only start from a finished one.")
    return WarmStart(path, run.adapter, run.heads, run.tasks(), recipe_row(run.recipe()))


def _open_artifact_start(path: Path) -> WarmStart:
    try:
        artifact = open_artifact(path)
    except ArtifactError as error:
        raise RunError(error.sentence) from error
    adapter = next((entry.adapter for entry in artifact.manifest.encoders if entry.adapter), "")
    if not adapter:
        raise RunError(f"{path} holds no adapter to go on from.")
    tasks = load_tasks(artifact.path("labels.json"))
    recipe = dict(artifact.manifest.recipe) | {"artifact": artifact.manifest.id}
    return WarmStart(path, path / adapter, artifact.path("heads.safetensors"), tasks, recipe)


def load_warm_start(network: Network, *, start: WarmStart) -> None:
    """Load the adapter, and the heads of all tasks with unchanged labels; other heads keep their initial weights.

    Raises RunError when the adapter's rank or layers differ from the network's.
    """
    adapter = load_file(start.adapter / ADAPTER_FILE)
    try:
        set_peft_model_state_dict(cast(PeftModel, network.encoder), adapter)
    except RuntimeError as error:
        sentence = f"The adapter in {start.path} does not fit the recipe's (rank or layers differ)."
        raise RunError(sentence) from error
    same = {name for name, task in network.tasks.items() if start.tasks.get(name) == task}
    heads = {name: value for name, value in load_file(start.heads).items() if name.split(".")[0] in same}
    network.heads.load_state_dict(heads, strict=False)
