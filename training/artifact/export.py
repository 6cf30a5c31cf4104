"""From a finished run to an artifact that serves.

Merge the adapter in float32, verify, trace, quantise; fit the decisions on validation rows through the int8 graph;
measure the int8 file itself, and the float32 graph beside it, on the test files; write everything in one step.
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
from training.artifact.model_card import render, write_licence
from training.config import recipe_row
from training.data.encode import Encoded, encode, label_columns
from training.data.tasks import TaskData
from training.data.twins import without_twins
from training.evaluate.calibration import fit_decision
from training.evaluate.examination import examine
from training.evaluate.measurement import Suite, figures_of, inputs_of, measure, read, read_logits, sampled, suites
from training.evaluate.temperature import ENOUGH_ROWS
from training.loop import predict
from training.network.encoder_shape import save_encoder
from training.network.reopening import ENCODER, merged, restore
from training.run.run_folder import Run
from training.techniques.quantization import calibration_rows, float_graph, quantise, save_graph

TOLERANCE = 1e-4
PROBE_ROWS = 48
SEED = 0
# The precision a task promises for the answers it does not abstain from, by its role.
PRECISION = {"intent": 0.95, "sentiment": 0.80, "emotion": 0.65, "market_sentiment": 0.90, "market_topic": 0.90}


@dataclass(frozen=True)
class Exported:
    """The artifact and its figures as they stand in metrics.json."""

    artifact: Artifact
    metrics: dict[str, Any]


def export(
    run: Run, *, folder: Path, data: Mapping[str, TaskData], root: Path | None, rows: int = 0,
    otherwise: Mapping[str, Decision] | None = None, is_slim: bool = False,
) -> Exported:  # fmt: skip
    """Export a finished run to `folder` (`<name>-<version>`); raises ExportError, and then writes nothing.

    `data` holds the run's tasks with their train, validation and test rows, `root` the folder of the corpora; at most
    `rows` test rows of each corpus are measured (0: all). A task without validation rows decides as `otherwise` says.
    A network whose whole encoder learned is kept in 16 bits, so that training can go on from it, unless `is_slim`.
    """
    manifest = _manifest(run, folder=folder)
    network, tokenizer, tasks = restore(run)
    texts = [example.text for entry in data.values() for example in entry.splits["train"]]
    whole = merge(network, probe=_probe(data, tokenizer=tokenizer), pad=pad_id(tokenizer))
    graph = float_graph(whole)
    calibration = calibration_rows(texts, tokens=Tokens(run.tokenizer, max_length=manifest.max_length), seed=SEED)
    words = words_of(run, texts=texts)
    plain = {name: neutral(task) for name, task in tasks.items()}
    with TemporaryDirectory(prefix="export-") as work:
        bare = partial(_write_bare, run=run, manifest=manifest, decisions=plain, words=words)
        exact = bare(Path(work) / "float32", graph=graph)
        small = bare(Path(work) / "int8", graph=quantise(graph, rows=calibration))
        int8 = Runtime(small)
        decisions = fit_decisions(int8, data=data, otherwise=otherwise or {})
        tests = suites(data, root=root)
        tests = sampled(tests, seed=SEED, n=rows) if rows else tests
        metrics = _metrics(int8, exact=Runtime(exact), tests=tests, decisions=decisions, root=root)

        def fill(part: Path) -> None:
            shutil.copytree(small.folder, part, dirs_exist_ok=True)
            (part / "manifest.json").unlink()
            save_decisions(part / "decision.json", decisions=decisions)
            (part / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
            card = render(manifest, tasks=tasks, decisions=decisions, metrics=metrics, corpora=run.data())
            (part / "MODEL_CARD.md").write_text(card, encoding="utf-8")
            write_licence(part, manifest=manifest, corpora=run.data())
            if manifest.encoders[0].adapter:
                copy_adapter(run.adapter, to=part / "adapter", base=manifest.base["name"])
            elif not is_slim:
                save_encoder(whole, path=part / ENCODER, dtype=torch.float16)

        return Exported(write(folder, manifest=manifest, fill=fill, check=Runtime.open), metrics)


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
        recipe=recipe_of(run),
        packages=package_versions(),
    )


def recipe_of(run: Run) -> dict[str, Any]:
    """The recipe, with what the run went on from (`start`) or is the average of (`soup`), where it is either."""
    found = recipe_row(run.recipe())
    for name in ("start", "soup"):
        path = run.path / f"{name}.json"
        if path.is_file():
            row = json.loads(path.read_text(encoding="utf-8"))
            found[name] = {key: value for key, value in row.items() if key != "path"}
    return found


def copy_adapter(adapter: Path, *, to: Path, base: str) -> None:
    """Copy an adapter; its file names the base encoder by name, not by where it stood on the training machine."""
    shutil.copytree(adapter, to, ignore=shutil.ignore_patterns("README.md"))
    path = to / "adapter_config.json"
    config = json.loads(path.read_text(encoding="utf-8")) | {"base_model_name_or_path": base}
    path.write_text(json.dumps(config, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _data_entry(row: Mapping[str, Any]) -> DataEntry:
    return DataEntry(
        name=row["name"],
        licence=row["licence"],
        sha256=row.get("sha256", {}).get("train", ""),
        rows=row.get("rows", {}).get("train", 0),
    )


def words_of(run: Run, *, texts: Iterable[str]) -> dict[str, int]:
    """The words of a run's training texts with their counts, and those that what it went on from had counted before."""
    path = run.path / "start.json"
    start = Path(json.loads(path.read_text(encoding="utf-8"))["path"]) / WORDS if path.is_file() else None
    before = load_words(start) if start is not None and start.is_file() else {}
    found = count_words(normalise(text) for text in texts)
    counts = {word: max(found.get(word, 0), before.get(word, 0)) for word in found | before}
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _write_bare(
    folder: Path,
    *,
    run: Run,
    manifest: Manifest,
    graph: Any,
    decisions: Mapping[str, Decision],
    words: Mapping[str, int],
) -> Artifact:
    """An artifact that runs but decides nothing yet: what calibration and measurement go through."""

    def fill(part: Path) -> None:
        save_graph(graph, path=part / GRAPH)
        shutil.copyfile(run.tokenizer, part / "tokenizer.json")
        shutil.copyfile(run.heads, part / "heads.safetensors")
        save_tasks(part / "labels.json", tasks=run.tasks().values())
        save_decisions(part / "decision.json", decisions=decisions)
        save_words(part / WORDS, counts=words)

    return write(folder, manifest=manifest, fill=fill)


