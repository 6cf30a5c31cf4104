"""Check the explanations that people see: occlusion on the served int8 model against integrated gradients.

Integrated gradients (Sundararajan et al. 2017, arXiv:1703.01365; Captum) need gradients and are computed on the float32
network, from a baseline of padding tokens. The weight of a word is the sum over the embeddings e of its tokens of

    (e - e0) · ∫ dP(label) / de   along the straight line from e0 to e

All weights together sum to P(text) - P(baseline). The two methods are compared by the rank correlation of their
weights, and by deletion and insertion on the served model: words are removed, or inserted, in the order of their
weights. Under deletion the label's probability should fall quickly, under insertion it should rise quickly, both more
so than in random order (Petsiuk et al. 2018, arXiv:1806.07421).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from captum.attr import LayerIntegratedGradients
from torch import Tensor

from models.decide import probabilities
from models.explain import Score, explain
from models.runtime import Input, Runtime
from models.text import Span, tokens_of
from models.tokens import pad_id
from training.data.encoding import open_tokenizer
from training.evaluate.perturbations import remove_spans
from training.network.load_network import TrainedNetwork, merge_adapter

STEPS = 32
SHARES = (0.1, 0.2, 0.3, 0.5, 0.7)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Gradients:
    """A weight for each word (a character span), and the gap between their sum and P(text) - P(baseline)."""

    words: tuple[Span, ...]
    weights: tuple[float, ...]
    gap: float


class FloatNetwork:
    """The float32 network of an artifact with its adapter merged, for computing gradients."""

    def __init__(self, opened: TrainedNetwork) -> None:
        self.network = opened.network
        self.network.encoder = merge_adapter(opened.network.encoder)
        self.tokenizer = open_tokenizer(str(opened.tokenizer), max_length=opened.max_length)
        self.pad = pad_id(self.tokenizer)

    def gradients(self, item: Input, *, words: Sequence[Span], task: str, column: int) -> Gradients:
        """Return the integrated gradients of the label's uncalibrated probability, summed over each word's tokens."""
        found = self.tokenizer.encode(item.text)
        ids = torch.tensor([found.ids])
        kept = torch.tensor([found.special_tokens_mask], dtype=torch.bool)
        base = torch.where(kept, ids, torch.full_like(ids, self.pad))
        target = tokens_of(item.target, offsets=found.offsets) if item.target else None
        spans = torch.tensor([target or (0, len(found.ids))])

        def probability(rows: Tensor) -> Tensor:
            logits = self.network(rows, task=task, spans=spans.expand(len(rows), 2))
            is_multi = self.network.tasks[task].kind == "multi"
            return cast(Tensor, (logits.sigmoid() if is_multi else logits.softmax(dim=-1))[:, column])

        layer = cast(Any, self.network.encoder).get_input_embeddings()
        method = LayerIntegratedGradients(probability, layer)
        pieces, gap = method.attribute(ids, baselines=base, n_steps=STEPS, return_convergence_delta=True)
        sums = pieces.sum(dim=-1)[0].detach().numpy()
        weights = [sum(float(sums[at]) for at in _word_pieces(word, found.offsets)) for word in words]
        return Gradients(tuple(words), tuple(weights), float(gap.abs().max()))


def _word_pieces(word: Span, offsets: Sequence[Span]) -> range:
    found = tokens_of(word, offsets=offsets)
    return range(*found) if found else range(0)


def rank_correlation(first: Sequence[float], *, second: Sequence[float]) -> float:
    """Return Spearman's rank correlation, 0 when one side is constant; ties are ranked in order of position."""
    one, two = (np.argsort(np.argsort(side, kind="stable"), kind="stable").astype(float) for side in (first, second))
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(np.corrcoef(one, two)[0, 1])


def deletion_and_insertion(
    item: Input, *, words: Sequence[Span], order: Sequence[int], score: Score
) -> tuple[float, float]:
    """Return the mean probability under deletion (lower is better) and under insertion (higher is better)."""
    counts = [max(1, round(share * len(words))) for share in SHARES]
    deleted = [remove_spans(item, spans=[words[at] for at in order[:count]]) for count in counts]
    inserted = [remove_spans(item, spans=[words[at] for at in order[count:]]) for count in counts]
    found = score([*deleted, *inserted])
    return float(found[: len(counts)].mean()), float(found[len(counts) :].mean())


def check_explanations(
    runtime: Runtime, *, twin: FloatNetwork, items: Sequence[Input], task: str, seed: int = 0
) -> dict[str, float]:
    """Return agreement and fidelity of both methods for the served answers, averaged over texts with three words."""
    rows = [
        row
        for at, item in enumerate(items)
        if (row := _check_text(runtime, twin=twin, item=item, task=task, seed=seed + at))
    ]
    names = rows[0] if rows else {}
    return {"n": len(rows)} | {name: round(float(np.mean([row[name] for row in rows])), 4) for name in names}


def _check_text(
    runtime: Runtime, *, twin: FloatNetwork, item: Input, task: str, seed: int
) -> Mapping[str, float] | None:
    ready = runtime.read_as(item)
    item = Input(ready.text, ready.spans[0] if ready.spans else None)
    decision = runtime.decisions[task]

    def read(inputs: Sequence[Input]) -> Floats:
        return probabilities(runtime.logits(inputs, tasks=[task])[task], decision=decision)

    column = int(read([item])[0].argmax())
    score: Callable[[Sequence[Input]], Floats] = lambda inputs: read(inputs)[:, column]  # noqa: E731
    found = explain(item, score=score, label=runtime.tasks[task].names[column], seed=seed)
    words = [(weight.start, weight.end) for weight in found.weights]
    if len(words) < 3:
        return None
    exact = twin.gradients(item, words=words, task=task, column=column)
    seen = [weight.weight for weight in found.weights]
    row = {"rank_correlation": rank_correlation(seen, second=exact.weights), "gap": exact.gap}
    orders = {
        "occlusion": sorted(range(len(words)), key=lambda at: -seen[at]),
        "gradients": sorted(range(len(words)), key=lambda at: -exact.weights[at]),
        "random": random.Random(seed).sample(range(len(words)), len(words)),
    }
    for name, order in orders.items():
        row[f"deletion_{name}"], row[f"insertion_{name}"] = deletion_and_insertion(
            item, words=words, order=order, score=score
        )
    return row
