"""A run's folder: what a training run leaves behind, and typed access to it.

recipe.json  labels.json  data.json  encoder.json  tokenizer.json  state.json
adapter/ (PEFT) or encoder.safetensors (whole)  heads.safetensors  checkpoints/last.pt  metrics.jsonl  tensorboard/
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.labels import Task, load_tasks
from training.recipe import Recipe, recipe_from, recipe_row


class RunError(ValueError):
    """A run's folder that cannot be used; the sentence names what is missing."""


@dataclass(frozen=True)
class Run:
    """One run's folder."""

    path: Path

    @property
    def adapter(self) -> Path:
        """The adapter in PEFT's own format."""
        return self.path / "adapter"

    @property
    def encoder_file(self) -> Path:
        """The whole encoder (float32), where it is not the base with an adapter."""
        return self.path / "encoder.safetensors"

    @property
    def heads(self) -> Path:
        """The heads' weights (float32)."""
        return self.path / "heads.safetensors"

    @property
    def tokenizer(self) -> Path:
        """The tokenizer, as the encoder's makers wrote it."""
        return self.path / "tokenizer.json"

    @property
    def checkpoint(self) -> Path:
        """The newest checkpoint: weights, optimiser, step and random state."""
        return self.path / "checkpoints" / "last.pt"

    @property
    def tensorboard(self) -> Path:
        """TensorBoard's event files."""
        return self.path / "tensorboard"

    @property
    def is_finished(self) -> bool:
        """Whether training ran to its last step."""
        return bool(self._read("state.json").get("finished"))

    def recipe(self) -> Recipe:
        """The resolved recipe."""
        return recipe_from(self._read("recipe.json"))

    def tasks(self) -> dict[str, Task]:
        """The tasks with their labels in order."""
        return load_tasks(self.path / "labels.json")

    def encoder(self) -> dict[str, Any]:
        """The base encoder: name, path, sha256 of its weights, width."""
        return self._read("encoder.json")

    def data(self) -> list[dict[str, Any]]:
        """The corpora that were read: name, licence, origin, rows and sha256 by split."""
        rows: list[dict[str, Any]] = self._read("data.json")["corpora"]
        return rows

    def state(self) -> dict[str, Any]:
        """Steps done and planned, seconds and tokens spent, whether it is finished."""
        return self._read("state.json")

    def write(self, name: str, *, content: Mapping[str, Any]) -> None:
        """Write one JSON file of the folder, whole or not at all."""
        self.path.mkdir(parents=True, exist_ok=True)
        partial = self.path / f"{name}.partial"
        partial.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        os.replace(partial, self.path / name)

    def write_recipe(self, recipe: Recipe) -> None:
        """Save the resolved recipe."""
        self.write("recipe.json", content=recipe_row(recipe))

    def log(self, row: Mapping[str, Any]) -> None:
        """Append one line to metrics.jsonl."""
        with (self.path / "metrics.jsonl").open("a", encoding="utf-8") as out:
            out.write(json.dumps(row) + "\n")

    def metrics(self) -> list[dict[str, Any]]:
        """All lines of metrics.jsonl."""
        path = self.path / "metrics.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []

    def _read(self, name: str) -> dict[str, Any]:
        path = self.path / name
        if not path.is_file():
            raise RunError(f"{self.path} is no run: {name} is missing.")
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return content


def resolve_run(name: str, *, beside: Path) -> Path:
    """Where a run or an artifact lies that is named by its name in the folder `beside`, or by its path."""
    return beside / name if (beside / name).is_dir() else Path(name)


def open_run(path: Path) -> Run:
    """Open a run's folder; raises RunError when it is none."""
    run = Run(path)
    run.recipe()
    return run
