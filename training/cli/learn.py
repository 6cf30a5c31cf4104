"""`python -m training learn corrections.jsonl`: train a candidate on the desk's corrections and compare it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training.learn_corrections import Corrections


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("corrections", type=Path, help="JSONL file that `flask --app wsgi examples export` wrote")
    parser.add_argument(
        "--live",
        type=Path,
        default=Path("models/bellwether-1.3"),
        help="live artifact to start from (default: %(default)s)",
    )
    parser.add_argument(
        "--out", type=Path, help="folder of the candidate, <name>-<version> (default: the next version)"
    )
    parser.add_argument("--data", type=Path, help="folder with the corpora (default: BELLWETHER_DATA)")
    parser.add_argument("--runs", type=Path, help="folder for runs (default: BELLWETHER_RUNS, instance/runs)")
    parser.add_argument("--passes", type=float, default=2.0, help="passes over the rows (default: %(default)s)")
    parser.add_argument(
        "--replay", type=int, default=600, help="rows of each corpus to rehearse (default: %(default)s)"
    )
    parser.add_argument(
        "--rows", type=int, default=1000, help="test rows of each corpus to compare on; 0: all (%(default)s)"
    )
    parser.add_argument("--max-steps", type=int, default=0, help="stop after this many steps")


def run(arguments: argparse.Namespace) -> int:
    """Train, export and compare the candidate; print what is better or worse and how to put it live."""
    import json

    from models.runtime import Runtime
    from training import learn_corrections
    from training.artifact.export import SEED, export
    from training.config import settings
    from training.evaluate.comparison import compare, format_lines
    from training.evaluate.report import write_comparison
    from training.evaluate.suites import sample_suites
    from training.fit import fit, use_threads
    from training.run.run_folder import Run

    here = settings()
    use_threads(here.threads)
    root = arguments.data or here.data
    live = Runtime.open(arguments.live)
    corrections = learn_corrections.read_corrections(arguments.corrections, tasks=live.tasks)
    for sentence in corrections.left_out:
        print(f"left out: {sentence}")
    folder = arguments.out or learn_corrections.next_version_folder(live, models=Path("instance/models"))
    made = Run((arguments.runs or here.runs) / f"learn-{folder.name}")
    lesson = learn_corrections.prepare_data(live, corrections=corrections, root=root, replay=arguments.replay)
    _print_counts(corrections, has_corpora=lesson.has_corpora)
    recipe = learn_corrections.candidate_recipe(live, passes=arguments.passes, max_steps=arguments.max_steps)
    corpora = root if lesson.has_corpora else None
    fit(recipe, data=lesson.learn, run=made, root=corpora, resume=(made.path / "recipe.json").is_file())
    done = export(made, folder=folder, data=lesson.measure, root=corpora, rows=arguments.rows, otherwise=live.decisions)
    tests = learn_corrections.comparison_suites(lesson, corrections=corrections, tasks=live.tasks, root=root)
    tests = sample_suites(tests, seed=SEED, n=arguments.rows) if arguments.rows else tests
    found = compare(live, second=Runtime(done.artifact), tests=tests)
    (made.path / "comparison.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    write_comparison(made.path / "comparison.html", comparison=found)
    print("\n".join(format_lines(found)))
    name = done.artifact.manifest.id
    print(f"The candidate {name} is in {folder}, the side-by-side report in {made.path}.")
    print(f"Put it live: flask --app wsgi model promote {name}; back: flask --app wsgi model rollback")
    return 0


def _print_counts(corrections: Corrections, *, has_corpora: bool) -> None:
    learned, held = (sum(map(len, part.values())) for part in (corrections.learned, corrections.held_out))
    print(f"{learned} corrections to learn from, {held} held out to judge by.")
    if not has_corpora:
        print("The live model's data are not here: its own answers keep the other tasks in place.")
