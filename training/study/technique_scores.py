"""Measuring a row of the study of techniques: accuracy by corpus, clean and with typos, size, and speed."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from models.examples import Example
from models.graph import Encoder, Graph
from models.network import Network, pool
from models.runtime import Input
from models.spelling import Spelling, count_words
from models.text import normalise
from models.tokens import Tokens, pad_id
from training.artifact.export_encoder import load_encoder
from training.config import encoder_path
from training.data.batching import collate, length_batches
from training.data.encode import encode, open_tokenizer
from training.data.tasks import TaskData, capped
from training.evaluate.perturb import typo
from training.network.reopening import Opened, merged
from training.techniques.quantization import calibration_rows, float_graph, quantise, save_graph

CORPORA = ("banking77", "tfns", "sentfin")
Logits = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Scorer:
    """What every row is judged on: the study's data, and at most `rows` validation rows of each corpus.

    `encoder` is the base whose graph the speed is compared with.
    """

    data: Mapping[str, TaskData]
    rows: int
    encoder: str

    @cached_property
    def suites(self) -> tuple[tuple[str, str, list[Example]], ...]:
        """Corpus, task and rows."""
        return tuple(self._suites())

    def _suites(self) -> Iterator[tuple[str, str, list[Example]]]:
        for name, entry in self.data.items():
            for corpus in CORPORA:
                rows = [row for row in entry.splits["validation"] if row.source == corpus]
                if rows:
                    yield corpus, name, capped(rows, cap=self.rows, seed=f"study/{corpus}")

    @property
    def texts(self) -> list[str]:
        """The study's training texts."""
        return [row.text for entry in self.data.values() for row in entry.splits["train"]]

    def measure(self, opened: Sequence[Opened], *, form: str) -> dict[str, Any]:
        """Accuracy through graphs, clean and with a typo each; parameters, and speed beside the base encoder's graph.

        Several networks answer together: their logits are averaged. The `form` int8 quantises the graphs, spelling
        mends the texts before they are read.
        """
        with TemporaryDirectory(prefix="study-") as work:
            readers = [self._served(one, path=Path(work) / f"{at}.xml", form=form) for at, one in enumerate(opened)]
            save_graph(float_graph(load_encoder(Path(encoder_path(self.encoder)))), path=Path(work) / "base.xml")
            base = Graph(Path(work) / "base.xml", threads=1)
            mend = self._mending(opened[0]) if form == "spelling" else _as_it_is
            accuracy = partial(_accuracy, readers, data=self.data)
            clean = {corpus: accuracy([mend(row) for row in rows], task=task) for corpus, task, rows in self.suites}
            noisy = {
                corpus: accuracy([mend(_mistyped(row)) for row in rows], task=task)
                for corpus, task, rows in self.suites
            }
            return {
                "accuracy": clean,
                "with_a_typo": noisy,
                "n": {corpus: len(rows) for corpus, _, rows in self.suites},
                "parameters_m": round(sum(_parameters(one.network.encoder) for one in opened) / 1e6, 2),
                "times_base_speed": round(_speed([reader.graph for reader in readers], base=base), 2),
            }

    def _served(self, opened: Opened, *, path: Path, form: str) -> Served:
        """The network with its encoder merged, and read through a graph."""
        opened.network.encoder = merged(opened.network.encoder).eval()
        graph = float_graph(opened.network.encoder)
        if form == "int8":
            tokens = Tokens(opened.tokenizer, max_length=opened.max_length)
            graph = quantise(graph, rows=calibration_rows(self.texts, tokens=tokens, seed=0, n=200))
        save_graph(graph, path=path)
        return Served(opened, Graph(path, threads=1))

    def _mending(self, opened: Opened) -> Callable[[Example], Example]:
        """What reads a row with the words of the study's own training texts."""
        tokens = Tokens(opened.tokenizer, max_length=opened.max_length)
        spelling = Spelling(count_words(normalise(text) for text in self.texts), is_known=tokens.is_whole)

        def mend(row: Example) -> Example:
            found = spelling.mend(normalise(row.text, spans=[row.span] if row.span else []))
            return replace(row, text=found.text, span=found.spans[0] if found.spans else None)

        return mend


@dataclass(frozen=True)
class Served:
    """A network whose encoder answers through a graph."""

    opened: Opened
    graph: Encoder

    def logits(self, rows: Sequence[Example], *, data: TaskData) -> tuple[Logits, npt.NDArray[Any]]:
        """Logits [n, k] of rows, and the columns of their labels."""
        tokenizer = open_tokenizer(str(self.opened.tokenizer), max_length=self.opened.max_length)
        encoded = encode(rows, task=data.task, tokenizer=tokenizer)
        found = np.zeros((len(rows), len(data.task.labels)), np.float32)
        for places in length_batches(encoded.lengths, budget=1024, max_rows=64):
            batch = collate(encoded, rows=places, pad_id=pad_id(tokenizer))
            mask = np.ones_like(batch.ids) if batch.mask is None else batch.mask
            hidden = torch.from_numpy(self.graph.hidden(batch.ids, mask=mask))
            found[places] = _logits(self.opened.network, hidden, mask=mask, spans=batch.spans, task=data.task.name)
        return found, encoded.targets


def _accuracy(readers: Sequence[Served], rows: Sequence[Example], *, task: str, data: Mapping[str, TaskData]) -> float:
    found = [reader.logits(rows, data=data[task]) for reader in readers]
    mean = np.mean([logits for logits, _ in found], axis=0)
    return round(float((mean.argmax(axis=1) == found[0][1]).mean()), 4)


def _mistyped(row: Example) -> Example:
    changed = typo(Input(row.text, row.span), random.Random(row.text))
    return replace(row, text=changed.text, span=changed.target)


def _as_it_is(row: Example) -> Example:
    return row


@torch.no_grad()
def _logits(
    network: Network, hidden: torch.Tensor, *, mask: npt.NDArray[np.int64], spans: npt.NDArray[np.int64], task: str
) -> npt.NDArray[np.float32]:
    pooling = network.tasks[task].pooling
    pooled = pool(hidden, pooling=pooling, mask=torch.from_numpy(mask), spans=torch.from_numpy(spans))
    return cast(npt.NDArray[np.float32], network.heads[task](pooled).numpy())


def _parameters(encoder: nn.Module) -> int:
    """Weights of the encoder, shared ones once."""
    return sum(value.numel() for value in encoder.parameters())


def _speed(own: Sequence[Encoder], *, base: Encoder, rounds: int = 7) -> float:
    """How many times as fast as the base's graph on rows of 24 tokens all graphs are: the median over turns."""
    ids = np.full((16, 24), 5, dtype=np.int64)
    ratios = []
    for _ in range(rounds + 1):
        seconds = []
        for graphs in ([base], own):
            start = time.perf_counter()
            for graph in 4 * list(graphs):
                graph.hidden(ids, mask=np.ones_like(ids))
            seconds.append(time.perf_counter() - start)
        ratios.append(seconds[0] / seconds[1])
    return statistics.median(ratios[1:])
