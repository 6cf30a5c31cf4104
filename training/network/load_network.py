"""Load pretrained encoders, and the networks of finished runs and artifacts, in float32."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from peft import PeftModel
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import AutoModel, BitsAndBytesConfig
from transformers.utils import logging as hf_logging

from models.artifact import MANIFEST, open_artifact
from models.labels import Task, load_tasks
from models.network import Network
from training.config import encoder_path
from training.data.encoding import open_tokenizer
from training.network import attention
from training.network.encoder_surgery import open_encoder
from training.run.run_folder import BaseEncoder, Run, RunError, open_run

ENCODER = "encoder.safetensors"


@dataclass(frozen=True)
class TrainedNetwork:
    """A trained network in eval mode, with its tokenizer's file and a description of its base encoder.

    `graph` is the int8 graph of an artifact, None for a run.
    """

    network: Network
    tokenizer: Path
    max_length: int
    base: BaseEncoder
    graph: Path | None = None

    @property
    def digest(self) -> str:
        """SHA-256 over all weights; networks with the same digest give the same logits."""
        found = hashlib.sha256()
        for name, value in sorted(self.network.state_dict().items()):
            found.update(name.encode())
            found.update(value.detach().float().contiguous().numpy().tobytes())
        return found.hexdigest()


def load_encoder(path: str) -> nn.Module:
    """Load a Hugging Face encoder in float32, without pooler, with the attention that trains fastest on a CPU."""
    quiet = cast(Any, hf_logging)
    quiet.set_verbosity_error()
    quiet.disable_progress_bar()
    try:
        encoder = AutoModel.from_pretrained(path, attn_implementation=attention.NAME, dtype=torch.float32)
    except ValueError:
        # Some model families (DeBERTa) implement their own attention and refuse any other.
        encoder = AutoModel.from_pretrained(path, attn_implementation="eager", dtype=torch.float32)
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler = None
    return cast(nn.Module, encoder)


def load_int8_encoder(path: str) -> nn.Module:
    """Load the frozen base of an adapter in LLM.int8() (Dettmers et al. 2022, arXiv:2208.07339).

    It takes a quarter of the memory, and uses CUDA if there is a device, else the CPU, where bitsandbytes is slow. The
    adapter itself is float32 (as in QLoRA, Dettmers et al. 2023, arXiv:2305.14314) and is merged into the float32 base
    at export.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    kept = torch.float16 if device == "cuda" else torch.float32
    eight = cast(Any, BitsAndBytesConfig)(load_in_8bit=True)
    encoder = AutoModel.from_pretrained(path, quantization_config=eight, device_map={"": device}, dtype=kept)
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler = None
    return cast(nn.Module, encoder)


def restore_run(run: Run) -> tuple[Network, Tokenizer, dict[str, Task]]:
    """Return the network (float32, eval mode, adapter not merged), tokenizer and tasks of a finished run.

    Raises RunError when the run is not finished.
    """
    if not run.heads.is_file():
        raise RunError(f"{run.path} has no heads.safetensors: the run is not finished.")
    tasks, base = run.tasks(), run.encoder()["path"]
    encoder = _open_run_encoder(run.encoder_file, base=base, adapter=run.adapter)
    network = _build_network(encoder, heads=load_file(run.heads), tasks=tasks)
    return network, open_tokenizer(str(run.tokenizer), max_length=run.recipe().max_length), tasks


def open_network(path: Path) -> TrainedNetwork:
    """Load the network of a finished run or of an artifact; raises RunError or ArtifactError."""
    if not (path / MANIFEST).is_file():
        run = open_run(path)
        if not run.is_finished:
            raise RunError(f"{path} is not finished: resume it first.")
        return TrainedNetwork(restore_run(run)[0], run.tokenizer, run.recipe().max_length, run.encoder())
    artifact = open_artifact(path)
    manifest = artifact.manifest
    if manifest.kind != "classifier" or len(manifest.encoders) != 1:
        raise RunError(f"{path} is no classifier with one encoder: it cannot be trained from.")
    tasks, base = load_tasks(path / "labels.json"), encoder_path(manifest.base["name"])
    encoder = _open_run_encoder(path / ENCODER, base=base, adapter=path / (manifest.encoders[0].adapter or "-"))
    network = _build_network(encoder, heads=load_file(path / "heads.safetensors"), tasks=tasks)
    origin = BaseEncoder(name=manifest.base["name"], path=base, sha256=manifest.base["sha256"])
    graph = path / manifest.encoders[0].graph
    return TrainedNetwork(network, path / "tokenizer.json", manifest.max_length, origin, graph)


def _open_run_encoder(whole: Path, *, base: str, adapter: Path) -> nn.Module:
    """Load the whole encoder if its file exists, else the base with its adapter. Raises RunError for neither."""
    if whole.is_file():
        return open_encoder(whole, attention=attention.NAME)
    if not adapter.is_dir():
        raise RunError(f"{adapter.parent} has neither {ENCODER} nor an adapter: its network cannot be opened.")
    return cast(nn.Module, PeftModel.from_pretrained(cast(Any, load_encoder(base)), str(adapter)))


def _build_network(encoder: nn.Module, *, heads: dict[str, Tensor], tasks: dict[str, Task]) -> Network:
    """Build the network in eval mode; the shapes of the heads' weights determine their hidden layers."""
    width = int(cast(Any, encoder).config.hidden_size)
    found = ((name, heads.get(f"{name}.hidden.weight")) for name in tasks)
    hidden = {name: 0 if weight is None else len(weight) for name, weight in found}
    network = Network(encoder, tasks=tasks, width=width, hidden=hidden)
    network.heads.load_state_dict(heads)
    return network.eval()


def merge_adapter(encoder: nn.Module) -> nn.Module:
    """Merge the encoder's adapter, if it has one, in float32 and return the encoder."""
    if not isinstance(encoder, PeftModel):
        return encoder
    return cast(nn.Module, cast(Any, encoder.float()).merge_and_unload())
