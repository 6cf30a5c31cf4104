"""Distillation: a small student learns the answers and the inner states of a large teacher.

    loss = (1 - s) L(y, z) + s T^2 KL(softmax(t / T) || softmax(z / T)) + h sum_l ||W p_l - q_l||^2 / ||q_l||^2

with the student's logits z and the teachers' t (averaged: an ensemble as teacher), the temperature T, the share s
(`soft`) and the weight h (`hidden`); p_l and q_l are the pooled hidden states of a student's layer and of the
teacher's layer that it was made from, W a learned projection where the widths differ (Hinton et al. 2015,
arXiv:1503.02531; Sanh et al. 2019, arXiv:1910.01108; Jiao et al. 2020, arXiv:1909.10351). A multi-label task takes
the binary form of the divergence.

The teachers read every training row once, before the first step: what they answered is kept on disk and used by
every pass and by every later student of the same teachers.
"""

from __future__ import annotations

import copy
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from tqdm import tqdm

from models.labels import Task
from models.network import Network, pool
from training.data.batching import Batch, collate, length_batches
from training.data.encoding import Encoded
from training.loop import Criterion, StepInput
from training.network.encoder_surgery import (
    keep_channels,
    keep_layers,
    keep_neurons,
    largest_indices,
    layers_of,
    neuron_magnitudes,
)
from training.network.losses import divergence
from training.recipe import DistillRecipe, RecipeError

BUDGET = 4096
# Token ids and mask in, the hidden states [B, L, n W] of the n layers asked for out.
Reader = Callable[[npt.NDArray[np.int64], npt.NDArray[np.int64]], npt.NDArray[np.float32]]


@dataclass(frozen=True)
class Teacher:
    """A finished network to learn from; `read` gives the hidden states of `layers`, the last one's at the end."""

    network: Network
    read: Reader
    layers: tuple[int, ...]
    pad_id: int
    digest: str


@dataclass(frozen=True)
class TeacherOutputs:
    """What the teachers say of a task's training rows: logits [n, k] and pooled states [n, layers, W], half floats."""

    logits: Tensor
    states: Tensor


# --- the student --------------------------------------------------------------------------------------------


def make_student(teacher: nn.Module, *, recipe: DistillRecipe) -> nn.Module:
    """A student made of the teacher's own weights: some of its layers, its largest neurons and channels."""
    student = copy.deepcopy(teacher)
    if recipe.layers:
        keep_layers(student, chosen=recipe.layers)
    if recipe.neurons:
        for layer in layers_of(student):
            keep_neurons(layer, chosen=largest_indices(neuron_magnitudes(layer), n=recipe.neurons))
    if recipe.width:
        table = cast(Tensor, cast(Any, student).get_input_embeddings().weight).detach()
        keep_channels(student, chosen=largest_indices(table.norm(dim=0), n=recipe.width))
    return student


def matched_layers(teacher: nn.Module, *, recipe: DistillRecipe) -> tuple[int, ...]:
    """The teacher's layers whose states the student matches: those it is made of, or the last one alone."""
    last = int(cast(Any, teacher).config.num_hidden_layers) - 1
    if recipe.match == "last" or not recipe.hidden:
        return (last,)
    return recipe.layers or tuple(range(last + 1))


def copy_heads(student: Network, *, teacher: Network) -> None:
    """Start from the teacher's heads where task and width are the same."""
    for name, head in student.heads.items():
        known = teacher.heads[name].state_dict() if teacher.tasks.get(name) == student.tasks[name] else {}
        own = head.state_dict()
        head.load_state_dict(own | {key: value for key, value in known.items() if value.shape == own[key].shape})


# --- what the teachers say ----------------------------------------------------------------------------------


def teacher_outputs(
    teachers: Sequence[Teacher], *, task: Task, rows: Sequence[Encoded], cache: Path
) -> TeacherOutputs | None:
    """The teachers' averaged logits and the first one's states; None where no teacher knows the task.

    `rows` are the same training rows as each teacher's tokenizer encodes them. Raises RecipeError when a teacher
    knows the task by other labels.
    """
    for teacher in teachers:
        known = teacher.network.tasks.get(task.name)
        if known is not None and known != task:
            raise RecipeError(f"A teacher knows {task.name} with other labels than the data: it cannot teach it.")
    asked = [(one, encoded) for one, encoded in zip(teachers, rows, strict=True) if task.name in one.network.tasks]
    if not asked:
        return None
    found = [_cached_outputs(teacher, task=task, encoded=encoded, cache=cache) for teacher, encoded in asked]
    return TeacherOutputs(torch.stack([one.logits.float() for one in found]).mean(dim=0).half(), found[0].states)


