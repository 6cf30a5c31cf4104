"""The same model in other runtimes: what a team would reach for, given the same weights and the same texts.

Every contestant gives one task's logits for a list of texts. Except for the pipeline, which batches by itself, they
sort by length and run batches of 64, each padded to its longest text.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn

from app.core.engine_interface import Request
from app.model.engine.engine import Engine
from models.artifact import Artifact
from models.decide import probabilities
from models.graph import quiet_openvino
from models.heads import load_heads
from models.runtime import Runtime
from models.text import normalise
from training.config import encoder_path
from training.network.load_network import load_encoder

BATCH = 64
LONGEST = 512
Scores = NDArray[np.float64]
Logits = Callable[[Sequence[str]], Any]
INPUTS = ("input_ids", "attention_mask")


@dataclass(frozen=True)
class Contestant:
    """`answer` reads texts as fast as it can; `scores` gives calibrated probabilities [n, labels]."""

    answer: Callable[[Sequence[str]], object]
    scores: Callable[[Sequence[str]], Scores]


@dataclass(frozen=True)
class Course:
    """What everybody runs: an artifact's task, on so many threads."""

    artifact: Artifact
    task: str
    threads: int

    @property
    def tokenizer(self) -> Path:
        """The tokenizer's file."""
        return self.artifact.path("tokenizer.json")

    def contestant(self, logits: Logits) -> Contestant:
        """A runtime that gives logits; its labels are their argmax."""
        decision = Runtime(self.artifact, threads=1).decisions[self.task]
        return Contestant(
            answer=lambda texts: np.asarray(logits(texts)).argmax(axis=1),
            scores=lambda texts: probabilities(np.asarray(logits(texts), np.float32), decision=decision),
        )


class Whole(nn.Module):
    """The merged float32 encoder with one task's pooling and head: ids and mask to logits."""

    def __init__(self, encoder: nn.Module, *, head: nn.Linear) -> None:
        super().__init__()
        self.encoder, self.head = encoder.eval(), head

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Logits [rows, labels]."""
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        weights = attention_mask.to(hidden.dtype).unsqueeze(-1)
        logits: Tensor = self.head((hidden * weights).sum(dim=1) / weights.sum(dim=1))
        return logits


def merged(course: Course) -> Whole:
    """The artifact's own weights in float32."""
    peft: Any = import_module("peft")
    base = load_encoder(encoder_path(course.artifact.manifest.base["name"]))
    adapter = course.artifact.folder / course.artifact.manifest.encoders[0].adapter
    encoder = peft.PeftModel.from_pretrained(base, str(adapter)).merge_and_unload()
    layer = load_heads(course.artifact.path("heads.safetensors"), tasks=[course.task])[course.task].output
    head = nn.Linear(layer.weight.shape[1], layer.weight.shape[0])
    with torch.no_grad():
        head.weight.copy_(torch.from_numpy(layer.weight))
        head.bias.copy_(torch.from_numpy(layer.bias))
    return Whole(encoder, head=head).eval()


def finbert_sized() -> Whole:
    """BERT-base with three labels, 110M random weights: the size of FinBERT."""
    transformers: Any = import_module("transformers")
    torch.manual_seed(0)
    encoder = transformers.BertModel(transformers.BertConfig(), add_pooling_layer=False)
    return Whole(encoder, head=nn.Linear(768, 3)).eval()


def engine(course: Course, *, cache: int = 0) -> Contestant:
    """Bellwether's engine, from text to prediction."""
    runtime = Runtime(course.artifact, threads=course.threads)
    runtime.hasten()
    served = Engine(runtime, cache=cache, queue=1_000_000)
    columns = {label.id: at for at, label in enumerate(runtime.tasks[course.task].labels)}

    def scores(texts: Sequence[str]) -> Scores:
        found = np.zeros((len(texts), len(columns)))
        asked = [Request(text=text, tasks=(course.task,), n_top=len(columns)) for text in texts]
        for row, result in enumerate(served.classify(asked)):
            for scored in result.predictions[0].top:
                found[row, columns[scored.label]] = scored.probability
        return found

    return Contestant(
        answer=lambda texts: served.classify([Request(text=text, tasks=(course.task,)) for text in texts]),
        scores=scores,
    )


def pipeline(course: Course, *, whole: Whole, batch: int) -> Contestant:
    """A transformers text-classification pipeline in float32."""
    transformers: Any = import_module("transformers")
    transformers.logging.set_verbosity_error()
    config: Any = whole.encoder.config
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
        tokenizer_file=str(course.tokenizer), pad_token="[PAD]", model_max_length=LONGEST,
        model_input_names=list(INPUTS),
    )  # fmt: skip
    pipe = transformers.TextClassificationPipeline(model=Classifier().eval(), tokenizer=fast, device="cpu")

    def logits(texts: Sequence[str]) -> Any:
        rows = pipe(list(texts), batch_size=batch, truncation=True, top_k=None, function_to_apply="none")
        return [[one["score"] for one in sorted(row, key=lambda one: int(one["label"]))] for row in rows]

    return course.contestant(logits)


