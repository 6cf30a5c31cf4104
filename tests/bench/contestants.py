"""The same model in other runtimes: what a team would reach for, given the same weights and the same texts.

Every contestant answers one task's labels for a list of texts. Except for the pipeline, which batches by itself,
they sort by length and run batches of 64.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn

from app.classify.engine import Engine, Request
from models.artifact import Artifact
from models.graph import quiet_openvino
from models.heads import load_heads
from models.runtime import Runtime
from models.text import normalise
from training.config import encoder_path
from training.reopen import load_encoder

BATCH = 64
Answer = Callable[[Sequence[str]], NDArray[np.intp]]


class Whole(nn.Module):
    """The merged float32 encoder with one task's pooling and head: ids and mask to logits."""

    def __init__(self, artifact: Artifact, *, task: str) -> None:
        super().__init__()
        peft: Any = import_module("peft")
        base = load_encoder(encoder_path(artifact.manifest.base["name"]))
        adapted = peft.PeftModel.from_pretrained(base, str(artifact.folder / artifact.manifest.encoders[0].adapter))
        self.encoder = adapted.merge_and_unload().eval()
        layer = load_heads(artifact.path("heads.safetensors"), tasks=[task])[task].output
        self.head = nn.Linear(layer.weight.shape[1], layer.weight.shape[0])
        with torch.no_grad():
            self.head.weight.copy_(torch.from_numpy(layer.weight))
            self.head.bias.copy_(torch.from_numpy(layer.bias))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Logits [rows, labels]."""
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        weights = attention_mask.to(hidden.dtype).unsqueeze(-1)
        logits: Tensor = self.head((hidden * weights).sum(dim=1) / weights.sum(dim=1))
        return logits


def engine(artifact: Artifact, *, task: str, threads: int, cache: int = 0) -> Answer:
    """Bellwether's engine."""
    runtime = Runtime(artifact, threads=threads)
    served = Engine(runtime, cache=cache, queue=100_000)
    columns = {label.id: at for at, label in enumerate(runtime.tasks[task].labels)}

    def answer(texts: Sequence[str]) -> NDArray[np.intp]:
        results = served.classify([Request(text=text, tasks=(task,)) for text in texts])
        return np.asarray([columns[max(r.predictions[0].top, key=lambda s: s.probability).label] for r in results])

    return answer


def pipeline(whole: Whole, *, tokenizer: Path, batch: int) -> Answer:
    """A transformers text-classification pipeline in float32."""
    transformers: Any = import_module("transformers")
    config = whole.encoder.config
    config.num_labels = whole.head.out_features
    config.id2label = {at: str(at) for at in range(config.num_labels)}

    class Classifier(transformers.PreTrainedModel):
        config_class = type(config)

        def __init__(self) -> None:
            super().__init__(config)
            self.whole = whole

        def forward(self, input_ids: Tensor, attention_mask: Tensor, **_: object) -> Any:
            logits = self.whole(input_ids, attention_mask)
            return transformers.modeling_outputs.SequenceClassifierOutput(logits=logits)

    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(tokenizer), pad_token="[PAD]", model_max_length=128, model_input_names=list(_INPUTS)
    )
    pipe = transformers.TextClassificationPipeline(model=Classifier().eval(), tokenizer=fast, device="cpu")

    def answer(texts: Sequence[str]) -> NDArray[np.intp]:
        return np.asarray([int(row["label"]) for row in pipe(list(texts), batch_size=batch, truncation=True)])

    return answer


_INPUTS = ("input_ids", "attention_mask")


def _sorted_batches(run: Callable[[NDArray[np.int64], NDArray[np.int64]], Any], *, tokenizer: Path) -> Answer:
    tokens = Tokenizer.from_file(str(tokenizer))
    tokens.enable_truncation(128)
    tokens.enable_padding(pad_id=0, pad_token="[PAD]")

    def answer(texts: Sequence[str]) -> NDArray[np.intp]:
        order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
        found = np.zeros(len(texts), np.intp)
        for start in range(0, len(order), BATCH):
            part = order[start : start + BATCH]
            rows = tokens.encode_batch([normalise(texts[at]).text for at in part])
            ids = np.asarray([row.ids for row in rows], np.int64)
            mask = np.asarray([row.attention_mask for row in rows], np.int64)
            found[part] = np.asarray(run(ids, mask)).argmax(axis=1)
        return found

    return answer


def torch_float(whole: Whole, *, tokenizer: Path) -> Answer:
    """torch in float32."""

    def run(ids: NDArray[np.int64], mask: NDArray[np.int64]) -> Any:
        with torch.inference_mode():
            return whole(torch.from_numpy(ids), torch.from_numpy(mask)).numpy()

    return _sorted_batches(run, tokenizer=tokenizer)


def onnx_file(whole: Whole, *, path: Path) -> Path:
    """Export to ONNX in float32."""
    ids = torch.full((2, 16), 5)
    axes = {name: {0: "rows", 1: "tokens"} for name in _INPUTS}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(whole, (ids, torch.ones_like(ids)), str(path), input_names=list(_INPUTS),
                          output_names=["logits"], dynamic_axes=axes, dynamo=False, opset_version=17)  # fmt: skip
    return path


def onnx_runtime(path: Path, *, tokenizer: Path, threads: int, is_int8: bool = False) -> Answer:
    """ONNX Runtime on the float32 file, or on its dynamically quantised one."""
    onnxruntime: Any = import_module("onnxruntime")
    if is_int8:
        small = path.with_suffix(".int8.onnx")
        import_module("onnxruntime.quantization").quantize_dynamic(str(path), str(small), per_channel=True)
        path = small
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return _sorted_batches(
        lambda ids, mask: session.run(None, {"input_ids": ids, "attention_mask": mask})[0], tokenizer=tokenizer
    )


def openvino_plain(source: Path, *, artifact: Artifact, task: str, threads: int, precision: str = "f32") -> Answer:
    """OpenVINO as it is: the artifact's int8 encoder with its head, or a whole float32 ONNX file."""
    options = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}
    request = quiet_openvino().Core().compile_model(str(source), "CPU", options).create_infer_request()
    head = load_heads(artifact.path("heads.safetensors"), tasks=[task])[task]

    def run(ids: NDArray[np.int64], mask: NDArray[np.int64]) -> Any:
        request.infer({"input_ids": ids, "attention_mask": mask}, share_inputs=True)
        found = request.get_output_tensor(0).data
        if found.ndim == 2:
            return found.copy()
        weights = mask.astype(np.float32)
        return head(np.matmul(weights[:, None, :], found)[:, 0] / weights.sum(axis=1, keepdims=True))

    return _sorted_batches(run, tokenizer=artifact.path("tokenizer.json"))
