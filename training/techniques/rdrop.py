"""R-Drop: two forward passes with different dropout masks should agree (Wu et al. 2021, arXiv:2106.14448).

    loss = (L(y, z_1) + L(y, z_2)) / 2 + a (D(z_1 || z_2) + D(z_2 || z_1)) / 2

with the logits z_1 and z_2 of the two passes and the divergence D of their probabilities. Without dropout both passes
are equal, and the loss is the plain one.
"""

from __future__ import annotations

from torch import Tensor

from training.loop import Criterion, Objective, StepInput, compute_logits
from training.network.losses import divergence


class RDropObjective(Objective):
    """The loss of the module's docstring; `weight` is a."""

    def __init__(self, *, weight: float, criterion: Criterion | None = None) -> None:
        super().__init__(criterion)
        self.weight = weight

    def forward(self, step: StepInput) -> Tensor:
        """Return the loss of one step from two forward passes."""
        first = compute_logits(step.network, batch=step.batch, task=step.task.name)
        loss: Tensor = self.criterion(first, step=step) / 2
        second = compute_logits(step.network, batch=step.batch, task=step.task.name)
        loss = loss + self.criterion(second, step=step) / 2
        apart = divergence(first, second, kind=step.kind) + divergence(second, first, kind=step.kind)
        return loss + self.weight * apart / 2