def _cached_outputs(teacher: Teacher, *, task: Task, encoded: Encoded, cache: Path) -> TeacherOutputs:
    key = hashlib.sha256(f"{teacher.digest} {task} {teacher.layers}".encode())
    for array in (encoded.ids, encoded.starts, encoded.spans):
        key.update(array.tobytes())
    path = cache / f"{task.name}-{key.hexdigest()[:16]}.safetensors"
    if not path.is_file():
        found = compute_outputs(teacher, task=task, encoded=encoded)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}")
        save_file({"logits": found.logits, "states": found.states}, partial)
        partial.replace(path)
    return TeacherOutputs(**load_file(path))


@torch.no_grad()
def compute_outputs(teacher: Teacher, *, task: Task, encoded: Encoded) -> TeacherOutputs:
    """Let one teacher read every row of a task."""
    head = teacher.network.heads[task.name]
    found: TeacherOutputs | None = None
    with tqdm(total=len(encoded), desc=f"teacher {task.name}", unit="text", leave=False) as bar:
        for places in length_batches(encoded.lengths, budget=BUDGET, max_rows=256):
            states = _pooled_states(teacher, task=task, batch=collate(encoded, rows=places, pad_id=teacher.pad_id))
            if found is None:
                shape = (len(encoded), *states.shape[1:])
                found = TeacherOutputs(torch.zeros(len(encoded), len(task.labels)).half(), torch.zeros(shape).half())
            found.logits[places], found.states[places] = head(states[:, -1]).half(), states.half()
            bar.update(len(places))
    assert found is not None
    return found


def _pooled_states(teacher: Teacher, *, task: Task, batch: Batch) -> Tensor:
    """Pooled states [B, layers, W] of the layers that the teacher's reader gives."""
    whole = np.ones_like(batch.ids) if batch.mask is None else batch.mask
    hidden = torch.from_numpy(teacher.read(batch.ids, whole)).chunk(len(teacher.layers), dim=-1)
    mask, spans = torch.from_numpy(whole), torch.from_numpy(batch.spans)
    return torch.stack([pool(one, pooling=task.pooling, mask=mask, spans=spans) for one in hidden], dim=1)


# --- the loss -----------------------------------------------------------------------------------------------


class DistillationLoss(Criterion):
    """The loss of the module's docstring; a task that no teacher knows keeps its own loss.

    It watches the student's last layers, as many as the teacher's states have, so `network` must be the student.
    """

    def __init__(
        self, network: Network, *, answers: Mapping[str, TeacherOutputs], recipe: DistillRecipe, width: int, layers: int
    ) -> None:
        super().__init__()
        self.answers, self.recipe = answers, recipe
        encoder = cast(Any, network.encoder)
        encoder = encoder.get_base_model() if hasattr(encoder, "get_base_model") else encoder
        own = int(encoder.config.hidden_size)
        self.projections = nn.ModuleList(
            nn.Linear(own, width) if own != width else nn.Identity() for _ in range(layers)
        )
        self._seen: dict[int, Tensor] = {}
        if recipe.hidden:
            for at, layer in enumerate(list(layers_of(encoder))[-layers:]):
                layer.register_forward_hook(self._recording_hook(at))

    def _recording_hook(self, at: int) -> Callable[..., None]:
        def note(module: nn.Module, given: Any, hidden: Any) -> None:
            self._seen[at] = hidden[0] if isinstance(hidden, tuple) else hidden

        return note

    def forward(self, logits: Tensor, *, step: StepInput) -> Tensor:
        """The distillation loss of logits [B, k] that the student has just given for the step's batch."""
        plain = super().forward(logits, step=step)
        known = self.answers.get(step.task.name)
        if known is None:
            return plain
        wanted, rows = self.recipe, step.batch.rows
        answered = known.logits[rows].float().to(logits.device)
        soft = divergence(logits, answered, kind=step.kind, temperature=wanted.temperature)
        loss = (1 - wanted.soft) * plain + wanted.soft * soft
        return (
            loss + wanted.hidden * self._hidden_loss(step, states=known.states[rows].float().to(logits.device))
            if self._seen
            else loss
        )

    def _hidden_loss(self, step: StepInput, *, states: Tensor) -> Tensor:
        batch, pooling = step.batch, step.network.tasks[step.task.name].pooling
        mask = None if batch.mask is None else torch.from_numpy(batch.mask).to(states.device)
        spans, found = torch.from_numpy(batch.spans).to(states.device), states.new_zeros(())
        for at, hidden in self._layer_pairs(states.shape[1]):
            own = pool(self.projections[at](hidden.float()), pooling=pooling, mask=mask, spans=spans)
            found = found + _relative_distance(own, states[:, at])
        return found

    def _layer_pairs(self, layers: int) -> Iterator[tuple[int, Tensor]]:
        """Each watched student layer with the place of its teacher layer, the last with the last."""
        for at, hidden in self._seen.items():
            yield at + layers - len(self._seen), hidden


def _relative_distance(own: Tensor, wanted: Tensor) -> Tensor:
    return (own - wanted).square().sum() / wanted.square().sum().clamp(min=1e-9)
