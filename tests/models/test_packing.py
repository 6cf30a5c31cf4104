from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.artifact import Artifact
from models.graph import SHORT, Graph, quiet_openvino, take_several
from models.packing import WIDTHS, batches
from models.tokens import Window

lengths_of_windows = st.lists(st.integers(1, 128), max_size=80)


def _windows(lengths: list[int]) -> list[Window]:
    return [Window([1000 * at + place for place in range(length)], ()) for at, length in enumerate(lengths)]


@given(lengths=lengths_of_windows, budget=st.sampled_from([128, 1024]), is_packing=st.booleans())
def test_every_window_stands_once_where_the_batch_says(lengths: list[int], budget: int, is_packing: bool) -> None:
    windows, seen = _windows(lengths), []
    for batch in batches(windows, budget=budget, pad=-1, is_packing=is_packing):
        assert batch.ids.size <= max(budget, 128)
        n_laid = 0
        for window, row, number, start, length in zip(
            batch.windows, batch.rows, batch.numbers, batch.starts, batch.lengths, strict=True
        ):
            place = slice(start, start + length)
            assert batch.ids[row, place].tolist() == list(windows[window].ids)
            assert batch.positions[row, place].tolist() == list(range(length))
            assert np.flatnonzero(batch.mask[row] == number).tolist() == list(range(start, start + length))
            n_laid += length
            seen.append(int(window))
        assert (batch.mask > 0).sum() == n_laid
        assert (batch.ids[batch.mask == 0] == -1).all()
        assert is_packing or (batch.mask <= 1).all()
    assert sorted(seen) == list(range(len(windows)))


@given(lengths=st.lists(st.integers(4, 24), min_size=200, max_size=300))
def test_short_texts_leave_hardly_any_padding(lengths: list[int]) -> None:
    found = list(batches(_windows(lengths), budget=1024))
    assert sum(batch.ids.size for batch in found) <= 1.25 * sum(lengths) + 256


def test_batches_come_in_few_shapes() -> None:
    rng = np.random.default_rng(0)
    shapes = set()
    for _ in range(300):
        windows = _windows(rng.integers(3, 129, size=rng.integers(1, 60)).tolist())
        shapes |= {batch.ids.shape for batch in batches(windows, budget=1024)}
    assert len(shapes) <= 40
    assert {width for rows, width in shapes if rows > 1} <= set(WIDTHS)


@pytest.fixture(scope="module")
def graph(tiny: Artifact) -> Graph:
    return Graph(tiny.folder / "int8/main.xml", threads=1)


def test_a_text_has_the_same_states_beside_others_as_alone(graph: Graph) -> None:
    rng = np.random.default_rng(1)
    windows = [Window(rng.integers(5, 60, size=length).tolist(), ()) for length in (7, 12, 4, 9, 20, 31)]
    assert graph.is_packing
    (batch,) = batches(windows, budget=1024)
    states = graph.hidden(batch.ids, mask=batch.mask, positions=batch.positions)
    assert batch.mask.max() > 1
    for window, row, start, length in zip(batch.windows, batch.rows, batch.starts, batch.lengths, strict=True):
        alone = graph.hidden(np.asarray([windows[window].ids]), mask=np.ones((1, length), np.int64))[0]
        np.testing.assert_allclose(states[row, start : start + length], alone, atol=0.02)


def test_a_single_short_text_has_the_same_states_through_a_graph_of_its_own(tiny: Artifact, graph: Graph) -> None:
    hastened = Graph(tiny.folder / "int8/main.xml", threads=1)
    hastened.hasten()
    for length in SHORT:
        ids = np.random.default_rng(length).integers(5, 60, size=(1, length))
        mask = np.ones_like(ids)
        np.testing.assert_array_equal(hastened.hidden(ids, mask=mask), graph.hidden(ids, mask=mask))


def test_a_graph_of_another_form_is_left_as_it_is(tiny: Artifact) -> None:
    model = quiet_openvino().Core().read_model(str(tiny.folder / "int8/main.xml"))
    assert take_several(model)
    inputs = {port.get_any_name() for port in model.inputs}
    assert inputs == {"input_ids", "attention_mask", "position_ids"}
    # Its positions are an input now: there is nothing left to look up by a range, and nothing is changed again.
    assert not take_several(model)
    assert {port.get_any_name() for port in model.inputs} == inputs


def test_an_unknown_graph_serves_one_text_a_row(tmp_path: Path) -> None:
    openvino = quiet_openvino()
    ops = __import__("openvino.opset13", fromlist=["opset13"])
    ids, mask = (ops.parameter([-1, -1], np.int64, name=name) for name in ("input_ids", "attention_mask"))
    for node, name in ((ids, "input_ids"), (mask, "attention_mask")):
        node.output(0).get_tensor().set_names({name})
    sums = ops.unsqueeze(ops.convert(ops.add(ids, mask), "f32"), np.asarray([2]))
    openvino.save_model(openvino.Model([sums], [ids, mask], "sums"), str(tmp_path / "sums.xml"))
    graph = Graph(tmp_path / "sums.xml", threads=1)
    assert not graph.is_packing
    assert graph.hidden(np.asarray([[3, 4]]), mask=np.asarray([[1, 0]])).ravel().tolist() == [4.0, 4.0]
