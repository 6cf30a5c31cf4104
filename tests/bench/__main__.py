"""`python -m tests.bench NAME`: run one benchmark and write its result to tests/bench/results/."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

HERE = Path(__file__).parent
BENCHES = {
    path.stem: ".".join(("tests.bench", *path.relative_to(HERE).with_suffix("").parts))
    for path in sorted([*HERE.glob("*/*.py"), *HERE.glob("[!_]*.py")])
    if "def main()" in path.read_text(encoding="utf-8")
}


def main(arguments: list[str]) -> int:
    """Run the benchmark that is named."""
    if len(arguments) != 1 or arguments[0] not in BENCHES:
        print(f"usage: python -m tests.bench NAME, where NAME is one of: {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    importlib.import_module(BENCHES[arguments[0]]).main()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
