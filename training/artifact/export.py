"""Export a finished run as an artifact that serves.

1. Merge the adapter in float32 and verify that the logits do not change.
2. Trace the encoder into a graph and quantise it to int8.
3. Fit the decisions on validation rows, through the int8 graph.
4. Measure the int8 graph, and the float32 graph for comparison, on the test files.
5. Write the artifact's folder in one step.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import nn

from models.artifact import Artifact, DataEntry, EncoderEntry, Manifest, write
from models.decide import Decision, save_decisions
from models.labels import Task, save_tasks
from models.network import Network
from models.runtime import Runtime
from models.spelling import FILE as WORDS
from models.spelling import count_words, load_words, save_words
from models.text import normalise
from models.tokens import Tokens, pad_id
from training.artifact.export_encoder import GRAPH, ExportError, package_versions, split_name
from training.artifact.model_card import render_card, write_licence
from training.data.corpora import CorpusDescription
from training.data.encoding import Encoded, encode, label_columns
from training.data.near_duplicates import drop_near_duplicates
from training.data.tasks import TaskData
from training.evaluate.calibration import fit_decision
from training.evaluate.closer_evaluation import evaluate_closely
from training.evaluate.figures import Figures, HeadlineRow, Metrics, Sample
from training.evaluate.suites import (
    Suite,
    figures_by_corpus,
    make_suites,
    measure,
    read_logits,
    read_suites,
    sample_suites,
    to_inputs,
)
from training.evaluate.temperature import ENOUGH_ROWS
from training.loop import predict
from training.network.encoder_surgery import save_encoder
from training.network.load_network import ENCODER, merge_adapter, restore_run
from training.recipe import recipe_row
from training.run.run_folder import Run
from training.techniques.quantization import calibration_rows, float_graph, quantise, save_graph

TOLERANCE = 1e-4
PROBE_ROWS = 48
SEED = 0
# The precision of the answers from which a task does not abstain, by its role.
PRECISION = {"intent": 0.95, "sentiment": 0.80, "emotion": 0.65, "market_sentiment": 0.90, "market_topic": 0.90}


@dataclass(frozen=True)
class ExportedArtifact:
    """The written artifact and the content of its metrics.json."""

    artifact: Artifact
    metrics: Metrics


def export(
    run: Run, *, folder: Path, data: Mapping[str, TaskData], root: Path | None, rows: int = 0,
    otherwise: Mapping[str, Decision] | None = None, is_slim: bool = False,
) -> ExportedArtifact:  # fmt: skip
    """Export a finished run to `folder` (`<name>-<version>`). Raises ExportError, and then writes nothing.

    data       the run's tasks with their train, validation and test rows
    root       folder of the corpora
    rows       measure at most this many test rows of each corpus; 0: all
    otherwise  decisions of tasks without validation rows
    is_slim    leave out the 16-bit weights of a fully trained encoder; training cannot continue from the artifact then
    """
    manifest = _manifest(run, folder=folder)
    network, tokenizer, tasks = restore_run(run)
    texts = [example.text for entry in data.values() for example in entry.splits["train"]]
    encoder = merge_and_verify(network, probe=_probe_rows(data, tokenizer=tokenizer), pad=pad_id(tokenizer))
    graph = float_graph(encoder)
    calibration = calibration_rows(texts, tokens=Tokens(run.tokenizer, max_length=manifest.max_length), seed=SEED)
    tests = make_suites(data, root=root)
    tests = sample_suites(tests, seed=SEED, n=rows) if rows else tests
    with TemporaryDirectory(prefix="export-") as work:
        undecided = partial(
            _write_undecided, run=run, manifest=manifest, tasks=tasks, words=count_training_words(run, texts=texts)
        )
        exact = undecided(Path(work) / "float32", graph=graph)
        small = undecided(Path(work) / "int8", graph=quantise(graph, rows=calibration))
        int8 = Runtime(small)
        decisions = fit_decisions(int8, data=data, otherwise=otherwise or {})
        metrics = _measure(int8, exact=Runtime(exact), tests=tests, decisions=decisions, root=root)
        contents = _Contents(run, manifest, tasks, decisions, metrics, None if is_slim else encoder)
        fill = partial(contents.fill, undecided=small.folder)
        return ExportedArtifact(write(folder, manifest=manifest, fill=fill, check=Runtime.open), metrics)


@dataclass(frozen=True)
class _Contents:
    """The contents of the artifact, besides the files of the undecided one."""

    run: Run
    manifest: Manifest
    tasks: Mapping[str, Task]
    decisions: Mapping[str, Decision]
    metrics: Metrics
    encoder: nn.Module | None

    def fill(self, part: Path, *, undecided: Path) -> None:
        """Write all files of the artifact to the folder `part`."""
        manifest, corpora = self.manifest, self.run.data()
        shutil.copytree(undecided, part, dirs_exist_ok=True)
        (part / "manifest.json").unlink()
        save_decisions(part / "decision.json", decisions=self.decisions)
        (part / "metrics.json").write_text(json.dumps(self.metrics, indent=1) + "\n", encoding="utf-8")
        card = render_card(manifest, tasks=self.tasks, decisions=self.decisions, metrics=self.metrics, corpora=corpora)
        (part / "MODEL_CARD.md").write_text(card, encoding="utf-8")
        write_licence(part, manifest=manifest, corpora=corpora)
        if manifest.encoders[0].adapter:
            copy_adapter(self.run.adapter, to=part / "adapter", base=manifest.base["name"])
        elif self.encoder is not None:
            save_encoder(self.encoder, path=part / ENCODER, dtype=torch.float16)


def _manifest(run: Run, *, folder: Path) -> Manifest:
    name, version = split_name(folder)
    if not run.is_finished:
        raise ExportError(f"The run {run.path} is not finished: resume it before exporting.")
    encoder, recipe = run.encoder(), run.recipe()
    return Manifest(
        name=name,
        version=version,
        kind="classifier",
        base={"name": encoder["name"], "sha256": encoder["sha256"]},
        encoders=(EncoderEntry("main", GRAPH, "" if run.encoder_file.is_file() else "adapter/", tuple(run.tasks())),),
        max_length=recipe.max_length,
        data=tuple(_data_entry(row) for row in run.data()),
        recipe=recipe_with_origin(run),
        packages=package_versions(),
    )


def recipe_with_origin(run: Run) -> Mapping[str, object]:
    """Return the recipe, with that of its start (`start`) or those of the runs that it averages (`soup`)."""
    row = recipe_row(run.recipe())
    for name in ("start", "soup"):
        path = run.path / f"{name}.json"
        if path.is_file():
            origin = json.loads(path.read_text(encoding="utf-8"))
            row[name] = {key: value for key, value in origin.items() if key != "path"}
    return row


def copy_adapter(adapter: Path, *, to: Path, base: str) -> None:
    """Copy an adapter; its configuration then has the name of the base encoder instead of a local path."""
    shutil.copytree(adapter, to, ignore=shutil.ignore_patterns("README.md"))
    path = to / "adapter_config.json"
    config = json.loads(path.read_text(encoding="utf-8")) | {"base_model_name_or_path": base}
    path.write_text(json.dumps(config, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _data_entry(row: CorpusDescription) -> DataEntry:
    return DataEntry(
        name=row["name"],
        licence=row["licence"],
        sha256=row.get("sha256", {}).get("train", ""),
        rows=row.get("rows", {}).get("train", 0),
    )


def count_training_words(run: Run, *, texts: Iterable[str]) -> dict[str, int]:
    """Count the words of the training texts; words that the run's start had counted keep the higher count."""
    path = run.path / "start.json"
    start = Path(json.loads(path.read_text(encoding="utf-8"))["path"]) / WORDS if path.is_file() else None
    before = load_words(start) if start is not None and start.is_file() else {}
    found = count_words(normalise(text) for text in texts)
    counts = {word: max(found.get(word, 0), before.get(word, 0)) for word in found | before}
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _write_undecided(
    folder: Path, *, run: Run, manifest: Manifest, graph: Any, tasks: Mapping[str, Task], words: Mapping[str, int]
) -> Artifact:
    """Write an artifact with default decisions, for fitting the decisions and for measuring."""

    def fill(part: Path) -> None:
        save_graph(graph, path=part / GRAPH)
        shutil.copyfile(run.tokenizer, part / "tokenizer.json")
        shutil.copyfile(run.heads, part / "heads.safetensors")
        save_tasks(part / "labels.json", tasks=tasks.values())
        decisions = {name: default_decision(task) for name, task in tasks.items()}
        save_decisions(part / "decision.json", decisions=decisions)
        save_words(part / WORDS, counts=words)

    return write(folder, manifest=manifest, fill=fill)