def sorted_batches(course: Course, run: Callable[[Any, Any], Any]) -> Contestant:
    """Any runtime of ids and mask [rows, tokens] in length-sorted batches."""
    tokens = Tokenizer.from_file(str(course.tokenizer))
    tokens.enable_truncation(LONGEST)
    tokens.enable_padding(pad_id=0, pad_token="[PAD]")

    def logits(texts: Sequence[str]) -> Any:
        order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
        parts = []
        for start in range(0, len(order), BATCH):
            rows = tokens.encode_batch([normalise(texts[at]).text for at in order[start : start + BATCH]])
            ids = np.asarray([row.ids for row in rows], np.int64)
            parts.append(np.asarray(run(ids, np.asarray([row.attention_mask for row in rows], np.int64))))
        return np.concatenate(parts)[np.argsort(order)]

    return course.contestant(logits)


def in_torch(course: Course, *, whole: Whole, dtype: torch.dtype = torch.float32) -> Contestant:
    """torch, in float32 or under autocast."""

    def run(ids: Any, mask: Any) -> Any:
        with torch.inference_mode(), torch.autocast("cpu", dtype=dtype, enabled=dtype != torch.float32):
            return whole(torch.from_numpy(ids), torch.from_numpy(mask)).float().numpy()

    return sorted_batches(course, run)


def onnx_file(whole: Whole, *, path: Path) -> Path:
    """Export to ONNX in float32, once."""
    if path.exists():
        return path
    ids = torch.full((2, 16), 5)
    axes = {name: {0: "rows", 1: "tokens"} for name in INPUTS}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(whole, (ids, torch.ones_like(ids)), str(path), input_names=list(INPUTS),
                          output_names=["logits"], dynamic_axes=axes, dynamo=False, opset_version=17)  # fmt: skip
    return path


def in_onnx_runtime(course: Course, path: Path) -> Contestant:
    """ONNX Runtime on a file."""
    onnxruntime: Any = import_module("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = course.threads, 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return sorted_batches(course, lambda ids, mask: session.run(None, dict(zip(INPUTS, (ids, mask), strict=True)))[0])


def dynamic_int8(path: Path) -> Path:
    """ONNX Runtime's dynamic quantisation: the scale of an activation is that of its whole batch."""
    made = path.with_suffix(".dynamic.onnx")
    if not made.exists():
        import_module("onnxruntime.quantization").quantize_dynamic(str(path), str(made), per_channel=True)
    return made


def static_int8(path: Path, *, course: Course, texts: Sequence[str]) -> Path:
    """ONNX Runtime's static quantisation, QDQ, U8S8, min-max over calibration texts."""
    made = path.with_suffix(".static.onnx")
    if made.exists():
        return made
    quantization: Any = import_module("onnxruntime.quantization")
    tokens = Tokenizer.from_file(str(course.tokenizer))
    rows = [np.asarray([tokens.encode(normalise(text).text).ids], np.int64) for text in texts]
    feeds = iter([dict(zip(INPUTS, (ids, np.ones_like(ids)), strict=True)) for ids in rows])

    class Reader(quantization.CalibrationDataReader):
        def get_next(self) -> Any:
            return next(feeds, None)

    types = quantization.QuantType
    quantization.quantize_static(
        str(path), str(made), Reader(), quant_format=quantization.QuantFormat.QDQ, per_channel=True,
        activation_type=types.QUInt8, weight_type=types.QInt8, op_types_to_quantize=["MatMul"],
    )  # fmt: skip
    return made


def nbits_int8(path: Path) -> Path:
    """ONNX Runtime's MatMulNBits with 8-bit weights in blocks, activations quantised per row (accuracy level 4)."""
    made = path.with_suffix(".nbits.onnx")
    if not made.exists():
        quantizer: Any = import_module("onnxruntime.quantization.matmul_nbits_quantizer")
        model = import_module("onnx").load(str(path))
        process = quantizer.MatMulNBitsQuantizer(model, bits=8, block_size=128, is_symmetric=True, accuracy_level=4)
        process.process()
        process.model.save_model_to_file(str(made))
    return made


def in_openvino(course: Course, path: Path, *, precision: str = "f32") -> Contestant:
    """OpenVINO as it is: the artifact's int8 encoder with its head, or a whole float32 ONNX file."""
    options = {"INFERENCE_NUM_THREADS": course.threads, "INFERENCE_PRECISION_HINT": precision,
               "PERFORMANCE_HINT": "LATENCY"}  # fmt: skip
    request = quiet_openvino().Core().compile_model(str(path), "CPU", options).create_infer_request()
    head = load_heads(course.artifact.path("heads.safetensors"), tasks=[course.task])[course.task]

    def run(ids: Any, mask: Any) -> Any:
        request.infer(dict(zip(INPUTS, (ids, mask), strict=True)), share_inputs=True, share_outputs=True)
        found = request.get_output_tensor(0).data
        if found.ndim == 2:
            return found.copy()
        weights = mask.astype(np.float32)
        return head(np.matmul(weights[:, None, :], found)[:, 0] / weights.sum(axis=1, keepdims=True))

    return sorted_batches(course, run)
