"""Adversarial training: also minimise the loss under a small shift of the word embeddings that increases it.

    FGM      r = e g / ||g||                                  loss = (L(x) + L(x + r)) / 2
    PGD      r <- P(r + a g / ||g||), several times           loss = (L(x) + L(x + r)) / 2
    FreeLB   r_0 drawn from the ball, then steps as in PGD    loss = mean over all steps of L(x + r_k)

with the word embeddings x, the gradient g of the loss with respect to the shift r, the radius e, the step size a and
the projection P onto the ball of radius e (Miyato et al. 2017, arXiv:1605.07725; Madry et al. 2018, arXiv:1706.06083;
Zhu et al. 2020, arXiv:1909.11764). The recipe's radius is relative to the norm of a row's embeddings, so that one
value suits encoders of any scale. With radius 0 every variant is the plain loss.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

from training.loop import Criterion, Objective, StepInput, compute_logits
from training.recipe import AdversarialRecipe


class AdversarialObjective(Objective):
    """The losses of the module's docstring; a forward hook adds the shift to the network's word embeddings."""

    def __init__(self, network: nn.Module, *, recipe: AdversarialRecipe, criterion: Criterion | None = None) -> None:
        super().__init__(criterion)
        self.recipe = recipe
        self._shift: Tensor | None = None
        self._norms: Tensor | None = None
        table = cast(nn.Module, cast(Any, network).encoder.get_input_embeddings())
        table.register_forward_hook(self._add_shift)

    def _add_shift(self, module: nn.Module, given: Any, rows: Tensor) -> Tensor | None:
        if self._shift is None:
            return None
        self._norms = torch.linalg.vector_norm(rows.detach().flatten(1), dim=1)
        return rows + self._shift

    def forward(self, step: StepInput) -> Tensor:
        """Return the adversarial loss of one step."""
        if self.recipe.method == "freelb":
            return self._freelb_loss(step)
        shift = self._zero_shift(step)
        plain = self._loss(step, shift=shift)
        gradient = self._gradient(plain, shift=shift)
        steps = 1 if self.recipe.method == "fgm" else self.recipe.steps
        for left in range(steps, 0, -1):
            shift = self._ascend(shift, gradient=gradient, steps=steps)
            attacked = self._loss(step, shift=shift)
            gradient = self._gradient(attacked, shift=shift) if left > 1 else gradient
        return (plain + attacked) / 2

    def _freelb_loss(self, step: StepInput) -> Tensor:
        shift, losses = self._random_shift(step), []
        for left in range(self.recipe.steps, 0, -1):
            losses.append(self._loss(step, shift=shift))
            if left > 1:
                gradient = self._gradient(losses[-1], shift=shift)
                shift = self._ascend(shift, gradient=gradient, steps=self.recipe.steps)
        return torch.stack(losses).mean()

    def _loss(self, step: StepInput, *, shift: Tensor) -> Tensor:
        self._shift = shift
        try:
            logits = compute_logits(step.network, batch=step.batch, task=step.task.name)
        finally:
            self._shift = None
        loss: Tensor = self.criterion(logits, step=step)
        return loss

    def _zero_shift(self, step: StepInput) -> Tensor:
        table = cast(Any, step.network.encoder).get_input_embeddings().weight
        shape = (*step.batch.ids.shape, table.shape[1])
        return torch.zeros(shape, dtype=table.dtype, device=table.device).requires_grad_()

    def _random_shift(self, step: StepInput) -> Tensor:
        """Return a shift with random direction and length inside the ball; store the norms of the embeddings."""
        zero = self._zero_shift(step)
        with torch.no_grad():
            rows = cast(Any, step.network.encoder).get_input_embeddings()(
                torch.from_numpy(step.batch.ids).to(zero.device)
            )
        self._norms = torch.linalg.vector_norm(rows.flatten(1), dim=1)
        length = self.recipe.radius * torch.rand(len(zero), device=zero.device)
        drawn = self._scale_to(torch.randn(zero.shape, device=zero.device), length=length * self._norms.float())
        return drawn.to(zero.dtype).requires_grad_()

    @staticmethod
    def _gradient(loss: Tensor, *, shift: Tensor) -> Tensor:
        return torch.autograd.grad(loss, shift, retain_graph=True)[0]

    def _ascend(self, shift: Tensor, *, gradient: Tensor, steps: int) -> Tensor:
        """Return the shift after one gradient ascent step, projected onto the ball; a single step has length e."""
        assert self._norms is not None
        radius = self.recipe.radius * self._norms.float()
        pace = radius if steps == 1 else 1.5 * radius / steps
        moved = shift.detach().float() + self._scale_to(gradient.float(), length=pace)
        size = torch.linalg.vector_norm(moved.flatten(1), dim=1)
        inside = (radius / size.clamp(min=1e-12)).clamp(max=1.0)
        kept: Tensor = (moved * inside[:, None, None]).to(shift.dtype)
        return kept.requires_grad_()

    @staticmethod
    def _scale_to(values: Tensor, *, length: Tensor) -> Tensor:
        size = torch.linalg.vector_norm(values.flatten(1), dim=1).clamp(min=1e-12)
        found: Tensor = values * (length / size)[:, None, None]
        return found
