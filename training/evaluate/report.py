"""HTML reports: the figures of an artifact, and the comparison of two; each is one file without scripts."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from training.evaluate import plots
from training.evaluate.figures import PERTURBATIONS, Comparison, CorpusComparison, DifferenceRow, Evaluation

WORST = 12

_STYLE = """
:root{color-scheme:light;--ink:#1d2733;--soft:#5b6b7c;--line:#d5dde5;--paper:#fff;
--back:#f5f7f9;--blue:#2b6cb0}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:1100px;margin:0 auto;padding:24px 16px 60px}h1{font-size:26px;margin:8px 0}
h2{font-size:19px;margin:36px 0 6px}h3{font-size:15px;margin:14px 0 4px}
p{color:var(--soft);margin:4px 0 12px;max-width:75ch}
section{background:var(--paper);border:1px solid var(--line);border-radius:8px;padding:12px 16px;
margin:10px 0;overflow-x:auto}
.grid{display:flex;flex-wrap:wrap;gap:12px}.scroll{overflow-x:auto}svg{max-width:100%;height:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}th,td{padding:3px 12px 3px 0;text-align:left;
border-bottom:1px solid var(--line);vertical-align:top}th{font-weight:600;color:var(--soft)}.number{text-align:right}
nav a{margin-right:14px;color:var(--blue)}svg text{font:11px system-ui,sans-serif;fill:var(--ink)}
.frame{fill:none;stroke:var(--line)}.ideal{fill:none;stroke:#9aa8b5;stroke-dasharray:4 3}
.line{fill:none;stroke:var(--blue);stroke-width:1.5}.dot{fill:var(--blue)}.span{stroke:#7fa8d1;stroke-width:5}
.bar{fill:#7fa8d1}.hit{fill:#5aa469;stroke:#e5eaef}.miss{fill:#d9735b;stroke:#e5eaef}
details{margin:6px 0}
summary,li{overflow-wrap:anywhere}th,td{white-space:nowrap}nav{display:flex;flex-wrap:wrap}
summary{cursor:pointer}figure{margin:0}figcaption{font-size:13px}
"""


class ReportError(ValueError):
    """A report cannot be made; the message says what to do."""


def write_report(path: Path, *, metrics: Evaluation, name: str) -> None:
    """Write the report of an artifact. Raises ReportError when the figures lack the closer evaluation."""
    if "details" not in metrics:
        raise ReportError(f"The figures of {name} hold no closer look. Measure again: training evaluate … --out x.json")
    parts = [
        f"<h1>{escape(name)}</h1>",
        "<p>Every figure is measured on the int8 files that are served, on the corpora's own test files, each corpus "
        "for itself. Bars are 95 % bootstrap intervals.</p>",
        _navigation(("figures", "honesty", "caution", "robustness", "behaviour", "labels")),
        _figures_section(metrics), _calibration_section(metrics), _abstention_section(metrics),
        _robustness_section(metrics), _behaviour_section(metrics), _labels_section(metrics), _speed_section(metrics),
    ]  # fmt: skip
    path.write_text(html_page(f"{name}: report", parts=parts), encoding="utf-8")


def write_comparison(path: Path, *, comparison: Comparison) -> None:
    """Write the report of a comparison (comparison.py)."""
    first, second, corpora = comparison["first"], comparison["second"], comparison["corpora"]
    rows = [
        (row["corpus"], row["metric"].replace("_", " "), f"{row['n']:,}", f"{row['first']:.4f}",
         f"{row['second']:.4f}", _points(row["difference"]), row["difference"]["verdict"])
        for row in corpora
    ]  # fmt: skip
    parts = [
        f"<h1>{escape(second)} beside {escape(first)}</h1>",
        "<p>Both read the same rows. The difference is in points, with its paired 95 % bootstrap interval; “better” "
        "and “worse” are said only where the interval leaves out zero.</p>",
        _section(plots.html_table(("rows", "figure", "n", first, second, "difference", "verdict"), rows=rows)),
        *(_label_changes(row, first=first, second=second) for row in corpora),
    ]
    path.write_text(html_page(f"{second} beside {first}", parts=parts), encoding="utf-8")


def html_page(title: str, *, parts: Sequence[str]) -> str:
    """Return an HTML document with the given sections."""
    head = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
    )
    return f"{head}<body><main>{''.join(parts)}</main></body></html>\n"


def _section(*parts: str) -> str:
    return f"<section>{''.join(parts)}</section>"


def _navigation(names: Sequence[str]) -> str:
    return "<nav>" + "".join(f'<a href="#{name}">{name.capitalize()}</a>' for name in names) + "</nav>"


def _heading(name: str, text: str) -> str:
    return f'<h2 id="{name}">{name.capitalize()}</h2><p>{escape(text)}</p>'


def _points(gap: DifferenceRow) -> str:
    return f"{100 * gap['value']:+.2f} ({100 * gap['low']:+.2f} to {100 * gap['high']:+.2f})"


def _label_changes(row: CorpusComparison, *, first: str, second: str) -> str:
    labels = sorted(row["labels"], key=lambda label: label["second"] - label["first"])
    rows = [(label["label"], label["n"], f"{label['first']:.3f}", f"{label['second']:.3f}",
             f"{100 * (label['second'] - label['first']):+.1f}") for label in labels]  # fmt: skip
    inner = plots.html_table(("label", "n", f"F1 {first}", f"F1 {second}", "points"), rows=rows)
    return _section(f"<details><summary>{escape(row['corpus'])}: every label</summary>{inner}</details>")


def _figures_section(metrics: Evaluation) -> str:
    usual = {row["corpus"]: row["metric"] for row in metrics.get("headline", ())}
    rows = [
        (f"{corpus} ({name.replace('_', ' ')})", metrics["int8"][corpus][name], *detail["intervals"][name])
        for corpus, detail in metrics["details"].items()
        for name in [usual.get(corpus) or detail["headline"]]
    ]
    full = [
        (corpus, row["n"], *(f"{row[name]:.4f}" if name in row else "–" for name in _SHOWN))
        for corpus, row in metrics["int8"].items()
    ]
    head = ("corpus", "n", *(name.replace("_", " ") for name in _SHOWN))
    text = "The figure each corpus is usually compared by, and all others below."
    return _heading("figures", text) + _section(
        plots.interval_plot(rows, title="Headline figures with intervals") if rows else "",
        plots.html_table(head, rows=full),
    )


_SHOWN = ("accuracy", "macro_recall", "macro_f1", "weighted_f1", "micro_f1", "out_of_scope_auroc")


def _calibration_section(metrics: Evaluation) -> str:
    text = (
        "Calibration: of the answers given with a confidence of 0.8, 80 % should be right. The error of each head "
        "stands beside what a perfectly honest model would show on so few rows."
    )
    rows = [
        (task, f"{row['n']:,}", f"{row['ece']:.4f}", f"{row['ece_if_perfect']:.4f}", f"{row['overconfidence']:.4f}")
        for task, row in metrics["heads"].items()
    ]
    head = ("task", "n", "calibration error", "perfect model", "confidence − accuracy")
    shown = [_figure(plots.reliability_diagram(detail["calibration"]["bins"], title=f"Reliability, {corpus}"),
                     text=f"{corpus}: error {detail['calibration']['ece']:.3f}, n {detail['calibration']['n']:,}")
             for corpus, detail in metrics["details"].items()]  # fmt: skip
    return _heading("honesty", text) + _section(plots.html_table(head, rows=rows), _grid(shown))


def _abstention_section(metrics: Evaluation) -> str:
    text = "Abstaining: how many of the answers are wrong when only the surest are given, and what the threshold does."
    rows = [
        (corpus, detail["abstention"]["threshold"], _share(detail["abstention"]["coverage"]),
         _share(detail["abstention"]["precision"]), _share(detail["abstention"]["promised"] or None),
         detail.get("out_of_scope_recall_at_95", "–"))
        for corpus, detail in metrics["details"].items()
    ]  # fmt: skip
    head = ("corpus", "threshold", "answered", "right among them", "promised", "foreign rejected at 95 % kept")
    shown = [_figure(plots.risk_coverage_plot(detail["abstention"]["curve"], title=f"Risk and coverage, {corpus}"),
                     text=corpus)
             for corpus, detail in metrics["details"].items()]  # fmt: skip
    return _heading("caution", text) + _section(plots.html_table(head, rows=rows), _grid(shown))


def _robustness_section(metrics: Evaluation) -> str:
    text = (
        "Share of the accuracy that is kept when texts of a seeded sample are changed a little, and how often an "
        "attack by synonyms (at most a fifth of the words) turns a right answer."
    )
    rows = [
        (corpus, row["n"], f"{row['clean']:.3f}", *(_share(row[name]["kept"]) for name in PERTURBATIONS),
         _share(row["attack"]["success_rate"]) if "attack" in row else "–")
        for corpus, row in metrics["robustness"].items()
    ]  # fmt: skip
    head = ("corpus", "n", "clean", *(name.replace("_", " ") for name in PERTURBATIONS), "attack succeeds")
    return _heading("robustness", text) + _section(plots.html_table(head, rows=rows))


def _behaviour_section(metrics: Evaluation) -> str:
    text = "Minimum function (MFT), invariance (INV) and direction (DIR) tests, with a few of the cases that failed."
    parts = []
    for row in metrics["behaviours"]:
        name = f"{row['kind']} · {row['task']} · {row['name']}: {row['failed']} of {row['n']} failed"
        cases = "".join(
            f"<li>{escape(case['text'])} → <b>{escape(case['answer'])}</b></li>" for case in row["examples"]
        )
        inner = f"<details><summary>{escape(name)}</summary><ul>{cases}</ul></details>"
        parts.append(inner if cases else f"<div>{escape(name)}</div>")
    return _heading("behaviour", text) + _section(*parts)


def _labels_section(metrics: Evaluation) -> str:
    parts = []
    for corpus, detail in metrics["details"].items():
        present = sorted((row for row in detail["labels"] if row["n"]), key=lambda row: row["f1"])
        shown = [(f"{row['label']} (n {row['n']})", row["f1"]) for row in present[:WORST]]
        inner = [f"<h3>{escape(corpus)}</h3>", plots.bar_chart(shown, title=f"Weakest labels by F1, {corpus}")]
        if "confusion" in detail:
            names = [row["label"] for row in detail["labels"]]
            inner.append(plots.confusion_heatmap(detail["confusion"], names=names, title=f"Confusion, {corpus}"))
        elif detail.get("confused"):
            rows = [(row["label"], row["answer"], row["n"]) for row in detail["confused"][:WORST]]
            inner.append(plots.html_table(("label", "answered", "rows"), rows=rows, numbers_from=2))
        every = [(row["label"], row["n"], row["precision"], row["recall"], row["f1"]) for row in detail["labels"]]
        whole = plots.html_table(("label", "n", "precision", "recall", "F1"), rows=every)
        inner.append(f"<details><summary>Every label</summary>{whole}</details>")
        parts.append(_section(*inner))
    return _heading("labels", "The weakest labels of each corpus by F1, and what is taken for what.") + "".join(parts)


def _speed_section(metrics: Evaluation) -> str:
    speed, size = metrics["speed"], metrics["size"]
    return _section(
        f"<p>{speed['texts_per_second']:,.0f} texts a second on {speed['cores']} cores (all tasks at once), one text "
        f"alone {speed['one_text_ms']:.1f} ms, when this was measured; the server loads "
        f"{size['served_bytes'] / 1e6:.1f} MB.</p>"
    )


def _figure(plot: str, *, text: str) -> str:
    return f"<figure>{plot}<figcaption>{escape(text)}</figcaption></figure>"


def _grid(parts: Sequence[str]) -> str:
    return f'<div class="grid">{"".join(parts)}</div>'


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"
