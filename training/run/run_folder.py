"""The folder of a training run.

recipe.json  labels.json  data.json  encoder.json  tokenizer.json  state.json
adapter/ (PEFT) or encoder.safetensors (whole)  heads.safetensors  checkpoints/last.pt  metrics.jsonl  tensorboard/
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from models.labels import Task, load_tasks
from training.data.corpora import CorpusDescription
from training.recipe import Recipe, recipe_from, recipe_row

TaskScores = dict[str, dict[str, float]]
"""Scores of a validation, by task and by the score's name."""


class BaseEncoder(TypedDict):
    """encoder.json: the pretrained encoder of a run, and width and configuration of the encoder that is trained."""

    name: str
    path: str
    sha256: str
    width: NotRequired[int]
    config: NotRequired[dict[str, object]]


class RunState(TypedDict):
    """state.json: steps done and planned, tokens and seconds so far, and whether the run has reached its last step."""

    step: int
    steps: int
    tokens: int
    seconds: float
    finished: bool


class ValidationRow(TypedDict):
    """A line of metrics.jsonl."""

    step: int
    seconds: int
    validation: TaskScores


class RunError(ValueError):
    """A run's folder cannot be used; the message names what is missing or wrong."""


@dataclass(frozen=True)
class Run:
    """Paths and contents of one run's folder."""

    path: Path

    @property
    def adapter(self) -> Path:
        """Folder of the adapter in PEFT's format."""
        return self.path / "adapter"

    @property
    def encoder_file(self) -> Path:
        """File of the whole encoder (float32); it exists where the base with an adapter does not suffice."""
        return self.path / "encoder.safetensors"

    @property
    def heads(self) -> Path:
        """File of the heads' weights (float32)."""
        return self.path / "heads.safetensors"

    @property
    def tokenizer(self) -> Path:
        """File of the tokenizer."""
        return self.path / "tokenizer.json"

    @property
    def checkpoint(self) -> Path:
        """File of the newest checkpoint: trainable weights, optimiser, step and random state."""
        return self.path / "checkpoints" / "last.pt"

    @property
    def tensorboard(self) -> Path:
        """Folder of TensorBoard's event files."""
        return self.path / "tensorboard"

    @property
    def is_finished(self) -> bool:
        """True when training reached its last step. Raises RunError when there is no state.json."""
        return bool(self._read("state.json").get("finished"))

    def recipe(self) -> Recipe:
        """Return the recipe with all defaults filled in."""
        return recipe_from(self._read("recipe.json"))

    def tasks(self) -> dict[str, Task]:
        """Return the tasks by name; the order of their labels is that of the logits."""
        return load_tasks(self.path / "labels.json")

    def encoder(self) -> BaseEncoder:
        """Return name, path, SHA-256 of the weights and width of the base encoder."""
        encoder: BaseEncoder = self._read("encoder.json")
        return encoder

    def data(self) -> list[CorpusDescription]:
        """Return the corpora that the run was trained on."""
        corpora: list[CorpusDescription] = self._read("data.json")["corpora"]
        return corpora

    def state(self) -> RunState:
        """Return how far the run is."""
        state: RunState = self._read("state.json")
        return state

    def write(self, name: str, *, content: Mapping[str, object]) -> None:
        """Write a JSON file of the folder atomically."""
        self.path.mkdir(parents=True, exist_ok=True)
        partial = self.path / f"{name}.partial"
        partial.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        os.replace(partial, self.path / name)

    def write_recipe(self, recipe: Recipe) -> None:
        """Write recipe.json."""
        self.write("recipe.json", content=recipe_row(recipe))

    def log(self, row: ValidationRow) -> None:
        """Append a line to metrics.jsonl."""
        with (self.path / "metrics.jsonl").open("a", encoding="utf-8") as out:
            out.write(json.dumps(row) + "\n")

    def metrics(self) -> list[ValidationRow]:
        """Return all lines of metrics.jsonl, an empty list before the first one."""
        path = self.path / "metrics.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []

    def scores(self) -> TaskScores:
        """Return the scores of the last validation."""
        return self.metrics()[-1]["validation"]

    def _read(self, name: str) -> Any:
        path = self.path / name
        if not path.is_file():
            raise RunError(f"{self.path} is no run: {name} is missing.")
        return json.loads(path.read_text(encoding="utf-8"))


def resolve_run(name: str, *, beside: Path) -> Path:
    """Return the folder of a run or an artifact, given its path or its name in the folder `beside`."""
    return beside / name if (beside / name).is_dir() else Path(name)


def open_run(path: Path) -> Run:
    """Open a run's folder; raises RunError when it holds no run."""
    run = Run(path)
    run.recipe()
    return run
