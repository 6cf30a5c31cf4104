"""A real but tiny artifact, made in seconds: the tiny encoder quantised, seeded heads, and fitted-looking decisions."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from models.artifact import Artifact, EncoderEntry, Manifest, write
from models.decide import BandEdge, Decision, save_decisions
from models.labels import OUT_OF_SCOPE, Task, make_task, save_tasks
from models.runtime import Runtime
from models.tokens import Tokens
from tests.tiny import tiny_encoder
from training.network.load_network import load_encoder
from training.techniques.quantization import calibration_rows, float_graph, quantise, save_graph

POLARITY = ("negative", "neutral", "positive")
TEXTS = (
    "my card was stolen, please cancel it",
    "where is my order?",
    "I want my money back now",
    "the bank charged a fee for the transfer",
    "profit is up and the shares surge",
    "apple forecast a drop in sales",
    "thank you, the delivery is great",
    "help, the app is not working again",
)


def tiny_tasks() -> dict[str, Task]:
    """The product's six tasks with a handful of labels each."""
    intents = ("card_arrival", "lost_or_stolen_card", "transfer_fee_charged", OUT_OF_SCOPE)
    orders = ("cancel_order", "get_refund", "track_order", OUT_OF_SCOPE)
    feelings = ("anger", "disgust", "fear", "joy", "sadness", "surprise", "neutral")
    topics = ("Analyst Update", "Fed | Central Banks", "Earnings", "Macro")
    made = (
        make_task("banking_intent", role="intent", kind="single", pooling="mean", labels=intents),
        make_task("commerce_intent", role="intent", kind="single", pooling="mean", labels=orders),
        make_task("sentiment", role="sentiment", kind="single", pooling="mean", labels=POLARITY),
        make_task("emotion", role="emotion", kind="multi", pooling="mean", labels=feelings),
        make_task("market_sentiment", role="market_sentiment", kind="single", pooling="span", labels=POLARITY),
        make_task("market_topic", role="market_topic", kind="single", pooling="mean", labels=topics),
    )
    return {task.name: task for task in made}


def tiny_artifact(folder: Path, *, seed: int = 0, work: Path | None = None) -> Artifact:
    """Write the artifact to `folder` (named <name>-<version>), its encoder to a folder beside it."""
    name, version = folder.name.rsplit("-", 1)
    tasks = tiny_tasks()
    source = tiny_encoder(work or folder.parent / "tiny-encoder", seed=seed)
    rows = calibration_rows(TEXTS, tokens=Tokens(source / "tokenizer.json", max_length=32), seed=0)
    graph = quantise(float_graph(load_encoder(str(source))), rows=rows)
    manifest = Manifest(
        name=name,
        version=version,
        kind="classifier",
        base={"name": "tiny", "sha256": ""},
        encoders=(EncoderEntry("main", "int8/main.xml", "", tuple(tasks)),),
        max_length=32,
    )

    def fill(part: Path) -> None:
        save_graph(graph, path=part / "int8/main.xml")
        shutil.copyfile(source / "tokenizer.json", part / "tokenizer.json")
        save_file(_heads(tasks, width=32, seed=seed), part / "heads.safetensors")
        save_tasks(part / "labels.json", tasks=tasks.values())
        save_decisions(part / "decision.json", decisions={task: _decision(tasks[task]) for task in tasks})

    return write(folder, manifest=manifest, fill=fill, check=Runtime.open)


def _heads(
    tasks: dict[str, Task], *, width: int, seed: int
) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    rng = np.random.default_rng(seed)
    tensors = {}
    for name, task in tasks.items():
        columns = width * (2 if task.pooling == "span" else 1)
        tensors[f"{name}.output.weight"] = rng.normal(size=(len(task.labels), columns)).astype(np.float32)
        tensors[f"{name}.output.bias"] = np.zeros(len(task.labels), np.float32)
    return tensors


def _decision(task: Task) -> Decision:
    bands = (BandEdge("high", 0.8, 0.96, 60), BandEdge("medium", 0.5, 0.81, 30), BandEdge("low", 0.0, 0.42, 10))
    accept = (0.5,) * len(task.labels) if task.kind == "multi" else ()
    return Decision(kind=task.kind, temperature=1.5, threshold=0.35, precision=0.9, bands=bands, accept=accept)
