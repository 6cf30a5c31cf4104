"""Export a pretrained encoder, quantised to int8, as an artifact that turns texts into vectors for search."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version as package_version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.artifact import Artifact, EncoderEntry, Manifest, write
from models.runtime import Runtime
from models.tokens import Tokens
from training.artifact.model_card import write_licence
from training.config import encoder_path
from training.techniques.quantization import calibration_rows, float_graph, quantise, save_graph

MAX_LENGTH = 128
PACKAGES = ("torch", "transformers", "peft", "openvino", "nncf", "tokenizers", "numpy")
GRAPH = "int8/main.xml"
_FOLDER = re.compile(r"(?P<name>[a-z0-9][a-z0-9_-]*)-(?P<version>\d+(?:\.\d+)*)")


class ExportError(ValueError):
    """The export was refused; the message says why."""


def export_encoder(
    folder: Path, *, encoder: str, name: str, version: str, calibration: Sequence[str], held_out: Sequence[str]
) -> Artifact:
    """Quantise a Hugging Face encoder (packaged name or path) and write it as an artifact of kind `encoder`.

    metrics.json compares its vectors with those of the float32 encoder on the `held_out` texts.
    """
    source = Path(encoder_path(encoder))
    graph = float_graph(load_eager_encoder(source))
    base = {"name": encoder, "sha256": file_sha256(source / "model.safetensors")}
    manifest = Manifest(
        name=name, version=version, kind="encoder", base=base, encoders=(EncoderEntry("main", GRAPH),),
        max_length=MAX_LENGTH, packages=package_versions(),
    )  # fmt: skip
    tokens = Tokens(source / "tokenizer.json", max_length=MAX_LENGTH)
    with TemporaryDirectory() as work:
        exact = write(Path(work) / "float32", manifest=manifest, fill=_graph_writer(graph, source=source))
        small = quantise(graph, rows=calibration_rows(calibration, tokens=tokens, seed=0))
        int8 = write(Path(work) / "int8", manifest=manifest, fill=_graph_writer(small, source=source))
        metrics = vector_fidelity(Runtime(int8).embed(held_out), exact=Runtime(exact).embed(held_out))

        def fill(part: Path) -> None:
            shutil.copytree(int8.folder, part, dirs_exist_ok=True)
            (part / "manifest.json").unlink()
            (part / "metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
            (part / "MODEL_CARD.md").write_text(_render_card(manifest, metrics=metrics), encoding="utf-8")
            write_licence(part, manifest=manifest, corpora=())

        return write(folder, manifest=manifest, fill=fill, check=Runtime.open)


def split_name(folder: Path) -> tuple[str, str]:
    """Return name and version of an artifact from the name of its folder. Raises ExportError."""
    match = _FOLDER.fullmatch(folder.name)
    if match is None:
        raise ExportError(f"The folder {folder.name} must be named <name>-<version>, for example bellwether-1.0.")
    return match["name"], match["version"]


def _graph_writer(graph: Any, *, source: Path) -> Any:
    def fill(part: Path) -> None:
        save_graph(graph, path=part / GRAPH)
        shutil.copyfile(source / "tokenizer.json", part / "tokenizer.json")

    return fill


def load_eager_encoder(source: Path) -> Any:
    """Load the float32 encoder without pooler, with eager attention, which can be traced into plain operators."""
    encoder = import_module("transformers").AutoModel.from_pretrained(str(source), attn_implementation="eager")
    encoder.pooler = None
    return encoder.eval()


def vector_fidelity(vectors: NDArray[np.float32], *, exact: NDArray[np.float32]) -> dict[str, float]:
    """Return the cosines of int8 and float32 vectors, and how often they agree on the nearest neighbour."""
    cosine = (vectors * exact).sum(axis=1)
    nearest = [_nearest_neighbours(rows) for rows in (vectors, exact)]
    return {
        "n": len(vectors),
        "cosine_mean": round(float(cosine.mean()), 5),
        "cosine_min": round(float(cosine.min()), 5),
        "same_neighbour_rate": round(float((nearest[0] == nearest[1]).mean()), 4),
    }


def _nearest_neighbours(vectors: NDArray[np.float32]) -> NDArray[np.intp]:
    similar = vectors @ vectors.T
    np.fill_diagonal(similar, -1)
    return np.asarray(similar.argmax(axis=1))


def _render_card(manifest: Manifest, *, metrics: dict[str, float]) -> str:
    return (
        f"# {manifest.id}\n\nThe un-adapted encoder {manifest.base['name']}, int8, for searching the knowledge base: "
        f"one normalised vector per text of up to {manifest.max_length} tokens a window.\n\n"
        f"Against its float32 original on {metrics['n']} held-out texts: cosine {metrics['cosine_mean']} on average "
        f"(lowest {metrics['cosine_min']}), the same nearest neighbour for {metrics['same_neighbour_rate']:.1%}.\n\n"
        f"Made with `python -m training export-encoder`.\n"
    )


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def package_versions() -> dict[str, str]:
    """Return the versions of the packages that an artifact depends on."""
    return {package: package_version(package) for package in PACKAGES}
