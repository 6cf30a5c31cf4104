from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.graph import Graph, quiet_openvino
from models.tokens import Tokens
from tests.tiny import tiny_encoder
from tests.tiny_artifact import TEXTS
from training.network.load_network import load_encoder
from training.techniques import quantization
from training.techniques.quantization import calibration_rows, float_graph, quantise, save_graph


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def rows(source: Path) -> list[list[int]]:
    return calibration_rows(TEXTS, tokens=Tokens(source / "tokenizer.json", max_length=32), seed=0)


def _hidden(graph: Any, *, folder: Path, rows: list[list[int]]) -> np.ndarray:
    save_graph(graph, path=folder / "main.xml")
    served = Graph(folder / "main.xml", threads=1)
    found = [served.hidden(np.asarray([row]), mask=np.ones((1, len(row)), np.int64))[0] for row in rows]
    return np.concatenate(found)


def _tables(graph: Any) -> set[str]:
    """Element types of the vocabularies [pieces, width] that the graph looks rows up in."""
    read = [op.input_value(0) for op in graph.get_ops() if op.get_type_name() == "Gather"]
    tables = [out for out in read if out.get_partial_shape().is_static and len(out.get_shape()) == 2]
    return {
        str(out.get_element_type().to_dtype()) for out in tables if out.get_shape()[0] > 200 and out.get_shape()[1] > 1
    }


def test_the_float_graph_answers_as_torch_does_for_any_shape(
    source: Path, rows: list[list[int]], tmp_path: Path
) -> None:
    import torch

    encoder = load_encoder(str(source))
    save_graph(float_graph(encoder), path=tmp_path / "main.xml")
    graph = Graph(tmp_path / "main.xml", threads=1)
    ids = np.zeros((len(rows), 32), np.int64)
    mask = np.zeros_like(ids)
    for at, row in enumerate(rows):
        ids[at, : len(row)], mask[at, : len(row)] = row, 1
    with torch.inference_mode():
        exact = encoder(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask)).last_hidden_state
    np.testing.assert_allclose(graph.hidden(ids, mask=mask)[mask == 1], exact.numpy()[mask == 1], atol=1e-4)


def test_scaling_after_the_lookup_changes_nothing_but_the_memory(
    source: Path, rows: list[list[int]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(quantization, "scale_after_lookup", lambda graph: 0)
        unfolded = quantise(float_graph(load_encoder(str(source))), rows=rows)
    save_graph(unfolded, path=tmp_path / "unfolded.xml")
    before = _hidden(unfolded, folder=tmp_path, rows=rows)
    again = quiet_openvino().Core().read_model(str(tmp_path / "unfolded.xml"))
    assert _tables(again) == {"float32"}
    assert quantization.scale_after_lookup(again) >= 2
    assert _tables(again) == {"int8"}
    np.testing.assert_array_equal(_hidden(again, folder=tmp_path / "thin", rows=rows), before)


def test_int8_stays_near_float32(source: Path, rows: list[list[int]], tmp_path: Path) -> None:
    graph = float_graph(load_encoder(str(source)))
    exact = _hidden(graph, folder=tmp_path / "float32", rows=rows)
    small = _hidden(quantise(graph, rows=rows), folder=tmp_path / "int8", rows=rows)
    cosine = (exact * small).sum(axis=1) / np.linalg.norm(exact, axis=1) / np.linalg.norm(small, axis=1)
    assert cosine.min() > 0.98
