"""Reads the source files: imports, sizes of files and functions, calls and strings."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("app", "models", "training", "tests")


@dataclass(frozen=True)
class Import:
    """One imported dotted name at a line; `is_top` when it happens as the module is imported."""

    target: str
    line: int
    is_top: bool


@dataclass(frozen=True)
class Source:
    """A Python file of ours with its dotted module name and syntax tree."""

    path: Path

    @cached_property
    def text(self) -> str:
        """The file's text."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """The file's syntax tree."""
        return ast.parse(self.text)

    @property
    def name(self) -> str:
        """Dotted module name; a package is its own name."""
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def where(self) -> str:
        """Path from the root, for messages."""
        return str(self.path.relative_to(ROOT))

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        """Every import, `from a import b` as both `a` and `a.b` would be: the dotted `a.b`."""
        return tuple(_imports(self.tree, is_top=True))

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """All functions, nested ones too."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node

    def calls(self) -> Iterator[tuple[str, int]]:
        """Dotted names that are read or called anywhere, with their line."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Attribute):
                yield _dotted(node), node.lineno

    def strings(self) -> Iterator[tuple[str, int]]:
        """String constants that are not docstrings, with their line."""
        docs = {id(node) for node in _docstrings(self.tree)}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
                yield node.value, node.lineno


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _docstrings(tree: ast.Module) -> Iterator[ast.Constant]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                yield first.value


def _imports(node: ast.AST, *, is_top: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, child.lineno, is_top) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            base = child.module or ""
            yield from (Import(f"{base}.{alias.name}", child.lineno, is_top) for alias in child.names)
        else:
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) or _is_typing_only(child)
            yield from _imports(child, is_top=is_top and not inside)


def _is_typing_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and _dotted(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


def sources(*packages: str) -> list[Source]:
    """Our files in these packages (all of them by default), `wsgi.py` with `app`."""
    found = [path for package in packages or PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    if not packages or "app" in packages:
        found.append(ROOT / "wsgi.py")
    return [Source(path) for path in found if path.exists()]
