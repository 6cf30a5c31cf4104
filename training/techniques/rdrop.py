"""R-Drop: two readings of a batch under different dropout should agree (Wu et al. 2021, arXiv:2106.14448).

    loss = (L(y, z_1) + L(y, z_2)) / 2 + a (D(z_1 || z_2) + D(z_2 || z_1)) / 2

with the logits z_1, z_2 of the two readings and the divergence D of their probabilities. Without dropout both readings
are the same and the loss is the plain one.
"""

from __future__ import annotations

from torch import Tensor

from training.loop import Judge, Objective, Turn, read
from training.network.losses import divergence


class RDrop(Objective):
    """The loss of the module's docstring with the weight `weight` for a."""

    def __init__(self, *, weight: float, judge: Judge | None = None) -> None:
        super().__init__(judge)
        self.weight = weight

    def forward(self, turn: Turn) -> Tensor:
        """The loss of one turn, read twice."""
        first = read(turn.network, batch=turn.batch, task=turn.task.name)
        loss: Tensor = self.judge(first, turn=turn) / 2
        second = read(turn.network, batch=turn.batch, task=turn.task.name)
        loss = loss + self.judge(second, turn=turn) / 2
        apart = divergence(first, second, kind=turn.kind) + divergence(second, first, kind=turn.kind)
        return loss + self.weight * apart / 2
