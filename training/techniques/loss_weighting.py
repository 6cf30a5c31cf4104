"""Loss weighting by uncertainty: the weights of the tasks' losses are learned (Kendall et al. 2018, arXiv:1705.07115).

    loss = exp(-s_t) L_t + s_t / 2

for the task t of the step. s_t, the logarithm of the task's noise, is a learned parameter that starts at 0, where the
loss is the plain one. At the optimum exp(s_t) = 2 L_t, so that a task with a high loss counts less.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from training.loop import Objective, StepInput


class UncertaintyWeighting(Objective):
    """Weights the loss of another objective."""

    def __init__(self, inner: Objective, *, tasks: Iterable[str]) -> None:
        super().__init__(inner.criterion)
        self.inner = inner
        self.noise = nn.ParameterDict({name: nn.Parameter(torch.zeros(())) for name in tasks})

    def forward(self, step: StepInput) -> Tensor:
        """Return the weighted loss of one step."""
        noise = self.noise[step.task.name]
        loss: Tensor = torch.exp(-noise) * self.inner(step) + noise / 2
        return loss
