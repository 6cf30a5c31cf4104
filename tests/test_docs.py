"""What the README says is what the code does."""

from __future__ import annotations

import re
import shlex

from app import create_app
from app.core.config import load
from tests import readme

TEXT = readme.README.read_text(encoding="utf-8")


def test_generated_tables_are_current() -> None:
    assert readme.render(TEXT) == TEXT, "run: python -m tests.readme"


def test_every_generated_table_has_its_place() -> None:
    marked = set(re.findall(r"<!-- (\w+) -->", TEXT))
    assert marked == set(readme.tables())


def test_the_gate_is_the_readmes_test_command() -> None:
    gate = (readme.ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert ".venv/bin/python -m tests" in TEXT
    assert ".venv/bin/python -m tests" in gate


def test_shown_flask_commands_exist() -> None:
    shown = {
        tuple(shlex.split(line.replace(")", " ").replace("`", " "))[:2])
        for line in re.findall(r"flask --app wsgi ((?:model|user|token|examples|feeds|demo)[^\n]*)", TEXT)
    }
    known = {tuple(name.split()[:2]) for name, _ in readme.flask_commands(create_app(load({})))}
    assert shown <= known


def test_shown_routes_exist() -> None:
    app = create_app(load({}))
    rules = {rule.rule for rule in app.url_map.iter_rules()}
    assert set(re.findall(r"localhost:8000(/[\w/]+)", TEXT)) <= rules


def test_the_map_names_files_that_exist() -> None:
    text = (readme.ROOT / "app/README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w/]+\.py)`", text))
    assert len(named) > 30
    assert [name for name in sorted(named) if not {*readme.ROOT.glob(name), *readme.ROOT.glob(f"app/{name}")}] == []


def test_the_map_has_every_area() -> None:
    text = (readme.ROOT / "app/README.md").read_text(encoding="utf-8")
    areas = {path.parent.name for path in (readme.ROOT / "app").glob("*/__init__.py")} - {"cli", "demo"}
    assert areas - set(re.findall(r"^\| `(\w+)/` \|", text, re.MULTILINE)) == set()
