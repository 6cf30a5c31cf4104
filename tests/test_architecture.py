"""The house stands as it is drawn: who may import whom, where SQL, the clock and the environment live, how large
things may be, and what stays unloaded."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.architecture import ROOT, Source, sources

_PEOPLE_UP = ("core", "web", "people", "notify", "model", "recommend", "intents")
# Area → the areas below it, which it may import.
BELOW: dict[str, tuple[str, ...]] = {
    **{area: _PEOPLE_UP[:n] for n, area in enumerate(_PEOPLE_UP)},
    "answers": _PEOPLE_UP,
    "desk": (*_PEOPLE_UP, "answers"),
    "market": _PEOPLE_UP,
    "alerts": (*_PEOPLE_UP, "market"),
}
# Floor → the floors that it may import, in its own area and in those below.
FLOORS: dict[str, tuple[str, ...]] = {
    "domain": ("domain",),
    "decide": ("domain", "decide"),
    "store": ("domain", "store"),
    "sources": ("domain", "sources"),
    "engine": ("domain", "decide", "engine"),
    "flows": ("domain", "decide", "store", "sources", "engine", "flows"),
    "forms": ("domain", "forms"),
    "api": ("domain", "flows", "forms", "api", "pages"),
    "pages": ("domain", "flows", "forms", "api", "pages"),
}
TRAINING_LINES = "app.intents.decide.training_lines"
"""Writes the lines that training reads, in the form of models/examples.py."""
LESSONS = "app.desk.flows.ask_lesson"
"""Chooses the texts of a lesson by the rule that training measures, models/active_learning.py."""
# Part of training → the parts below it, which it may import.
TRAINING = {
    part: tuple(below.split())
    for part, below in {
        "config": "",
        "recipe": "config",
        "data": "recipe",
        "run": "recipe data",
        "network": "config recipe data run",
        "evaluate": "recipe data network",
        "loop": "recipe data run network evaluate",
        "techniques": "recipe data run network evaluate loop",
        "starting_point": "config recipe data run network loop techniques",
        "fit": "config recipe data run network loop techniques starting_point",
        "artifact": "config recipe data run network evaluate loop techniques",
        "learn_corrections": "recipe data evaluate",
        "study": "config recipe data run network evaluate techniques artifact",
        "cli": "config recipe data run network evaluate techniques fit artifact learn_corrections study",
        "__main__": "cli",
    }.items()
}
# A technique stands alone; these two put others to work.
USED_TECHNIQUES: dict[str, tuple[str, ...]] = {
    "teachers": ("distillation", "quantization"),
    "pseudo_labels": ("distillation", "teachers"),
}
ROOT_MODULES = frozenset(
    {"__init__", "__main__", "composition", "registration", "lazy_services", "worker", "cli", "demo"}
)
"""What stands above all areas."""

# Part (longest prefix wins) → what it may import, of ours, besides itself.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "models": (),
    "app": ("app", "models"),
    "wsgi": ("app",),
    **{f"training.{part}": ("models", *(f"training.{one}" for one in below)) for part, below in TRAINING.items()},
    "training": (),
    "tests": ("app", "models", "training", "wsgi"),
}
OURS = ("app", "models", "training", "tests", "wsgi")

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50
SQL = re.compile(
    r"\b(SELECT\s.+\sFROM|INSERT\s+(OR\s+\w+\s+)?INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM|CREATE\s+TABLE|PRAGMA)\b",
    re.DOTALL,
)
CLOCK = re.compile(r"(^|\.)(datetime\.now|datetime\.utcnow|datetime\.today|date\.today|time\.time|time\.time_ns)$")
ENVIRONMENT = re.compile(r"^os\.(environ|environb|getenv)$")
HEAVY = (
    "torch", "transformers", "peft", "openvino", "onnxruntime", "nncf", "bitsandbytes", "sklearn", "scipy", "pandas",
)  # fmt: skip


def _part(name: str) -> str:
    return max((part for part in MAY_IMPORT if name == part or name.startswith(part + ".")), key=len, default="")


def _is_within(target: str, part: str) -> bool:
    return target == part or target.startswith(part + ".")


def _forbidden(source: Source) -> Iterator[str]:
    part = _part(source.name)
    assert part, f"{source.where} stands outside the house: give it a row in MAY_IMPORT"
    allowed = (*MAY_IMPORT[part], part)
    for entry in source.imports:
        if entry.target.split(".")[0] in OURS and not any(_is_within(entry.target, one) for one in allowed):
            yield f"{source.where}:{entry.line} imports {entry.target}; {part} may import {', '.join(allowed)}"


@pytest.mark.parametrize("source", sources(), ids=lambda source: source.where)
def test_imports_stay_within_the_house(source: Source) -> None:
    assert list(_forbidden(source)) == []


def test_every_part_of_training_has_its_place() -> None:
    assert {source.name.split(".")[1] for source in sources("training") if "." in source.name} == set(TRAINING)


def test_app_and_training_never_meet() -> None:
    meetings = [
        f"{source.where}:{entry.line}"
        for package, other in (("app", "training"), ("training", "app"), ("models", "app"), ("models", "training"))
        for source in sources(package)
        for entry in source.imports
        if _is_within(entry.target, other)
    ]
    assert meetings == []


def test_the_factory_and_the_main_module_import_inside_functions() -> None:
    top = [
        f"{source.where}:{entry.line} {entry.target}"
        for source in sources("app")
        if source.name in {"app", "app.__main__", "wsgi"}
        for entry in source.imports
        if entry.is_top
        and _is_within(entry.target, "app")
        and entry.target not in {"app.create_app", "app.core.errors.SettingError"}
    ]
    assert top == []


def _place(name: str) -> tuple[str, str]:
    """Area and floor of a module of the app; no floor in core and web, no area above all areas."""
    parts = name.split(".")
    area = parts[1] if len(parts) > 1 and parts[1] not in ROOT_MODULES else ""
    floor = parts[2] if len(parts) > 2 and area not in {"core", "web"} else ""
    return area, floor


def _against_the_house(source: Source) -> Iterator[str]:
    area, floor = _place(source.name)
    if not area:
        return
    assert not floor or floor in FLOORS, f"{source.where} stands on no floor"
    for entry in source.imports:
        if not _is_within(entry.target, "app"):
            continue
        other, its_floor = _place(entry.target)
        where = f"{source.where}:{entry.line} imports {entry.target}"
        if other != area and other not in BELOW[area]:
            yield f"{where}; {area} may import {', '.join(BELOW[area])}"
        if floor and its_floor in FLOORS and its_floor not in FLOORS[floor]:
            yield f"{where}; {floor} may import {', '.join(FLOORS[floor])}"
        if other == "web" and floor not in {"api", "pages", "forms"} and area != "web":
            yield f"{where}; only pages, forms and API operations know the web"


@pytest.mark.parametrize("source", sources("app"), ids=lambda source: source.where)
def test_areas_and_floors_keep_their_order(source: Source) -> None:
    assert list(_against_the_house(source)) == []


def test_artifacts_are_read_by_the_engine_alone() -> None:
    readers = {source.name for source in sources("app") for e in source.imports if _is_within(e.target, "models")}
    assert {name for name in readers if not _is_within(name, "app.model.engine")} == {TRAINING_LINES, LESSONS}


def test_deciding_knows_neither_flask_nor_sql() -> None:
    faults = [
        f"{source.where}:{entry.line} {entry.target}"
        for source in sources("app")
        if _place(source.name)[1] in {"domain", "decide"}
        for entry in source.imports
        if entry.target.split(".")[0].startswith(("flask", "sqlite"))
    ]
    assert faults == []


def test_torch_in_models_only_in_network() -> None:
    users = {s.where for s in sources("models") for entry in s.imports if _is_within(entry.target, "torch")}
    assert users == {"models/network.py"}


def test_techniques_stand_alone() -> None:
    faults = [
        f"{source.where}:{entry.line} imports {entry.target}"
        for source in sources("training")
        if _is_within(source.name, "training.techniques")
        for technique in [source.name.rpartition(".")[2]]
        for entry in source.imports
        if entry.target.startswith("training.techniques.")
        and entry.target.split(".")[2] not in (technique, *USED_TECHNIQUES.get(technique, ()))
    ]
    assert faults == []


def _keeps_sql(name: str) -> bool:
    return _place(name)[0] == "core" or _place(name)[1] == "store"


def test_sql_only_in_the_store() -> None:
    found = [
        f"{source.where}:{line}"
        for source in sources("app", "models", "training")
        if not _keeps_sql(source.name)
        for text, line in source.strings()
        if SQL.search(text)
    ]
    found += [
        f"{source.where}:{line} {name}"
        for source in sources("app")
        if not _keeps_sql(source.name)
        for name, line in source.calls()
        if name.rpartition(".")[2] in {"execute", "executemany", "executescript"}
    ]
    assert found == []


def test_the_time_is_asked_in_one_place() -> None:
    found = [
        f"{source.where}:{line} {name}"
        for source in sources("app", "models", "training")
        if source.name != "app.core.clock"
        for name, line in source.calls()
        if CLOCK.search(name)
    ]
    found += [
        f"{source.where}:{line} SQL now"
        for source in sources("app")
        if _keeps_sql(source.name)
        for text, line in source.strings()
        if re.search(r"'now'|CURRENT_TIMESTAMP|unixepoch\(\)", text, re.IGNORECASE)
    ]
    assert found == []


def test_the_environment_is_read_in_the_two_configs() -> None:
    found = [
        f"{source.where}:{line}"
        for source in sources("app", "models", "training")
        if source.name not in {"app.core.config", "training.config"}
        for name, line in source.calls()
        if ENVIRONMENT.match(name)
    ]
    assert found == []


@pytest.mark.parametrize("source", sources(), ids=lambda source: source.where)
def test_files_and_functions_are_small(source: Source) -> None:
    n_lines = len(source.text.splitlines())
    assert n_lines <= MAX_FILE_LINES, f"{source.where} has {n_lines} lines"
    large = [
        f"{source.where}:{function.lineno} {function.name} has {(function.end_lineno or 0) - function.lineno + 1} lines"
        for function in source.functions()
        if (function.end_lineno or 0) - function.lineno + 1 > MAX_FUNCTION_LINES
    ]
    assert large == []


def _graph() -> dict[str, set[str]]:
    names = {source.name for source in sources()}
    graph: dict[str, set[str]] = {}
    for source in sources():
        edges = graph.setdefault(source.name, set())
        for entry in source.imports:
            if not entry.is_top:
                continue
            target = entry.target if entry.target in names else entry.target.rpartition(".")[0]
            if target in names and target != source.name:
                edges.add(target)
    return graph


def test_no_import_cycles() -> None:
    graph, done, trail = _graph(), set[str](), list[str]()

    def visit(name: str) -> None:
        assert name not in trail, " → ".join([*trail[trail.index(name) :], name])
        if name in done:
            return
        trail.append(name)
        for target in sorted(graph.get(name, ())):
            visit(target)
        trail.pop()
        done.add(name)

    for name in sorted(graph):
        visit(name)


def test_no_folder_of_code_is_crowded() -> None:
    files = [source.path for source in sources() if source.path.name != "__init__.py"]
    crowded = {
        folder for folder in {path.parent for path in files} if sum(path.parent == folder for path in files) > 25
    }
    assert crowded == set()


def test_names_say_what_things_are() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "manager", "service", "misc"}
    assert [source.where for source in sources() if vague & set(source.path.with_suffix("").parts)] == []


def test_a_base_name_means_one_thing() -> None:
    """Floors bear their names in every area, and command files mirror what they call."""
    places: dict[str, list[str]] = {}
    for source in sources("app"):
        name = source.path.stem
        if name not in FLOORS and not name.startswith("__") and not _is_within(source.name, "app.cli"):
            places.setdefault(name, []).append(source.where)
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_public_functions_are_described() -> None:
    bare = [
        f"{source.where}:{node.lineno} {node.name}"
        for source in sources("app", "models", "training")
        for node in source.tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and ast.get_docstring(node) is None
    ]
    assert bare == []


@pytest.mark.parametrize("module", ["wsgi", "training.cli", "app.web", "app.model.engine.engine", "app.worker"])
def test_importing_loads_no_heavy_library(module: str) -> None:
    code = f"import sys, {module}; print([name for name in {HEAVY!r} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip().splitlines()[-1] == "[]"


def test_nothing_else_stands_at_the_top() -> None:
    visible = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    local = {"instance", "runs", "__pycache__"}
    assert visible - local == {"app", "training", "models", "tests", "wsgi.py", "requirements.txt", "README.md"}
