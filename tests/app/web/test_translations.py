"""Every string that people read is in the Chinese catalogue, and the catalogue holds nothing else."""

from __future__ import annotations

import io
import re
from functools import cache
from pathlib import Path
from typing import Any

from babel.messages import frontend
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "app/web/translations/zh/LC_MESSAGES"
KEYWORDS = {name: None for name in ("_", "_l", "gettext", "lazy_gettext")} | {"ngettext": (1, 2)}
PLACE = re.compile(r"%\(\w+\)[sd]")


@cache
def _source() -> frozenset[object]:
    parse: Any = frontend.parse_mapping_cfg
    methods, options = parse(io.StringIO((ROOT / ".babel.cfg").read_text()))
    found = extract_from_dir(ROOT / "app", methods, options, KEYWORDS)
    return frozenset(message for _path, _line, message, _comments, _context in found)


@cache
def _catalogue() -> Catalog:
    with (FOLDER / "messages.po").open("rb") as file:
        return read_po(file, locale="zh")


def _strings(catalogue: Catalog) -> dict[str, str]:
    return {str(list(_several(message.id))): str(list(_several(message.string))) for message in catalogue if message.id}


def _several(text: str | list[str] | tuple[str, ...] | None) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ())


def test_every_string_is_translated_and_none_is_left_over() -> None:
    known = {message.id for message in _catalogue() if message.id}
    assert known == _source()
    untranslated = [message.id for message in _catalogue() if message.id and not message.string]
    assert untranslated == []


def test_translations_keep_their_parameters() -> None:
    for message in _catalogue():
        if message.id:
            source, shown = _several(message.id)[-1], _several(message.string)[0]
            assert set(PLACE.findall(source)) == set(PLACE.findall(shown)), source


def test_the_compiled_catalogue_is_that_of_the_source() -> None:
    with (FOLDER / "messages.mo").open("rb") as file:
        compiled = read_mo(file)
    assert _strings(compiled) == _strings(_catalogue())


def test_chinese_is_chinese() -> None:
    kept = {"API", "Plus", "RSS or Atom", "macro F1", "Apple Pay or Google Pay", "Visa or Mastercard"}
    for message in _catalogue():
        if isinstance(message.id, str) and message.id and message.id not in kept:
            assert re.search(r"[一-鿿]", str(message.string)), message.id
