"""The training loop: one optimiser step per batch, each batch of one task; techniques plug in as objectives.

Objective   how a batch becomes a loss: one forward pass, or several (adversarial training, R-Drop)
Criterion   how logits become a loss: the task's loss, or that and the teachers' (distillation)
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from models.labels import Kind
from models.network import Network
from training.data.batching import Batch, Step, collate, length_batches
from training.data.encoding import Encoded
from training.data.masking import Masking
from training.evaluate.metrics import validation_scores
from training.network.losses import label_weights, task_loss
from training.recipe import Recipe, TaskRecipe
from training.run.distributed import Worker
from training.run.run_folder import Run, TaskScores

LOG_EVERY = 20
SINGLE_WORKER = Worker()


@dataclass(frozen=True)
class TaskRows:
    """A task's encoded training and validation rows."""

    train: Encoded
    validation: Encoded


@dataclass
class Progress:
    """Steps, tokens and seconds so far, and each task's running average loss; part of every checkpoint."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    losses: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class StepInput:
    """The input of one step: the network, a batch of one task, and the loss weights [k] of its k labels."""

    network: Network
    batch: Batch
    task: TaskRecipe
    weights: Tensor | None = None

    @property
    def kind(self) -> Kind:
        """`single` or `multi`: one label per text, or several."""
        return self.network.tasks[self.task.name].kind


class Criterion(nn.Module):
    """The loss of logits: the task's cross entropy. A technique whose loss needs more than the labels subclasses it."""

    def forward(self, logits: Tensor, *, step: StepInput) -> Tensor:
        """Return the loss of the logits [B, k] of the step's batch."""
        targets, smoothing = torch.from_numpy(step.batch.targets).to(logits.device), step.task.label_smoothing
        weights = None if step.weights is None else step.weights.to(logits.device)
        return task_loss(logits, targets, kind=step.kind, weights=weights, label_smoothing=smoothing)


class Objective(nn.Module):
    """The loss of a batch: one forward pass, then the criterion. A technique with other forward passes subclasses it.

    Parameters of an objective or criterion learn at the heads' rate; they are saved in checkpoints only.
    """

    def __init__(self, criterion: Criterion | None = None) -> None:
        super().__init__()
        self.criterion = criterion or Criterion()

    def forward(self, step: StepInput) -> Tensor:
        """Return the loss of one step."""
        loss: Tensor = self.criterion(compute_logits(step.network, batch=step.batch, task=step.task.name), step=step)
        return loss


