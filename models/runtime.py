"""Run an artifact: texts in, logits of every task out, without torch.

Identical texts are read once. Short texts are packed into batches of at most `BUDGET` tokens, long texts are read in
windows whose logits are averaged. Activation scales are static, so that a text's logits do not depend on its batch.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from models.artifact import Artifact, ArtifactError, EncoderEntry, open_artifact
from models.decide import Decision, load_decisions
from models.graph import Encoder, Graph
from models.heads import Array, Head, Heads, load_heads, span_mean, text_means
from models.labels import Task, load_tasks
from models.packing import Batch, batches
from models.spelling import FILE as WORDS
from models.spelling import Slip, Spelling, load_words
from models.text import Normalised, Span, normalise
from models.tokens import Encoded, Tokens, Window

BUDGET = 1024


@dataclass(frozen=True)
class Input:
    """A text, and the half-open character range of the target that target-dependent tasks are about.

    `is_normalised` is True when the text has already been through `models.text.normalise`.
    """

    text: str
    target: Span | None = None
    is_normalised: bool = False


@dataclass(frozen=True)
class Run:
    """Logits [n, labels] of each task, and for each input its number of tokens and how many of them were read."""

    logits: dict[str, Array]
    n_tokens: tuple[int, ...]
    n_used: tuple[int, ...]


@dataclass(frozen=True)
class _Group:
    """Inputs with the same normalised text; `members` are pairs of an input's index and its span's index, or -1."""

    text: Normalised
    members: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class _Pooled:
    """Sentence means [windows, width], the group index of each window, and span means by (window, span)."""

    sentences: Array
    owners: NDArray[np.intp]
    spans: dict[tuple[int, int], Array]


class Runtime:
    """An artifact opened for serving; any thread may call `run` and `embed`."""

    def __init__(self, artifact: Artifact, *, threads: int | None = None) -> None:
        manifest = artifact.manifest
        # Idle BLAS threads busy-wait, which costs the graph's threads more than the heads gain.
        threadpool_limits(limits=1, user_api="blas")
        self.artifact = artifact
        self.tasks: dict[str, Task] = {}
        self.decisions: dict[str, Decision] = {}
        self._heads: dict[str, Head] = {}
        self._together: dict[tuple[str, ...], Heads] = {}
        if manifest.kind == "classifier":
            self._open_heads(artifact)
        self._tokens = Tokens(artifact.path("tokenizer.json"), max_length=manifest.max_length)
        self._spelling = self._open_spelling(artifact) if WORDS in manifest.files else None
        count = threads or os.cpu_count() or 1
        self._graphs = {entry.name: self._open_graph(entry, threads=count) for entry in manifest.encoders}

    @classmethod
    def open(cls, folder: Path, *, threads: int | None = None) -> Runtime:
        """Open and verify the artifact in `folder`. Raises ArtifactError, which names the file at fault."""
        return cls(open_artifact(folder), threads=threads)

    def _open_graph(self, entry: EncoderEntry, *, threads: int) -> Encoder:
        """Open an encoder's graph; other kinds of runtimes override this."""
        path = self.artifact.path(entry.graph)
        try:
            return Graph(path, threads=threads)
        except RuntimeError as error:
            sentence = f"{path} cannot be compiled for this processor: {error}."
            raise ArtifactError("unreadable_graph", file=entry.graph, sentence=sentence) from error

    def _open_heads(self, artifact: Artifact) -> None:
        try:
            tasks = load_tasks(artifact.path("labels.json"))
            self.decisions = load_decisions(artifact.path("decision.json"), tasks=tasks)
        except (ValueError, KeyError, TypeError) as error:
            sentence = f"labels.json or decision.json in {artifact.folder} cannot be read: {error}."
            raise ArtifactError("unreadable_labels", file="labels.json", sentence=sentence) from error
        self.tasks = {name: tasks[name] for entry in artifact.manifest.encoders for name in entry.tasks}
        self._heads = load_heads(artifact.path("heads.safetensors"), tasks=self.tasks)

    def _open_spelling(self, artifact: Artifact) -> Spelling:
        path = artifact.path(WORDS)
        try:
            return Spelling(load_words(path), is_known=self._tokens.is_whole)
        except ValueError as error:
            sentence = f"{path} cannot be read as one word and its count a line: {error}."
            raise ArtifactError("unreadable_words", file=WORDS, sentence=sentence) from error

    def hasten(self) -> None:
        """Prepare for single short texts, which takes a second; other threads may already call the runtime."""
        for graph in self._graphs.values():
            graph.hasten()

    def logits(self, inputs: Sequence[Input | str], *, tasks: Collection[str] | None = None) -> dict[str, Array]:
        """Return the logits [n, labels] of each task (None: all) for the n inputs."""
        return self.run(inputs, tasks=tasks).logits

    def run(self, inputs: Sequence[Input | str], *, tasks: Collection[str] | None = None) -> Run:
        """Return logits and token counts of the inputs for `tasks` (None: all). Raises KeyError for an unknown task."""
        wanted = list(self.tasks if tasks is None else tasks)
        groups = _groups(self.read_as(Input(item) if isinstance(item, str) else item) for item in inputs)
        encoded = self._tokens.encode([group.text for group in groups])
        logits = {task: np.zeros((len(inputs), len(self.tasks[task].labels)), np.float32) for task in wanted}
        for entry in self.artifact.manifest.encoders:
            asked = [task for task in wanted if task in entry.tasks]
            if asked and inputs:
                pooled = self._pool(encoded, graph=self._graphs[entry.name])
                self._answer(logits, tasks=tuple(asked), pooled=pooled, groups=groups)
        return Run(logits, *_token_counts(groups, encoded=encoded, n=len(inputs)))

    def read_as(self, item: Input) -> Normalised:
        """Return the text as the model reads it, with its target's span: normalised, with corrected spelling."""
        return self._spelling.mend(_ready(item)) if self._spelling else _ready(item)

    def slips(self, item: Input) -> tuple[Slip, ...]:
        """Return the misspelt words of a text with their corrections."""
        ready = _ready(item)
        edits = self._spelling.edits(ready) if self._spelling else []
        return tuple(Slip(ready.text[start:end], meant) for start, end, meant in edits)

    def embed(self, texts: Sequence[str]) -> Array:
        """Return L2-normalised, mean-pooled vectors [n, width] of the first encoder; windows are averaged."""
        groups = _groups(self.read_as(Input(text)) for text in texts)
        encoded = self._tokens.encode([group.text for group in groups])
        pooled = self._pool(encoded, graph=self._graphs[self.artifact.manifest.encoders[0].name])
        means = _mean_by_owner(pooled.sentences, owners=pooled.owners, n=len(groups))
        vectors = np.zeros((len(texts), means.shape[1]), np.float32)
        for number, group in enumerate(groups):
            vectors[[member for member, _ in group.members]] = means[number]
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)

    def _pool(self, encoded: Sequence[Encoded], *, graph: Encoder) -> _Pooled:
        windows = [window for text in encoded for window in text.windows]
        owners = np.repeat(np.arange(len(encoded)), [len(text.windows) for text in encoded])
        sentences: Array = np.zeros((len(windows), 0), np.float32)
        spans: dict[tuple[int, int], Array] = {}
        for batch in batches(windows, budget=BUDGET, pad=self._tokens.pad, is_packing=graph.is_packing):
            hidden = graph.hidden(batch.ids, mask=batch.mask, positions=batch.positions)
            if sentences.shape[1] == 0:
                sentences = np.zeros((len(windows), hidden.shape[2]), np.float32)
            sentences[batch.windows] = text_means(hidden, mask=batch.mask)[batch.rows, batch.numbers - 1]
            spans |= _span_means(hidden, batch=batch, windows=windows)
        return _Pooled(sentences, owners, spans)

    def _answer(
        self, out: dict[str, Array], *, tasks: tuple[str, ...], pooled: _Pooled, groups: Sequence[_Group]
    ) -> None:
        owners = np.repeat(np.arange(len(groups)), [len(group.members) for group in groups])
        members = np.asarray([member for group in groups for member, _ in group.members], dtype=np.intp)
        for task, rows in self._alone(tasks)(pooled.sentences).items():
            out[task][members] = _mean_by_owner(rows, owners=pooled.owners, n=len(groups))[owners]
        if pooled.spans:
            rows, towards = _span_rows(pooled, groups=groups)
            with_target = np.unique(towards)
            numbers = np.searchsorted(with_target, towards)
            for task in tasks:
                if self.tasks[task].pooling == "span":
                    found = self._heads[task](rows)
                    out[task][with_target] = _mean_by_owner(found, owners=numbers, n=len(with_target))

    def _alone(self, tasks: tuple[str, ...]) -> Heads:
        """Return the heads of `tasks` for texts without a target."""
        if tasks not in self._together:
            heads = {task: self._heads[task] for task in tasks}
            spans = {task: head.twice() for task, head in heads.items() if self.tasks[task].pooling == "span"}
            self._together[tasks] = Heads(heads | spans)
        return self._together[tasks]


