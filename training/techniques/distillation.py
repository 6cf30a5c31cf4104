"""Distillation: a small student learns to reproduce the logits and hidden states of a larger teacher.

    loss = (1 - s) L(y, z) + s T^2 KL(softmax(t / T) || softmax(z / T)) + h sum_l ||W p_l - q_l||^2 / ||q_l||^2

with the labels y, the student's logits z, the teacher's logits t (the mean over several teachers), the temperature T,
the share s (`soft`) and the weight h (`hidden`). p_l and q_l are the pooled hidden states of a student's layer and of
the teacher's layer that it was copied from; W is a learned projection if the widths differ (Hinton et al. 2015,
arXiv:1503.02531; Sanh et al. 2019, arXiv:1910.01108; Jiao et al. 2020, arXiv:1909.10351). For a multi-label task KL is
the divergence of one Bernoulli distribution per label.

The teachers run once over every training row, before the first step. Their outputs are cached on disk and serve every
pass, and every other student of the same teachers.
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
# From token ids [B, L] and mask [B, L] to the hidden states [B, L, n W] of n layers, side by side.
Reader = Callable[[npt.NDArray[np.int64], npt.NDArray[np.int64]], npt.NDArray[np.float32]]


@dataclass(frozen=True)
class Teacher:
    """A trained network to learn from; `read` computes the hidden states of `layers`, of which the last comes last."""

    network: Network
    read: Reader
    layers: tuple[int, ...]
    pad_id: int
    digest: str


@dataclass(frozen=True)
class TeacherOutputs:
    """Logits [n, k] and pooled hidden states [n, layers, W] for the n training rows of a task, as float16."""

    logits: Tensor
    states: Tensor


# --- the student --------------------------------------------------------------------------------------------


def make_student(teacher: nn.Module, *, recipe: DistillRecipe) -> nn.Module:
    """Return a student encoder made of the teacher's weights: the recipe's layers, the largest neurons and channels."""
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
    """Return the teacher's layers whose hidden states the student matches: those it is made of, or only the last."""
    last = int(cast(Any, teacher).config.num_hidden_layers) - 1
    if recipe.match == "last" or not recipe.hidden:
        return (last,)
    return recipe.layers or tuple(range(last + 1))


def copy_heads(student: Network, *, teacher: Network) -> None:
    """Copy the teacher's heads to the student, as far as labels of the task and shapes of the weights are equal."""
    for name, head in student.heads.items():
        known = teacher.heads[name].state_dict() if teacher.tasks.get(name) == student.tasks[name] else {}
        own = head.state_dict()
        head.load_state_dict(own | {key: value for key, value in known.items() if value.shape == own[key].shape})


# --- the teachers' outputs ----------------------------------------------------------------------------------


def teacher_outputs(
    teachers: Sequence[Teacher], *, task: Task, rows: Sequence[Encoded], cache: Path
) -> TeacherOutputs | None:
    """Return the mean of the teachers' logits and the first teacher's states, None when no teacher has the task.

    `rows` are the training rows, encoded by each teacher's tokenizer. Raises RecipeError when a teacher has the task
    with other labels.
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
    """Run one teacher over every row of a task."""
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
    """Return the pooled hidden states [B, layers, W] of a batch."""
    whole = np.ones_like(batch.ids) if batch.mask is None else batch.mask
    hidden = torch.from_numpy(teacher.read(batch.ids, whole)).chunk(len(teacher.layers), dim=-1)
    mask, spans = torch.from_numpy(whole), torch.from_numpy(batch.spans)
    return torch.stack([pool(one, pooling=task.pooling, mask=mask, spans=spans) for one in hidden], dim=1)


# --- the loss -----------------------------------------------------------------------------------------------


class DistillationLoss(Criterion):
    """The loss of the module's docstring; a task without teacher outputs keeps its plain loss.

    Forward hooks record the hidden states of the student's last `layers` layers; `network` is the student, `width` the
    teacher's W.
    """

    def __init__(
        self, network: Network, *, outputs: Mapping[str, TeacherOutputs], recipe: DistillRecipe, width: int, layers: int
    ) -> None:
        super().__init__()
        self.outputs, self.recipe = outputs, recipe
        encoder = cast(Any, network.encoder)
        encoder = encoder.get_base_model() if hasattr(encoder, "get_base_model") else encoder
        own = int(encoder.config.hidden_size)
        self.projections = nn.ModuleList(
            nn.Linear(own, width) if own != width else nn.Identity() for _ in range(layers)
        )
        self._hidden_states: dict[int, Tensor] = {}
        if recipe.hidden:
            for at, layer in enumerate(list(layers_of(encoder))[-layers:]):
                layer.register_forward_hook(self._recording_hook(at))

    def _recording_hook(self, at: int) -> Callable[..., None]:
        def record(module: nn.Module, given: Any, hidden: Any) -> None:
            self._hidden_states[at] = hidden[0] if isinstance(hidden, tuple) else hidden

        return record

    def forward(self, logits: Tensor, *, step: StepInput) -> Tensor:
        """Return the distillation loss of the student's logits [B, k] for the step's batch."""
        plain = super().forward(logits, step=step)
        outputs = self.outputs.get(step.task.name)
        if outputs is None:
            return plain
        rows, recipe = step.batch.rows, self.recipe
        targets = outputs.logits[rows].float().to(logits.device)
        soft = divergence(logits, targets, kind=step.kind, temperature=recipe.temperature)
        loss = (1 - recipe.soft) * plain + recipe.soft * soft
        if not self._hidden_states:
            return loss
        return loss + recipe.hidden * self._hidden_loss(step, states=outputs.states[rows].float().to(logits.device))

    def _hidden_loss(self, step: StepInput, *, states: Tensor) -> Tensor:
        batch, pooling = step.batch, step.network.tasks[step.task.name].pooling
        mask = None if batch.mask is None else torch.from_numpy(batch.mask).to(states.device)
        spans, loss = torch.from_numpy(batch.spans).to(states.device), states.new_zeros(())
        for at, hidden in self._layer_pairs(states.shape[1]):
            own = pool(self.projections[at](hidden.float()), pooling=pooling, mask=mask, spans=spans)
            loss = loss + _relative_distance(own, states[:, at])
        return loss

    def _layer_pairs(self, layers: int) -> Iterator[tuple[int, Tensor]]:
        """Yield each teacher layer's index with the hidden states of its student layer, counted from the last layer."""
        for at, hidden in self._hidden_states.items():
            yield at + layers - len(self._hidden_states), hidden


def _relative_distance(own: Tensor, wanted: Tensor) -> Tensor:
    return (own - wanted).square().sum() / wanted.square().sum().clamp(min=1e-9)