class TrainingLoop:
    """Trains a network over a list of steps, with validation, logs and checkpoints on the way."""

    def __init__(
        self,
        network: Network,
        *,
        run: Run,
        recipe: Recipe,
        steps: Sequence[Step],
        rows: Mapping[str, TaskRows],
        pad_id: int,
        worker: Worker = SINGLE_WORKER,
        masking: Masking | None = None,
        objective: Objective | None = None,
    ) -> None:
        torch.manual_seed(recipe.seed + worker.rank)
        self.objective = objective or Objective()
        self.network, self.run, self.recipe, self.worker = network, run, recipe, worker
        self.steps, self.rows, self.pad_id, self.masking = worker.shard(steps), rows, pad_id, masking
        self.tasks = {task.name: task for task in recipe.tasks}
        self.weights = {name: self._label_weights(task) for name, task in self.tasks.items()}
        self.learning = trainable_parameters(network) + trainable_parameters(self.objective)
        self.optimiser = make_optimiser(network, recipe=recipe, objective=self.objective)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimiser, self._learning_rate_factor)
        self.progress = Progress()

    def train(self) -> Progress:
        """Take the remaining steps; validate and save checkpoints at the recipe's intervals."""
        self.network.train()
        start = time.perf_counter() - self.progress.seconds
        with self._open_tensorboard() as board, self._progress_bar() as bar:
            for step in self.steps[self.progress.step :]:
                loss, tokens = self._train_step(self._make_batch(step), task=self.tasks[step.task])
                self._record_step(step.task, loss=loss, tokens=tokens, seconds=time.perf_counter() - start)
                bar.update()
                if board is not None:
                    self._after_step(board, bar=bar)
        return self.progress

    def _make_batch(self, step: Step) -> Batch:
        batch = collate(self.rows[step.task].train, rows=step.rows, pad_id=self.pad_id)
        return self.masking.mask_tokens(batch, share=self.tasks[step.task].masked) if self.masking else batch

    def _open_tensorboard(self) -> AbstractContextManager[SummaryWriter | None]:
        return SummaryWriter(self.run.tensorboard) if self.worker.is_first else nullcontext()

    def _train_step(self, batch: Batch, *, task: TaskRecipe) -> tuple[float, int]:
        with autocast(self.recipe, device=next(self.network.parameters()).device):
            loss: Tensor = self.objective(StepInput(self.network, batch, task, self.weights[task.name]))
        torch.autograd.backward(loss * task.loss_weight)
        tokens = self.worker.average_gradients(self.learning, tokens=batch.tokens)
        nn.utils.clip_grad_norm_(self.learning, self.recipe.clip)
        self.optimiser.step()
        self.schedule.step()
        self.optimiser.zero_grad(set_to_none=True)
        return float(loss.detach()), tokens

    def _after_step(self, board: SummaryWriter, *, bar: tqdm[Any]) -> None:
        step, is_last = self.progress.step, self.progress.step == len(self.steps)
        if step % LOG_EVERY == 0:
            self._log_losses(board, bar=bar)
        if step % self.recipe.evaluate_every == 0 or is_last:
            self.validate(board)
        if step % self.recipe.checkpoint_every == 0 or is_last:
            self.save_checkpoint()

    def validate(self, board: SummaryWriter | None = None) -> TaskScores:
        """Log and return the scores of every task on at most `evaluate_rows` evenly spaced validation rows."""
        found = {}
        for name, rows in self.rows.items():
            cap = min(len(rows.validation), self.recipe.evaluate_rows or len(rows.validation))
            chosen = np.linspace(0, len(rows.validation) - 1, cap).astype(np.int64)
            logits = predict(self.network, task=name, encoded=rows.validation, rows=chosen, pad_id=self.pad_id)
            found[name] = validation_scores(logits, targets=rows.validation.targets[chosen])
            for score, value in found[name].items():
                if board is not None:
                    board.add_scalar(f"{name}/{score}", value, self.progress.step)
        self.run.log({"step": self.progress.step, "seconds": round(self.progress.seconds), "validation": found})
        return found

    def save_checkpoint(self) -> None:
        """Save what is needed to continue from here: trainable weights, optimiser, progress and random state."""
        path = self.run.checkpoint
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {
            "weights": {name: value for name, value in self.network.named_parameters() if value.requires_grad},
            "objective": self.objective.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "progress": asdict(self.progress),
            "random": torch.get_rng_state(),
        }
        torch.save(content, path.with_suffix(".partial"))
        os.replace(path.with_suffix(".partial"), path)
        done = {"step": self.progress.step, "steps": len(self.steps), "tokens": self.progress.tokens}
        self.run.write("state.json", content=done | {"seconds": round(self.progress.seconds, 1), "finished": False})

    def resume(self) -> None:
        """Load the run's checkpoint; training continues exactly as if it had not been interrupted."""
        saved = torch.load(self.run.checkpoint, weights_only=True)
        self.network.load_state_dict(saved["weights"], strict=False)
        self.objective.load_state_dict(saved["objective"])
        self.optimiser.load_state_dict(saved["optimiser"])
        self.schedule.load_state_dict(saved["schedule"])
        self.progress = Progress(**saved["progress"])
        if self.worker.is_first:
            torch.set_rng_state(saved["random"])

    def _learning_rate_factor(self, step: int) -> float:
        return learning_rate_factor(step, total=len(self.steps), warmup=self.recipe.warmup)

    def _label_weights(self, task: TaskRecipe) -> Tensor | None:
        labels = len(self.network.tasks[task.name].labels)
        return label_weights(self.rows[task.name].train.targets, labels=labels, power=task.class_weights)

    def _progress_bar(self) -> tqdm[Any]:
        done, name = self.progress.step, self.run.path.name
        quiet = not self.worker.is_first
        return tqdm(total=len(self.steps), initial=done, desc=name, unit="step", mininterval=2, disable=quiet)

    def _record_step(self, task: str, *, loss: float, tokens: int, seconds: float) -> None:
        before = self.progress.losses.get(task, loss)
        self.progress.losses[task] = 0.98 * before + 0.02 * loss
        self.progress.step += 1
        self.progress.tokens += tokens
        self.progress.seconds = seconds

    def _log_losses(self, board: SummaryWriter, *, bar: tqdm[Any]) -> None:
        progress = self.progress
        for task, loss in progress.losses.items():
            board.add_scalar(f"{task}/loss", loss, progress.step)
        board.add_scalar("rate", self.schedule.get_last_lr()[0], progress.step)
        bar.set_postfix_str(f"{progress.tokens / max(progress.seconds, 1e-9):,.0f} tokens/s", refresh=False)


