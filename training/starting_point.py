"""The starting point of a run: its encoder before training, its heads' first weights, and its objective.

The encoder is the pretrained base, the encoder of a finished network (`start`), or a student made of a teacher
(`distill`). Pruning, if the recipe asks for it, happens here, before the first step.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from tokenizers import Tokenizer
from torch import nn

from models.network import Network
from models.tokens import pad_id
from training.config import encoder_path
from training.data.batching import collate, schedule
from training.data.encoding import Encoded, encode, open_tokenizer
from training.data.tasks import TaskData
from training.loop import Criterion, Objective, StepInput
from training.network.load_network import (
    ENCODER,
    TrainedNetwork,
    load_encoder,
    load_int8_encoder,
    merge_adapter,
    open_network,
)
from training.recipe import PruneRecipe, Recipe, RecipeError
from training.run.run_folder import Run, resolve_run
from training.techniques.adversarial import AdversarialObjective
from training.techniques.distillation import copy_heads
from training.techniques.loss_weighting import UncertaintyWeighting
from training.techniques.pruning import (
    Importance,
    choose_pieces,
    first_order_importance,
    magnitude_importance,
    prune,
    prune_vocabulary,
    share_layers,
)
from training.techniques.rdrop import RDropObjective
from training.techniques.teachers import Distillation, open_distillation


@dataclass(frozen=True)
class StartingPoint:
    """An encoder to train. `source` is the finished network that it comes from, None for the pretrained base.

    `tokenizer` replaces the source's tokenizer when the encoder was pruned. `distillation` are the teachers, which
    keep their own tokenizers.
    """

    encoder: nn.Module
    source: TrainedNetwork | None = None
    distillation: Distillation | None = None
    tokenizer: Tokenizer | None = None

    @property
    def is_whole(self) -> bool:
        """True when the run has to save the whole encoder, because an adapter on the base would not reproduce it."""
        return self.source is not None or self.tokenizer is not None


def open_starting_point(recipe: Recipe, *, run: Run, data: Mapping[str, TaskData]) -> StartingPoint:
    """Open the encoder that the recipe names and prune it. Raises RecipeError, RunError or ArtifactError."""
    distillation, start = open_distillation(recipe, run=run), resolve_run(recipe.start, beside=run.path.parent)
    if distillation is not None:
        point = StartingPoint(distillation.make_student(), distillation.first, distillation)
    elif recipe.start and _starts_from_encoder(start, recipe=recipe):
        source = open_network(start)
        point = StartingPoint(merge_adapter(source.network.encoder), source)
    else:
        path = encoder_path(recipe.encoder)
        point = StartingPoint(load_int8_encoder(path) if recipe.precision == "int8" else load_encoder(path))
    return point if recipe.prune == PruneRecipe() else _prune(point, recipe=recipe, data=data)


def _starts_from_encoder(start: Path, *, recipe: Recipe) -> bool:
    """True when the run continues from the encoder of `start`; otherwise it continues from its adapter.

    An adapter fits the unchanged base only, so pruning, full fine-tuning and a start with a whole encoder exclude it.
    """
    return recipe.method != "lora" or recipe.prune != PruneRecipe() or (start / ENCODER).is_file()


def _prune(point: StartingPoint, *, recipe: Recipe, data: Mapping[str, TaskData]) -> StartingPoint:
    prune_recipe, encoder = recipe.prune, point.encoder
    path = point.source.tokenizer if point.source else Path(encoder_path(recipe.encoder)) / "tokenizer.json"
    tokenizer = open_tokenizer(str(path), max_length=recipe.max_length)
    rows = {name: encode(entry.splits["train"], task=entry.task, tokenizer=tokenizer) for name, entry in data.items()}
    if prune_recipe.is_structural:
        prune(encoder, importance=_importance(point, recipe=recipe, data=data, rows=rows), recipe=prune_recipe)
    if prune_recipe.group > 1:
        share_layers(encoder, group=prune_recipe.group)
    if not prune_recipe.vocabulary:
        return replace(point, tokenizer=tokenizer)
    ids = (encoded.row(at).tolist() for encoded in rows.values() for at in range(len(encoded)))
    kept = choose_pieces(tokenizer, rows=ids, at_least=prune_recipe.vocabulary)
    return replace(point, tokenizer=prune_vocabulary(encoder, tokenizer=tokenizer, kept=kept))


def _importance(
    point: StartingPoint, *, recipe: Recipe, data: Mapping[str, TaskData], rows: Mapping[str, Encoded]
) -> Importance:
    """Return the importance of heads, neurons and layers.

    First-order importance needs the loss of a finished network; RecipeError is raised when the run starts from none.
    """
    if recipe.prune.by == "magnitude":
        return magnitude_importance(point.encoder)
    if point.source is None:
        raise RecipeError("prune.by first_order needs a finished network to begin with: name start, or a teacher.")
    point.encoder.requires_grad_(True)
    tasks = {name: entry.task for name, entry in data.items()}
    network = Network(point.encoder, tasks=tasks, width=int(cast(Any, point.encoder).config.hidden_size))
    copy_heads(network, teacher=point.source.network)
    batches = _cycle_batches(network.eval(), recipe=recipe, rows=rows, pad=_pad_id(point.source))
    objective = Objective()
    return first_order_importance(
        point.encoder, next_loss=lambda: objective(next(batches)), batches=recipe.prune.batches
    )


def _cycle_batches(network: Network, *, recipe: Recipe, rows: Mapping[str, Encoded], pad: int) -> Iterator[StepInput]:
    """Yield the batches of one pass over every task, again and again."""
    lengths, tasks = {name: entry.lengths for name, entry in rows.items()}, {task.name: task for task in recipe.tasks}
    steps = schedule(
        lengths, passes=dict.fromkeys(lengths, 1.0), budget=recipe.batch_tokens, max_rows=recipe.batch_rows, seed=0
    )
    for step in itertools.cycle(steps):
        yield StepInput(network, collate(rows[step.task], rows=step.rows, pad_id=pad), tasks[step.task])


def _pad_id(source: TrainedNetwork) -> int:
    return pad_id(open_tokenizer(str(source.tokenizer), max_length=source.max_length))


def make_objective(
    network: Network, *, recipe: Recipe, start: StartingPoint, data: Mapping[str, TaskData]
) -> Objective:
    """Copy the heads of the starting point's source, where it has any, and return the recipe's objective."""
    if start.source is not None:
        copy_heads(network, teacher=start.source.network)
    criterion = start.distillation.make_criterion(network, data=data) if start.distillation else None
    objective = _base_objective(network, recipe=recipe, criterion=criterion)
    whole = UncertaintyWeighting(objective, tasks=data) if recipe.balance == "uncertainty" else objective
    return whole.to(next(network.parameters()).device)


def _base_objective(network: Network, *, recipe: Recipe, criterion: Criterion | None) -> Objective:
    if recipe.adversarial.method != "none":
        return AdversarialObjective(network, recipe=recipe.adversarial, criterion=criterion)
    return RDropObjective(weight=recipe.rdrop, criterion=criterion) if recipe.rdrop else Objective(criterion)