def default_decision(task: Task) -> Decision:
    """Return the decision of a task before anything is fitted."""
    return Decision(kind=task.kind, accept=(0.5,) * len(task.labels) if task.kind == "multi" else ())


def _probe_rows(data: Mapping[str, TaskData], *, tokenizer: Any) -> dict[str, Encoded]:
    rows = {name: (entry.task, entry.splits["train"][:PROBE_ROWS]) for name, entry in data.items()}
    return {name: encode(first, task=task, tokenizer=tokenizer) for name, (task, first) in rows.items()}


def merge_and_verify(network: Network, *, probe: Mapping[str, Encoded], pad: int) -> nn.Module:
    """Merge the adapter, if there is one, into the encoder in float32 and return the encoder.

    Raises ExportError when a logit of the probe rows changes by more than 1e-4.
    """
    before = _probe_logits(network, probe=probe, pad=pad)
    network.encoder = merge_adapter(network.encoder)
    after = _probe_logits(network, probe=probe, pad=pad)
    worst = max((float((before[task] - after[task]).abs().max()) for task in before), default=0.0)
    if worst > TOLERANCE:
        raise ExportError(f"The merged encoder differs from the adapter by {worst:.1e} (at most {TOLERANCE:.0e}).")
    return network.encoder


def _probe_logits(network: Network, *, probe: Mapping[str, Encoded], pad: int) -> dict[str, torch.Tensor]:
    found = {}
    for task, encoded in probe.items():
        if len(encoded):
            rows = torch.arange(len(encoded)).numpy()
            found[task] = torch.from_numpy(predict(network, task=task, encoded=encoded, rows=rows, pad_id=pad))
    return found


