"""The figures of a row of the technique study: accuracy by corpus, clean and with typos, parameters, and speed."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypedDict, cast

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
from training.artifact.export_encoder import load_eager_encoder
from training.config import encoder_path
from training.data.batching import collate, length_batches
from training.data.encoding import encode, open_tokenizer
from training.data.tasks import TaskData, sample_rows
from training.evaluate.perturbations import add_typo
from training.network.load_network import TrainedNetwork, merge_adapter
from training.techniques.quantization import calibration_rows, float_graph, quantise, save_graph

CORPORA = ("banking77", "tfns", "sentfin")
Logits = npt.NDArray[np.float32]


class StudyFigures(TypedDict):
    """The measured figures of a row; accuracies and numbers of rows by corpus."""

    accuracy: dict[str, float]
    with_a_typo: dict[str, float]
    n: dict[str, int]
    parameters_m: float
    times_base_speed: float


@dataclass(frozen=True)
class Scorer:
    """Measures the rows of the study on at most `rows` validation rows of each corpus.

    `encoder` names the base encoder, against whose graph speed is measured.
    """

    data: Mapping[str, TaskData]
    rows: int
    encoder: str

    @cached_property
    def suites(self) -> tuple[tuple[str, str, list[Example]], ...]:
        """The validation rows as (corpus, task, rows)."""
        return tuple(self._suites())

    def _suites(self) -> Iterator[tuple[str, str, list[Example]]]:
        for name, entry in self.data.items():
            for corpus in CORPORA:
                rows = [row for row in entry.splits["validation"] if row.source == corpus]
                if rows:
                    yield corpus, name, sample_rows(rows, cap=self.rows, seed=f"study/{corpus}")

    @property
    def texts(self) -> list[str]:
        """The texts of all training rows."""
        return [row.text for entry in self.data.values() for row in entry.splits["train"]]

    def measure(self, opened: Sequence[TrainedNetwork], *, form: str) -> StudyFigures:
        """Return accuracy, clean and with one typo per text, parameters, and speed relative to the base encoder.

        The logits of several networks are averaged. The form `int8` quantises the graphs, `spelling` corrects the
        spelling of the texts first.
        """
        with TemporaryDirectory(prefix="study-") as work:
            readers = [
                self._open_reader(one, path=Path(work) / f"{at}.xml", form=form) for at, one in enumerate(opened)
            ]
            save_graph(float_graph(load_eager_encoder(Path(encoder_path(self.encoder)))), path=Path(work) / "base.xml")
            base = Graph(Path(work) / "base.xml", threads=1)
            mend = self._spelling_corrector(opened[0]) if form == "spelling" else _unchanged
            accuracy = partial(_accuracy, readers, data=self.data)
            clean = {corpus: accuracy([mend(row) for row in rows], task=task) for corpus, task, rows in self.suites}
            noisy = {
                corpus: accuracy([mend(_add_typo(row)) for row in rows], task=task)
                for corpus, task, rows in self.suites
            }
            return {
                "accuracy": clean,
                "with_a_typo": noisy,
                "n": {corpus: len(rows) for corpus, _, rows in self.suites},
                "parameters_m": round(sum(_count_parameters(one.network.encoder) for one in opened) / 1e6, 2),
                "times_base_speed": round(_relative_speed([reader.graph for reader in readers], base=base), 2),
            }

    def _open_reader(self, opened: TrainedNetwork, *, path: Path, form: str) -> GraphReader:
        """Merge the network's adapter and write its encoder as a graph."""
        opened.network.encoder = merge_adapter(opened.network.encoder).eval()
        graph = float_graph(opened.network.encoder)
        if form == "int8":
            tokens = Tokens(opened.tokenizer, max_length=opened.max_length)
            graph = quantise(graph, rows=calibration_rows(self.texts, tokens=tokens, seed=0, n=200))
        save_graph(graph, path=path)
        return GraphReader(opened, Graph(path, threads=1))

    def _spelling_corrector(self, opened: TrainedNetwork) -> Callable[[Example], Example]:
        """Return a function that corrects the spelling of a row with the words of the training texts."""
        tokens = Tokens(opened.tokenizer, max_length=opened.max_length)
        spelling = Spelling(count_words(normalise(text) for text in self.texts), is_known=tokens.is_whole)

        def mend(row: Example) -> Example:
            found = spelling.mend(normalise(row.text, spans=[row.span] if row.span else []))
            return replace(row, text=found.text, span=found.spans[0] if found.spans else None)

        return mend


@dataclass(frozen=True)
class GraphReader:
    """A network whose encoder runs as a graph."""

    opened: TrainedNetwork
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
            found[places] = _head_logits(self.opened.network, hidden, mask=mask, spans=batch.spans, task=data.task.name)
        return found, encoded.targets


def _accuracy(
    readers: Sequence[GraphReader], rows: Sequence[Example], *, task: str, data: Mapping[str, TaskData]
) -> float:
    found = [reader.logits(rows, data=data[task]) for reader in readers]
    mean = np.mean([logits for logits, _ in found], axis=0)
    return round(float((mean.argmax(axis=1) == found[0][1]).mean()), 4)


def _add_typo(row: Example) -> Example:
    changed = add_typo(Input(row.text, row.span), random.Random(row.text))
    return replace(row, text=changed.text, span=changed.target)


def _unchanged(row: Example) -> Example:
    return row


@torch.no_grad()
def _head_logits(
    network: Network, hidden: torch.Tensor, *, mask: npt.NDArray[np.int64], spans: npt.NDArray[np.int64], task: str
) -> npt.NDArray[np.float32]:
    pooling = network.tasks[task].pooling
    pooled = pool(hidden, pooling=pooling, mask=torch.from_numpy(mask), spans=torch.from_numpy(spans))
    return cast(npt.NDArray[np.float32], network.heads[task](pooled).numpy())


def _count_parameters(encoder: nn.Module) -> int:
    """Return the number of the encoder's weights; shared weights count once."""
    return sum(value.numel() for value in encoder.parameters())


def _relative_speed(own: Sequence[Encoder], *, base: Encoder, rounds: int = 7) -> float:
    """Return the speed of all graphs together relative to the base's graph, on rows of 24 tokens.

    Base and own graphs run in turns, so that a busy machine slows both; the result is the median over the rounds.
    """
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
