"""Are the explanations that people see true? Occlusion on the served int8 model beside integrated gradients.

Integrated gradients (Sundararajan et al. 2017, arXiv 1703.01365; Captum) need a gradient, so they are taken on the
float32 twin, from a baseline of padding pieces: a word's weight is the sum of

    (e - e0) · ∫ dP(label) / de   along the straight line from e0 to e

over its pieces' embeddings e, and all weights together are P(text) − P(baseline). The two are compared word by word
(rank correlation), and each by what it does on the served model: taking words away from the weightiest on (deletion:
the label should be lost soon) and putting them in (insertion: it should come soon), beside a random order (Petsiuk et
al. 2018, arXiv 1806.07421).
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
from training.data.encode import open_tokenizer
from training.evaluate.perturb import without
from training.network.reopening import Opened, merged

STEPS = 32
SHARES = (0.1, 0.2, 0.3, 0.5, 0.7)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Gradients:
    """A weight for each word (characters of the text), and how far their sum misses P(text) − P(baseline)."""

    words: tuple[Span, ...]
    weights: tuple[float, ...]
    gap: float


class Twin:
    """The float32 network of an artifact, ready for gradients."""

    def __init__(self, opened: Opened) -> None:
        self.network = opened.network
        self.network.encoder = merged(opened.network.encoder)
        self.tokenizer = open_tokenizer(str(opened.tokenizer), max_length=opened.max_length)
        self.pad = pad_id(self.tokenizer)

    def gradients(self, item: Input, *, words: Sequence[Span], task: str, column: int) -> Gradients:
        """Integrated gradients of the label's probability (uncalibrated), summed over each word's pieces."""
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
        weights = [sum(float(sums[at]) for at in _pieces_of(word, found.offsets)) for word in words]
        return Gradients(tuple(words), tuple(weights), float(gap.abs().max()))


def _pieces_of(word: Span, offsets: Sequence[Span]) -> range:
    found = tokens_of(word, offsets=offsets)
    return range(*found) if found else range(0)


def rank_correlation(first: Sequence[float], *, second: Sequence[float]) -> float:
    """Spearman's rank correlation; 0 where one side does not vary."""
    one, two = (np.argsort(np.argsort(side, kind="stable"), kind="stable").astype(float) for side in (first, second))
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(np.corrcoef(one, two)[0, 1])


def areas(item: Input, *, words: Sequence[Span], order: Sequence[int], score: Score) -> tuple[float, float]:
    """Mean probability while words are taken away (lower is better) and while they are put in (higher is better)."""
    counts = [max(1, round(share * len(words))) for share in SHARES]
    deleted = [without(item, spans=[words[at] for at in order[:count]]) for count in counts]
    inserted = [without(item, spans=[words[at] for at in order[count:]]) for count in counts]
    found = score([*deleted, *inserted])
    return float(found[: len(counts)].mean()), float(found[len(counts) :].mean())


def check(runtime: Runtime, *, twin: Twin, items: Sequence[Input], task: str, seed: int = 0) -> dict[str, float]:
    """The agreement and the fidelity of both methods on texts of at least three words, for the served answers."""
    rows = [
        row for at, item in enumerate(items) if (row := _one(runtime, twin=twin, item=item, task=task, seed=seed + at))
    ]
    names = rows[0] if rows else {}
    return {"n": len(rows)} | {name: round(float(np.mean([row[name] for row in rows])), 4) for name in names}


def _one(runtime: Runtime, *, twin: Twin, item: Input, task: str, seed: int) -> Mapping[str, float] | None:
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
        row[f"deletion_{name}"], row[f"insertion_{name}"] = areas(item, words=words, order=order, score=score)
    return row