def fit_decisions(
    runtime: Runtime, *, data: Mapping[str, TaskData], otherwise: Mapping[str, Decision]
) -> dict[str, Decision]:
    """Fit every task's decision on its validation rows; a task without rows gets that of `otherwise`, or the default.

    Validation rows with a near-duplicate among the training rows are left out (data/near_duplicates.py).
    """
    decisions = {}
    for name, entry in data.items():
        rows = drop_near_duplicates(
            entry.splits.get("validation", []), known=entry.splits["train"], at_least=ENOUGH_ROWS
        )
        if not rows:
            decisions[name] = otherwise.get(name, default_decision(entry.task))
            continue
        logits = read_logits(runtime, inputs=to_inputs(rows), task=name, title=f"validation {name}")
        targets = label_columns(rows, task=entry.task)
        decisions[name] = fit_decision(logits, targets=targets, task=entry.task, precision=PRECISION[entry.task.role])
    return decisions


def _measure(
    int8: Runtime, *, exact: Runtime, tests: Sequence[Suite], decisions: Mapping[str, Decision], root: Path | None
) -> Metrics:
    readings = read_suites(int8, tests=tests, root=root, title="int8")
    small = figures_by_corpus(readings, decisions=decisions)
    full = measure(exact, tests=tests, decisions=decisions, root=root, title="float32")
    some = measure(int8, tests=sample_suites(tests, seed=SEED), decisions=decisions, root=None, title="sample")
    closer = evaluate_closely(int8, readings=readings, decisions=decisions, seed=SEED)
    headline = [_headline(suite, int8=small[suite.corpus], float32=full[suite.corpus]) for suite in tests]
    for row in headline:
        row["interval"] = closer["details"][row["corpus"]]["intervals"][row["metric"]]
    sample = Sample(seed=SEED, figures=some)
    return Metrics(headline=headline, int8=small, float32=full, sample=sample, **closer)


def _headline(suite: Suite, *, int8: Figures, float32: Figures) -> HeadlineRow:
    name = suite.headline
    return HeadlineRow(
        corpus=suite.corpus,
        task=suite.task.name,
        metric=name,
        n=int8["n"],
        int8=int8[name],
        float32=float32[name],
        difference=round(int8[name] - float32[name], 5),
    )
