"""The product under attack: every `attack_<what>.py` beside this file, as one table of what was expected and measured.

`python -m tests.bench attack` takes some minutes, reaches no further than this machine, and writes results/attack.json.
An attack that cannot be carried out is a row too, so that the others are still measured.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench.machine import machine
from tests.bench.tables import table

HERE = Path(__file__).parent
RESULT = HERE.parent / "results" / "attack.json"
Row = tuple[str, str, str]


def attacks() -> Iterator[tuple[str, Callable[[], list[Row]]]]:
    """The attacks by name, each with what carries it out."""
    for path in sorted(HERE.glob("attack_*.py")):
        yield path.stem, importlib.import_module(f"tests.bench.attacks.{path.stem}").rows


def carried_out(name: str, rows: Callable[[], list[Row]]) -> list[Row]:
    """The rows of an attack, or the one that tells why there are none."""
    try:
        return rows()
    except Exception as error:
        return [(name, "to be carried out", f"{type(error).__name__}: {error}"[:300])]


def main() -> None:
    """Carry out all attacks, print the table and write it."""
    found: list[Row] = []
    for name, rows in attacks():
        print(f"{name} …", flush=True)
        found += carried_out(name, rows)
    told = {
        "machine": machine(),
        "rows": [dict(zip(("attack", "expected", "measured"), row, strict=True)) for row in found],
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(table(("Attack", "expected", "measured"), found))
