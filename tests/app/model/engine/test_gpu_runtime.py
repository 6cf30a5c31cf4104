from __future__ import annotations

import random
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.model.engine.gpu_runtime import GpuRuntime
from models.artifact import Artifact, ArtifactError, EncoderEntry, open_artifact, write
from models.runtime import Runtime
from tests import corpora, shipped
from tests.tiny import tiny_encoder
from tests.tiny_artifact import TEXTS
from training.artifact.export_encoder import file_sha256
from training.data.corpora import read_corpus
from training.network.load_network import load_encoder
from training.recipe import LoraRecipe
from training.techniques.lora import attach_adapter


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def adapted(tiny: Artifact, base: Path, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """The tiny artifact with an adapter that changes nothing, as a fresh LoRA does (B is zero)."""
    work = tmp_path_factory.mktemp("adapted")
    attach_adapter(load_encoder(str(base)), recipe=LoraRecipe(rank=4, alpha=8)).save_pretrained(str(work / "adapter"))

    def fill(part: Path) -> None:
        shutil.copytree(tiny.folder, part, dirs_exist_ok=True)
        (part / "manifest.json").unlink()
        shutil.copytree(work / "adapter", part / "adapter")

    entry = EncoderEntry("main", "int8/main.xml", "adapter/", tiny.manifest.encoders[0].tasks)
    digest = file_sha256(base / "model.safetensors")
    manifest = replace(tiny.manifest, encoders=(entry,), base={"name": str(base), "sha256": digest})
    return write(work / "tiny-1.0", manifest=manifest, fill=fill)


def test_eight_bit_base_and_adapter_agree_with_the_int8_graph(adapted: Artifact, runtime: Runtime) -> None:
    texts = [f"{text} {other}" for text in TEXTS for other in TEXTS]
    found = GpuRuntime(adapted, device="cpu").logits(texts)
    served = runtime.logits(texts)
    same = [(found[task].argmax(axis=1) == served[task].argmax(axis=1)).mean() for task in served]
    assert np.mean(same) >= 0.97


@pytest.mark.corpora
def test_the_shipped_artifact_agrees_on_the_cpu_build() -> None:
    artifact = open_artifact(shipped.newest())
    rows = read_corpus("banking77", root=corpora.folder(), split="test")
    texts, task = [row.text for row in random.Random(0).sample(rows, 100)], "banking_intent"
    found = GpuRuntime(artifact, device="cpu").logits(texts, tasks=[task])[task]
    served = Runtime(artifact, threads=2).logits(texts, tasks=[task])[task]
    # The aim is 0.99; at a hundred texts a single close call more may fall the other way.
    assert (found.argmax(axis=1) == served.argmax(axis=1)).mean() >= 0.98


def test_an_artifact_without_adapter_is_refused(tiny: Artifact, base: Path, adapted: Artifact) -> None:
    bare = replace(adapted, manifest=replace(adapted.manifest, encoders=tiny.manifest.encoders))
    with pytest.raises(ArtifactError, match="no adapter"):
        GpuRuntime(bare, device="cpu")


def test_another_base_is_refused(adapted: Artifact, tmp_path: Path) -> None:
    other = tiny_encoder(tmp_path / "other", seed=5)
    with pytest.raises(ArtifactError) as refused:
        GpuRuntime(adapted, base=other, device="cpu")
    assert refused.value.code == "other_base"
    with pytest.raises(ArtifactError) as refused:
        GpuRuntime(adapted, base=tmp_path / "nowhere", device="cpu")
    assert refused.value.code == "missing_base"