def _groups(texts: Iterable[Normalised]) -> list[_Group]:
    """Group inputs with the same text, in order of first occurrence, with the distinct spans of each text."""
    found: dict[str, tuple[list[Span], list[tuple[int, int]]]] = {}
    for number, ready in enumerate(texts):
        spans, members = found.setdefault(ready.text, ([], []))
        members.append((number, _number_of(ready.spans, spans=spans)))
    return [_Group(Normalised(text, tuple(spans)), tuple(members)) for text, (spans, members) in found.items()]


def _ready(item: Input) -> Normalised:
    spans = (item.target,) if item.target else ()
    return Normalised(item.text, spans) if item.is_normalised else normalise(item.text, spans=spans)


def _number_of(own: Sequence[Span], *, spans: list[Span]) -> int:
    if not own:
        return -1
    if own[0] not in spans:
        spans.append(own[0])
    return spans.index(own[0])


def _span_means(hidden: Array, *, batch: Batch, windows: Sequence[Window]) -> dict[tuple[int, int], Array]:
    found = {}
    for window, row, first in zip(batch.windows.tolist(), batch.rows.tolist(), batch.starts.tolist(), strict=True):
        for number, (start, end) in enumerate(windows[window].ranges):
            if end > start:
                found[window, number] = span_mean(hidden[row], span=(first + start, first + end))
    return found


