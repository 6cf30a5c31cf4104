"""Opening what training left behind: an encoder, a finished run or an artifact, as a float32 network again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
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
from training.data.encode import open_tokenizer
from training.network import attention
from training.network.encoder_shape import open_encoder
from training.run.run_folder import Run, RunError, open_run

ENCODER = "encoder.safetensors"


@dataclass(frozen=True)
class Opened:
    """A finished network in eval mode, its tokenizer's file, and what is known of its base encoder.

    `graph` is the int8 graph that serves, where it comes from an artifact.
    """

    network: Network
    tokenizer: Path
    max_length: int
    base: Mapping[str, Any]
    graph: Path | None = None

    @property
    def digest(self) -> str:
        """A digest of every weight: two networks with the same one give the same answers."""
        found = hashlib.sha256()
        for name, value in sorted(self.network.state_dict().items()):
            found.update(name.encode())
            found.update(value.detach().float().contiguous().numpy().tobytes())
        return found.hexdigest()


def load_encoder(path: str) -> nn.Module:
    """A Hugging Face encoder in float32, without pooler, with the attention that trains fastest on a CPU."""
    quiet = cast(Any, hf_logging)
    quiet.set_verbosity_error()
    quiet.disable_progress_bar()
    try:
        encoder = AutoModel.from_pretrained(path, attn_implementation=attention.NAME, dtype=torch.float32)
    except ValueError:
        # Some families (DeBERTa) bring attention of their own and refuse any other.
        encoder = AutoModel.from_pretrained(path, attn_implementation="eager", dtype=torch.float32)
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler = None
    return cast(nn.Module, encoder)


def load_eight_bit(path: str) -> nn.Module:
    """The base under an adapter in LLM.int8() (Dettmers et al. 2022, arXiv:2208.07339): a quarter of the memory.

    On CUDA where there is a device, else on the CPU, where bitsandbytes is slow. The adapter stays float32 (as in
    QLoRA, Dettmers et al. 2023, arXiv:2305.14314), is saved as always, and is merged into the float32 base at export.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    kept = torch.float16 if device == "cuda" else torch.float32
    eight = cast(Any, BitsAndBytesConfig)(load_in_8bit=True)
    encoder = AutoModel.from_pretrained(path, quantization_config=eight, device_map={"": device}, dtype=kept)
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler = None
    return cast(nn.Module, encoder)


def restore(run: Run) -> tuple[Network, Tokenizer, dict[str, Task]]:
    """A finished run's network (float32, adapter attached and not merged, in eval mode), tokenizer and tasks."""
    if not run.heads.is_file():
        raise RunError(f"{run.path} has no heads.safetensors: the run is not finished.")
    tasks, base = run.tasks(), run.encoder()["path"]
    encoder = _encoder(run.encoder_file, base=base, adapter=run.adapter)
    network = _network(encoder, heads=load_file(run.heads), tasks=tasks)
    return network, open_tokenizer(str(run.tokenizer), max_length=run.recipe().max_length), tasks


def reopen(path: Path) -> Opened:
    """Open a finished run's or an artifact's folder; raises RunError or ArtifactError."""
    if not (path / MANIFEST).is_file():
        run = open_run(path)
        if not run.is_finished:
            raise RunError(f"{path} is not finished: resume it first.")
        return Opened(restore(run)[0], run.tokenizer, run.recipe().max_length, run.encoder())
    artifact = open_artifact(path)
    manifest = artifact.manifest
    if manifest.kind != "classifier" or len(manifest.encoders) != 1:
        raise RunError(f"{path} is no classifier with one encoder: it cannot be trained from.")
    tasks, base = load_tasks(path / "labels.json"), encoder_path(manifest.base["name"])
    encoder = _encoder(path / ENCODER, base=base, adapter=path / (manifest.encoders[0].adapter or "-"))
    network = _network(encoder, heads=load_file(path / "heads.safetensors"), tasks=tasks)
    about = {**manifest.base, "path": base}
    return Opened(network, path / "tokenizer.json", manifest.max_length, about, path / manifest.encoders[0].graph)


def _encoder(whole: Path, *, base: str, adapter: Path) -> nn.Module:
    """The whole encoder where one was kept, else the base with its adapter."""
    if whole.is_file():
        return open_encoder(whole, attention=attention.NAME)
    if not adapter.is_dir():
        raise RunError(f"{adapter.parent} has neither {ENCODER} nor an adapter: its network cannot be opened.")
    return cast(nn.Module, PeftModel.from_pretrained(cast(Any, load_encoder(base)), str(adapter)))


def _network(encoder: nn.Module, *, heads: dict[str, Tensor], tasks: dict[str, Task]) -> Network:
    """Encoder and heads in eval mode; the heads' own weights say how wide their hidden layers are."""
    width = int(cast(Any, encoder).config.hidden_size)
    found = ((name, heads.get(f"{name}.hidden.weight")) for name in tasks)
    hidden = {name: 0 if weight is None else len(weight) for name, weight in found}
    network = Network(encoder, tasks=tasks, width=width, hidden=hidden)
    network.heads.load_state_dict(heads)
    return network.eval()


def merged(encoder: nn.Module) -> nn.Module:
    """The encoder with its adapter, if it has one, merged in float32."""
    if not isinstance(encoder, PeftModel):
        return encoder
    return cast(nn.Module, cast(Any, encoder.float()).merge_and_unload())
