"""Tables of speed and of attacks for README.md beside this file, made from the committed results."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
ENGINE = "Bellwether engine"
Row = tuple[str, str, str]
_UNMEASURED = "Not measured yet on this machine: the commands above do it."


def _read(name: str) -> dict[str, Any]:
    path = RESULTS / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return found


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown; a bar within a cell is escaped."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join(lines)


def benches() -> str:
    """Every benchmark with the first paragraph of its docstring."""
    rows = [(f"`{path.stem}`", f"[{path.parent.name}]({path.parent.name})", _summary(path)) for path in _files()]
    return table(("Benchmark", "Folder", "What it measures"), rows)


def _files() -> list[Path]:
    here = Path(__file__).parent
    return [path for path in sorted(here.glob("*/*.py")) if "def main()" in path.read_text(encoding="utf-8")]


def _summary(path: Path) -> str:
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.split("\n\n")[0].replace("\n", " ")


def contestants() -> str:
    """Every contestant: texts a second with the spread of the rounds, accuracy, batch invariance."""
    speed, same = _read("speed"), _read("accuracy").get("contestants", {})
    if not speed:
        return _UNMEASURED
    rates = speed["short"]["texts_per_s"]
    order = sorted(rates, key=lambda name: -rates[name]["median"])
    rows = [(name, _rate(rates[name]), _times(rates, name), *_same(same.get(name, {}))) for name in order]
    head = ("The same model in", "texts/s (slowest–fastest round)", "engine is faster by", "accuracy",
            "largest change of a probability, alone against among others")  # fmt: skip
    return f"{table(head, rows)}\n\n{_machine(speed)}"


def _rate(rate: Mapping[str, float]) -> str:
    return f"{rate['median']:,.0f} ({rate['lowest']:,.0f}–{rate['highest']:,.0f})"


def _times(rates: Mapping[str, Mapping[str, float]], name: str) -> str:
    return f"{rates[ENGINE]['median'] / rates[name]['median']:.2f} ×" if name != ENGINE else ""


def _same(figures: Mapping[str, float]) -> tuple[str, str]:
    return (f"{figures['accuracy']:.4f}", f"{figures['largest_change']:.3f}") if figures else ("", "")


def _machine(told: Mapping[str, Any]) -> str:
    about = told["machine"]
    instructions = ", ".join(about["instructions"])
    return (
        f"Measured with {told['artifact']} on {about['cores']} cores of {about['processor']} ({instructions}); load of "
        f"the machine in the minute before: {about['load_before']}. Medians of {told['rounds']} alternating rounds."
    )


def attacks() -> str:
    """What an attack was to leave alone, and what it did."""
    rows = [(row["attack"], row["expected"], row["measured"]) for row in _read("attack").get("rows", ())]
    return table(("Attack", "Expected", "Measured"), rows) if rows else _UNMEASURED


def targets() -> str:
    """What the engine is to reach, and what it reaches."""
    rows = [*_speed_rows(_read("speed")), *_latency_rows(_read("latency")), *_http_rows(_read("http")),
            *_start_rows(_read("start"))]  # fmt: skip
    return table(("Figure", "target", "measured"), rows) if rows else _UNMEASURED


def _speed_rows(told: Mapping[str, Any]) -> Iterator[Row]:
    if "short" in told:
        for title, key, wanted in (
            ("texts/s against a transformers pipeline at its best batch size", "to_the_pipeline_at_its_best", "≥ 5 ×"),
            ("against the best of ONNX Runtime and OpenVINO in sorted batches of 64, cache off",
             "to_the_best_plain_runtime", "≥ 1.0 ×"),
        ):  # fmt: skip
            yield title, wanted, _ratio(told["short"]["ratios"][key])
    if "traffic" in told:
        found = told["traffic"]["ratios"]["to_the_best_plain_runtime"]
        yield "the same on the traffic mix, cache on", "≥ 1.3 ×", _ratio(found)
    if "long" in told:
        found = told["long"]["ratios"]["to_the_best_plain_runtime"]
        yield "the same on texts of 200 to 400 tokens, cache off", "", _ratio(found)
    if "ceiling" in told:
        yield from _ceiling_rows(told["ceiling"])
    if "threads_1_to_2" in told:
        yield "two threads against one", "", f"{told['threads_1_to_2']['ratio']:.2f} ×"
    if "cost" in told:
        cost = told["cost"]
        yield f"a million texts at ${cost['dollars_per_core_hour']} a core-hour", "", f"${cost['dollars'][ENGINE]:.3f}"


def _ratio(found: Mapping[str, Any]) -> str:
    return f"{found['ratio']:.2f} × ({found['lowest']:.2f}–{found['highest']:.2f}; {found['other']})"


def _ceiling_rows(told: Mapping[str, Any]) -> Iterator[Row]:
    rates = f"bf16 {told['bf16_tflops']:.2f} TFLOP/s, int8 {told['int8_tops']:.2f} TOP/s at the model's own shapes"
    yield "share of the bf16 ceiling, tokenizer included", "≥ 45 %", f"{100 * told['share_of_bf16']:.0f} % ({rates})"
    yield "share of the int8 ceiling", "", f"{100 * told['share_of_int8']:.0f} %"
    parts = told["profile_ms_at_1024_rows"]
    whole = sum(parts.values())
    shares = ", ".join(f"{kind} {100 * ms / whole:.0f} %" for kind, ms in sorted(parts.items(), key=lambda p: -p[1]))
    yield "where a run of the graph spends its time", "", shares


def _latency_rows(told: Mapping[str, Any]) -> Iterator[Row]:
    for name, found in told.get("one_text_ms", {}).items():
        wanted = "p50 ≤ 2, p99 ≤ 5" if name == ENGINE else ""
        yield f"one text in process, ms: {name}", wanted, f"p50 {found['p50']}, p95 {found['p95']}, p99 {found['p99']}"
    if "where_ms" in told:
        parts = ", ".join(f"{part} {ms} ms" for part, ms in told["where_ms"].items())
        yield "where the engine spends the time of one text", "", parts


def _http_rows(told: Mapping[str, Any]) -> Iterator[Row]:
    if told:
        low, high = told["share_lowest_highest"]
        yield ("HTTP, 16 clients with 32 texts a request, share of the texts/s in process", "≥ 70 %",
               f"{100 * told['share']:.0f} % ({100 * low:.0f}–{100 * high:.0f})")  # fmt: skip
        one = told["single_texts"]
        yield ("HTTP, one text each, open loop at half the most it can do", "p99 ≤ 30 ms",
               f"p50 {one['p50_ms']}, p99 {one['p99_ms']} ms at {one['open_loop_requests_per_s']}/s")  # fmt: skip


def _start_rows(told: Mapping[str, Any]) -> Iterator[Row]:
    if told:
        yield "process start to the first served prediction", "≤ 2 s", f"{told['first_prediction_s']} s"
        yield "resident memory of all processes", "≤ 450 MB", f"{told['resident_mb']:.0f} MB"
