"""The teachers of a distillation run: open them, make the student, and compute the outputs that it learns from.

A teacher runs through an OpenVINO graph, which is several times as fast as torch on a CPU. The loss stands in
distillation.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import torch
from torch import nn

from models.graph import Graph
from models.network import Network
from models.tokens import pad_id
from training.data.encoding import encode, open_tokenizer
from training.data.tasks import TaskData
from training.network.load_network import TrainedNetwork, merge_adapter, open_network
from training.recipe import Recipe, RecipeError
from training.run.run_folder import Run, resolve_run
from training.techniques.distillation import (
    DistillationLoss,
    Teacher,
    TeacherOutputs,
    copy_heads,
    make_student,
    matched_layers,
    teacher_outputs,
)
from training.techniques.quantization import float_graph, save_graph

CACHE = ".teachers"


@dataclass(frozen=True)
class Distillation:
    """The opened teachers of a run, and the folder that caches their outputs."""

    teachers: tuple[TrainedNetwork, ...]
    recipe: Recipe
    cache: Path

    @property
    def first(self) -> TrainedNetwork:
        """The teacher whose weights the student is made of and whose hidden states it matches."""
        return self.teachers[0]

    def make_student(self) -> nn.Module:
        """Return a new student encoder, made of the first teacher's weights."""
        return make_student(self.first.network.encoder, recipe=self.recipe.distill)

    def make_criterion(self, student: Network, *, data: Mapping[str, TaskData]) -> DistillationLoss:
        """Copy the first teacher's heads to the student, run the teachers over the training rows, and return the loss.

        Raises RecipeError when no teacher has any of the tasks.
        """
        copy_heads(student, teacher=self.first.network)
        layers = matched_layers(self.first.network.encoder, recipe=self.recipe.distill)
        with TemporaryDirectory(prefix="teachers-") as work:
            teachers = [
                open_teacher(one, layers=layers if one is self.first else layers[-1:], graph=Path(work) / f"{at}.xml")
                for at, one in enumerate(self.teachers)
            ]
            outputs = self._outputs(teachers, data=data)
        width = int(cast(Any, self.first.network.encoder).config.hidden_size)
        return DistillationLoss(student, outputs=outputs, recipe=self.recipe.distill, width=width, layers=len(layers))

    def _outputs(self, teachers: list[Teacher], *, data: Mapping[str, TaskData]) -> dict[str, TeacherOutputs]:
        tokenizers = [open_tokenizer(str(one.tokenizer), max_length=one.max_length) for one in self.teachers]
        found: dict[str, TeacherOutputs] = {}
        for name, entry in data.items():
            rows = [encode(entry.splits["train"], task=entry.task, tokenizer=tokenizer) for tokenizer in tokenizers]
            known = teacher_outputs(teachers, task=entry.task, rows=rows, cache=self.cache)
            found |= {} if known is None else {name: known}
        if not found:
            raise RecipeError(f"No teacher of {self.recipe.name} knows any of its tasks: {', '.join(data)}.")
        return found


def open_distillation(recipe: Recipe, *, run: Run) -> Distillation | None:
    """Open the recipe's teachers; None when it has none. Raises RunError or ArtifactError."""
    if not recipe.distill.teachers:
        return None
    beside = run.path.parent
    opened = tuple(open_merged_network(name, beside=beside) for name in recipe.distill.teachers)
    return Distillation(opened, recipe, beside / CACHE)


def open_merged_network(name: str, *, beside: Path) -> TrainedNetwork:
    """Open a run or an artifact, given its path or its name in the folder `beside`, and merge its adapter."""
    opened = open_network(resolve_run(name, beside=beside))
    opened.network.encoder = merge_adapter(opened.network.encoder).eval()
    return opened


def last_layer_index(opened: TrainedNetwork) -> int:
    """Return the index of the encoder's last layer, counted from 0."""
    return int(cast(Any, opened.network.encoder).config.num_hidden_layers) - 1


def open_teacher(opened: TrainedNetwork, *, layers: tuple[int, ...], graph: Path) -> Teacher:
    """Return a teacher that computes the hidden states of `layers` through a float32 graph, written to `graph`.

    If only the last layer of an artifact is needed, its int8 graph is used instead, which is twice as fast.
    """
    is_served = opened.graph is not None and layers == (last_layer_index(opened),)
    if not is_served:
        save_graph(float_graph(opened.network.encoder, layers=layers), path=graph)
    reader = Graph(opened.graph if is_served and opened.graph else graph, threads=torch.get_num_threads())
    pad = pad_id(open_tokenizer(str(opened.tokenizer), max_length=opened.max_length))
    return Teacher(opened.network, lambda ids, mask: reader.hidden(ids, mask=mask), layers, pad, opened.digest)