def _span_rows(pooled: _Pooled, *, groups: Sequence[_Group]) -> tuple[Array, NDArray[np.intp]]:
    """Return rows [span mean, sentence mean] of the windows that contain an input's target, and the inputs' indices."""
    firsts = np.searchsorted(pooled.owners, np.arange(len(groups) + 1))
    rows: list[Array] = []
    owners: list[int] = []
    for number, group in enumerate(groups):
        for member, span in group.members:
            for window in range(firsts[number], firsts[number + 1]) if span >= 0 else ():
                if (window, span) in pooled.spans:
                    rows.append(np.concatenate([pooled.spans[window, span], pooled.sentences[window]]))
                    owners.append(member)
    return np.stack(rows), np.asarray(owners, dtype=np.intp)


def _mean_by_owner(rows: Array, *, owners: NDArray[np.intp], n: int) -> Array:
    if len(rows) == n and np.array_equal(owners, np.arange(n)):
        return rows
    sums = np.zeros((n, rows.shape[1]), np.float32)
    np.add.at(sums, owners, rows)
    return np.asarray(sums / np.bincount(owners, minlength=n)[:, None], dtype=np.float32)


def _token_counts(
    groups: Sequence[_Group], *, encoded: Sequence[Encoded], n: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    total, used = [0] * n, [0] * n
    for group, text in zip(groups, encoded, strict=True):
        for member, _ in group.members:
            total[member], used[member] = text.n_tokens, text.n_used
    return tuple(total), tuple(used)
