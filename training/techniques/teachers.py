"""Where distillation meets a run: opening the teachers, letting them read, and what the student starts from."""

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
from training.config import Recipe, RecipeError
from training.data.encode import encode, open_tokenizer
from training.data.tasks import TaskData
from training.network.reopening import Opened, merged, reopen
from training.run.run_folder import Run, located
from training.techniques.distillation import Answers, Distilled, Teacher, ask, make_student, matched_layers, take_heads
from training.techniques.quantization import float_graph, save_graph

CACHE = ".teachers"


@dataclass(frozen=True)
class Lesson:
    """A run's opened teachers; the student is made of the first one."""

    teachers: tuple[Opened, ...]
    recipe: Recipe
    cache: Path

    @property
    def first(self) -> Opened:
        """The teacher that gives the student its weights and its states."""
        return self.teachers[0]

    def student(self) -> nn.Module:
        """A new student encoder."""
        return make_student(self.first.network.encoder, recipe=self.recipe.distill)

    def judge(self, student: Network, *, data: Mapping[str, TaskData]) -> Distilled:
        """Start the student's heads, let the teachers read the training rows, and give the loss to learn by."""
        take_heads(student, teacher=self.first.network)
        layers = matched_layers(self.first.network.encoder, recipe=self.recipe.distill)
        with TemporaryDirectory(prefix="teachers-") as work:
            teachers = [
                open_teacher(one, layers=layers if one is self.first else layers[-1:], graph=Path(work) / f"{at}.xml")
                for at, one in enumerate(self.teachers)
            ]
            answers = self._answers(teachers, data=data)
        width = int(cast(Any, self.first.network.encoder).config.hidden_size)
        return Distilled(student, answers=answers, recipe=self.recipe.distill, width=width, layers=len(layers))

    def _answers(self, teachers: list[Teacher], *, data: Mapping[str, TaskData]) -> dict[str, Answers]:
        tokenizers = [open_tokenizer(str(one.tokenizer), max_length=one.max_length) for one in self.teachers]
        found: dict[str, Answers] = {}
        for name, entry in data.items():
            rows = [encode(entry.splits["train"], task=entry.task, tokenizer=tokenizer) for tokenizer in tokenizers]
            known = ask(teachers, task=entry.task, rows=rows, cache=self.cache)
            found |= {} if known is None else {name: known}
        if not found:
            raise RecipeError(f"No teacher of {self.recipe.name} knows any of its tasks: {', '.join(data)}.")
        return found


def open_lesson(recipe: Recipe, *, run: Run) -> Lesson | None:
    """Open the recipe's teachers (names beside the run, or paths); None where it has none."""
    if not recipe.distill.teachers:
        return None
    beside = run.path.parent
    opened = tuple(open_merged(name, beside=beside) for name in recipe.distill.teachers)
    return Lesson(opened, recipe, beside / CACHE)


def open_merged(name: str, *, beside: Path) -> Opened:
    """A run or an artifact, by its name in the folder `beside` or by its path, with its adapter merged."""
    opened = reopen(located(name, beside=beside))
    opened.network.encoder = merged(opened.network.encoder).eval()
    return opened


def last_layer(opened: Opened) -> int:
    """The number of its encoder's last layer, from 0."""
    return int(cast(Any, opened.network.encoder).config.num_hidden_layers) - 1


def open_teacher(opened: Opened, *, layers: tuple[int, ...], graph: Path) -> Teacher:
    """A teacher that reads through a graph, written to `graph`: several times as fast as torch on a CPU.

    An artifact whose last layer alone is asked for reads through the int8 graph that it serves with, twice as fast.
    """
    is_served = opened.graph is not None and layers == (last_layer(opened),)
    if not is_served:
        save_graph(float_graph(opened.network.encoder, layers=layers), path=graph)
    reader = Graph(opened.graph if is_served and opened.graph else graph, threads=torch.get_num_threads())
    pad = pad_id(open_tokenizer(str(opened.tokenizer), max_length=opened.max_length))
    return Teacher(opened.network, lambda ids, mask: reader.hidden(ids, mask=mask), layers, pad, opened.digest)