def learning_rate_factor(step: int, *, total: int, warmup: float) -> float:
    """Return the factor of the learning rate at a step: linear warmup over a share of the run, linear decay to zero."""
    rising = max(1, round(total * warmup))
    if step < rising:
        return (step + 1) / rising
    return max(0.0, (total - step) / max(1, total - rising))


def trainable_parameters(network: nn.Module) -> list[nn.Parameter]:
    """Return the parameters that require gradients."""
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


def make_optimiser(network: Network, *, recipe: Recipe, objective: nn.Module | None = None) -> torch.optim.Optimizer:
    """Return AdamW with `lr` for the encoder or its adapter and `head_lr` for heads and objective."""
    heads = trainable_parameters(network.heads) + (trainable_parameters(objective) if objective else [])
    groups = [
        {"params": trainable_parameters(network.encoder), "lr": recipe.lr, "weight_decay": recipe.weight_decay},
        {"params": heads, "lr": recipe.head_lr, "weight_decay": recipe.weight_decay},
    ]
    return torch.optim.AdamW([group for group in groups if group["params"]], betas=(0.9, 0.98), fused=True)


def autocast(recipe: Recipe, *, device: torch.device) -> torch.autocast:
    """Return the autocast context of a step: bfloat16 for an encoder that learns; a frozen one has bfloat16 weights."""
    is_mixed = recipe.precision == "bf16" and recipe.method != "lora"
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=is_mixed)


def compute_logits(network: Network, *, batch: Batch, task: str) -> Tensor:
    """Return the logits [B, k] of a batch."""
    device = next(network.parameters()).device
    ids, spans = (torch.from_numpy(array).to(device) for array in (batch.ids, batch.spans))
    mask = None if batch.mask is None else torch.from_numpy(batch.mask).to(device)
    logits: Tensor = network(ids, task=task, mask=mask, spans=spans)
    return logits


@torch.no_grad()
def predict(
    network: Network, *, task: str, encoded: Encoded, rows: npt.NDArray[np.int64], pad_id: int, budget: int = 4096
) -> npt.NDArray[np.float32]:
    """Return the logits [n, k] of the given rows in eval mode; row i of the result belongs to `rows[i]`."""
    was_training = network.training
    network.eval()
    logits = np.zeros((len(rows), len(network.tasks[task].labels)), dtype=np.float32)
    for places in length_batches(encoded.lengths[rows], budget=budget, max_rows=256):
        batch = collate(encoded, rows=rows[places], pad_id=pad_id)
        logits[places] = compute_logits(network, batch=batch, task=task).float().cpu().numpy()
    network.train(was_training)
    return logits
