"""What the documents say is what the code does."""

from __future__ import annotations

import re
import struct
from collections import Counter
from collections.abc import Iterator
from functools import cache

import pytest

from app import create_app
from app.core.config import load
from tests import readme
from tests.bench import walks
from tests.bench.__main__ import BENCHES
from training.cli import COMMANDS

ROOT, DOCUMENTS = readme.ROOT, readme.DOCUMENTS
MOST_LINES, MOST_BYTES, WIDTH = 250, 200_000, 1440
FENCE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
WAYS = ("ticket", "post", "correction")
OF_FLASK = {("run",)}
"""Commands that Flask brings."""

each = pytest.mark.parametrize("name", DOCUMENTS)


@cache
def _made() -> dict[str, str]:
    return readme.tables()


def _shown(pattern: str) -> set[str]:
    return {found for name in DOCUMENTS for found in re.findall(pattern, readme.document(name))}


@each
def test_generated_tables_are_current(name: str) -> None:
    text = readme.document(name)
    assert readme.render(text, made=_made()) == text, "run: python -m tests.readme"


def test_every_generated_table_has_one_place() -> None:
    places = Counter(found for name in DOCUMENTS for found in re.findall(r"<!-- (\w+) -->", readme.document(name)))
    assert places == Counter(dict.fromkeys(_made(), 1))


def test_the_readme_is_short() -> None:
    assert len(readme.document("README.md").splitlines()) <= MOST_LINES


def test_the_readme_starts_with_two_commands_and_the_gate_is_the_second() -> None:
    start, test = re.findall(r"## Start\n.*?```sh\n(.*?)\n(.*?)\n```", readme.document("README.md"), re.DOTALL)[0]
    gate = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert start.startswith("python3 -m venv .venv && .venv/bin/pip install -r requirements.txt")
    assert start.endswith(".venv/bin/python -m app --demo")
    assert test == ".venv/bin/python -m tests"
    assert gate.endswith(f"exec {test}\n")


def test_shown_commands_exist() -> None:
    known = {tuple(name.split()) for name, _ in readme.flask_commands(create_app(load({})))} | OF_FLASK
    flask = {tuple(words.split()) for words in _shown(r"flask --app wsgi ([a-z][\w-]*(?: [a-z][\w-]*)?)")}
    assert {words for words in flask if not {words, words[:1]} & known} == set()
    assert _shown(r"python -m training ([a-z][\w-]+)") <= set(COMMANDS)
    assert _shown(r"python -m tests\.bench ([a-z]\w+)") <= set(BENCHES)


def test_shown_routes_exist() -> None:
    rules = {rule.rule for rule in create_app(load({})).url_map.iter_rules()}
    routes = _shown(r"localhost:8000(/[\w/]+)")
    assert len(routes) >= 4
    assert routes <= rules


def _named(text: str) -> Iterator[str]:
    """Paths of files anywhere in a text, and bare names of modules that stand in backquotes."""
    yield from re.findall(r"(?<![\w/.>…-])(\w[\w/.-]*/[\w-]+\.(?:py|toml|txt))\b(?!`?/)", text)
    yield from re.findall(r"`(\w+\.py)`", text)


def _exists(path: str, *, document: str) -> bool:
    folder = (ROOT / document).parent
    if "/" not in path and folder != ROOT:
        return any(folder.rglob(path))
    return any((base / path).is_file() for base in (ROOT, ROOT / "app", folder))


@each
def test_named_files_exist(name: str) -> None:
    assert [path for path in sorted(set(_named(readme.document(name)))) if not _exists(path, document=name)] == []


def test_the_map_draws_three_ways_with_their_files() -> None:
    text = readme.document("app/README.md")
    for way in WAYS:
        drawn = re.findall(rf"## The way of a {way}\n\n```text\n(.*?)```", text, re.DOTALL)
        assert len(drawn) == 1, way
        assert len(set(_named(drawn[0]))) > 8, way


def test_the_map_has_every_area_and_room() -> None:
    rows = set(re.findall(r"`([\w/]+)/`", readme.document("app/README.md")))
    areas = {path.parent.name for path in (ROOT / "app").glob("*/__init__.py")}
    rooms = {f"{path.parent.parent.name}/{path.parent.name}" for path in (ROOT / "app").glob("[cw]*/*/__init__.py")}
    assert (areas | {room for room in rooms if room.startswith(("core/", "web/"))}) - rows == set()


def _slugs(text: str) -> set[str]:
    """What GitHub makes of a document's headings."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each
def test_links_lead_somewhere(name: str) -> None:
    dead = []
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", readme.document(name))):
        path, _, anchor = target.partition("#")
        found = (ROOT / name).parent / path if path else ROOT / name
        is_dead = not found.exists() or (anchor and anchor not in _slugs(found.read_text(encoding="utf-8")))
        dead += [target] if is_dead and not target.startswith("https://") else []
    assert dead == []


def test_the_pictures_are_small() -> None:
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+\.png)\)", readme.document("README.md"))
    assert len(pictures) == 2
    for picture in pictures:
        content = (ROOT / picture).read_bytes()
        assert content.startswith(b"\x89PNG")
        assert struct.unpack(">I", content[16:20])[0] == WIDTH
        assert len(content) <= MOST_BYTES


def test_the_ways_through_the_house_stay_short() -> None:
    found = walks.walks()
    filed, corrected = found["a ticket is filed"], found["a ticket is corrected"]
    assert len(filed.files) <= 30
    assert filed.calls.total() <= 120
    assert len(filed.statements) <= 30
    assert len(corrected.statements) <= 20