def neutral(task: Task) -> Decision:
    """A decision before anything was fitted."""
    return Decision(kind=task.kind, accept=(0.5,) * len(task.labels) if task.kind == "multi" else ())


def _probe(data: Mapping[str, TaskData], *, tokenizer: Any) -> dict[str, Encoded]:
    rows = {name: (entry.task, entry.splits["train"][:PROBE_ROWS]) for name, entry in data.items()}
    return {name: encode(first, task=task, tokenizer=tokenizer) for name, (task, first) in rows.items()}


def merge(network: Network, *, probe: Mapping[str, Encoded], pad: int) -> nn.Module:
    """Merge the adapter, if there is one, into the encoder in float32 and return the encoder.

    Raises ExportError when any logit of the probe rows moves by more than 1e-4.
    """
    before = _logits(network, probe=probe, pad=pad)
    network.encoder = merged(network.encoder)
    after = _logits(network, probe=probe, pad=pad)
    worst = max((float((before[task] - after[task]).abs().max()) for task in before), default=0.0)
    if worst > TOLERANCE:
        raise ExportError(f"The merged encoder differs from the adapter by {worst:.1e} (at most {TOLERANCE:.0e}).")
    return network.encoder


def _logits(network: Network, *, probe: Mapping[str, Encoded], pad: int) -> dict[str, torch.Tensor]:
    found = {}
    for task, encoded in probe.items():
        if len(encoded):
            rows = torch.arange(len(encoded)).numpy()
            found[task] = torch.from_numpy(predict(network, task=task, encoded=encoded, rows=rows, pad_id=pad))
    return found


def fit_decisions(
    runtime: Runtime, *, data: Mapping[str, TaskData], otherwise: Mapping[str, Decision]
) -> dict[str, Decision]:
    """Fit every task's decision on its validation rows; a task without any takes the one that is given, or none.

    Rows with a near twin among the training rows do not count: what comes to be read has none.
    """
    decisions = {}
    for name, entry in data.items():
        rows = without_twins(entry.splits.get("validation", []), known=entry.splits["train"], at_least=ENOUGH_ROWS)
        if not rows:
            decisions[name] = otherwise.get(name, neutral(entry.task))
            continue
        logits = read_logits(runtime, inputs=inputs_of(rows), task=name, title=f"validation {name}")
        targets = label_columns(rows, task=entry.task)
        decisions[name] = fit_decision(logits, targets=targets, task=entry.task, precision=PRECISION[entry.task.role])
    return decisions


def _metrics(
    int8: Runtime, *, exact: Runtime, tests: Sequence[Suite], decisions: Mapping[str, Decision], root: Path | None
) -> dict[str, Any]:
    readings = read(int8, tests=tests, root=root, title="int8")
    small = figures_of(readings, decisions=decisions)
    full = measure(exact, tests=tests, decisions=decisions, root=root, title="float32")
    some = measure(int8, tests=sampled(tests, seed=SEED), decisions=decisions, root=None, title="sample")
    closer = examine(int8, readings=readings, decisions=decisions, seed=SEED)
    headline = [_headline(suite, int8=small[suite.corpus], float32=full[suite.corpus]) for suite in tests]
    for row in headline:
        row["interval"] = closer["details"][row["corpus"]]["intervals"][row["metric"]]
    return {"headline": headline, "int8": small, "float32": full, "sample": {"seed": SEED, "figures": some}} | closer


def _headline(suite: Suite, *, int8: Mapping[str, Any], float32: Mapping[str, Any]) -> dict[str, Any]:
    name = suite.headline
    row = {"corpus": suite.corpus, "task": suite.task.name, "metric": name, "n": int8["n"]}
    return row | {"int8": int8[name], "float32": float32[name], "difference": round(int8[name] - float32[name], 5)}
