"""Macros: reply templates, and how often each was taken."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.answers.domain import Macro, MacroAction
from app.core.db import Reads, Transaction, statement
from app.core.errors import Conflict
from app.core.storage.row_mapping import built

_KEPT = "ticket_id, user_id, kind, macro_id, intent, verdict, kept, message_id, at"
_OUTCOME = f"({_KEPT})"
_STANDING = "(SELECT id FROM message WHERE message.id = removed_outcome.message_id)"


def _macro(row: sqlite3.Row) -> Macro:
    actions = tuple(MacroAction(type=kind, value=value) for kind, value in json.loads(row["actions"]))
    return built(Macro, row, tuples=("intents",), actions=actions)


def get(db: Reads, macro_id: int) -> Macro:
    """The macro with this id; raises NotFound."""
    return _macro(db.got("macro", macro_id))


def every(db: Reads) -> tuple[Macro, ...]:
    """Macros by name."""
    return tuple(_macro(row) for row in db.rows("SELECT * FROM macro ORDER BY name"))


def search(db: Reads, query: str, *, limit: int = 20) -> tuple[Macro, ...]:
    """Macros whose name or text has the query in it, by name."""
    rows = db.rows(
        "SELECT * FROM macro WHERE instr(lower(name), lower(?)) > 0 OR instr(lower(body), lower(?)) > 0 "
        "ORDER BY name LIMIT ?",
        (query, query, limit),
    )
    return tuple(_macro(row) for row in rows)


def insert(
    tx: Transaction,
    *,
    name: str,
    body: str,
    intents: Sequence[str] = (),
    actions: Sequence[MacroAction] = (),
) -> int:
    """Add a macro; raises Conflict when the name is taken."""
    values = {"name": name, "body": body, "intents": list(intents), "actions": pairs(actions)}
    try:
        return tx.insert("macro", values)
    except sqlite3.IntegrityError as error:
        raise Conflict("name_taken", noun="macro", name=name) from error


def update(tx: Transaction, macro_id: int, *, changes: Mapping[str, Any], version: int | None = None) -> Macro:
    """Change a macro; raises NotFound, Stale, or Conflict when the name is taken."""
    columns = dict(changes)
    if "actions" in columns:
        columns["actions"] = pairs(columns["actions"])
    try:
        tx.change("macro", macro_id, changes=columns, version=version)
    except sqlite3.IntegrityError as error:
        raise Conflict("name_taken", noun="macro", name=str(columns.get("name", ""))) from error
    return get(tx, macro_id)


def pairs(actions: Iterable[MacroAction]) -> list[tuple[str, str]]:
    """Actions as their column keeps them."""
    return [(action.type, action.value) for action in actions]


def delete(tx: Transaction, macro_id: int) -> None:
    """Remove a macro; what became of it is laid aside, for `restore`."""
    tx.execute(
        statement("INSERT INTO removed_outcome", _OUTCOME, "SELECT", _KEPT, "FROM outcome WHERE macro_id = ?"),
        (macro_id,),
    )
    tx.execute("DELETE FROM macro WHERE id = ?", (macro_id,))


def restore(tx: Transaction, macro_id: int, *, values: Mapping[str, Any]) -> Macro:
    """Put a removed macro back under its own number, with what became of it; raises Conflict."""
    columns = {**values, "id": macro_id, "actions": pairs(values.get("actions", ()))}
    try:
        tx.insert("macro", columns)
    except sqlite3.IntegrityError as error:
        raise Conflict("name_taken", noun="macro", name=str(values.get("name", ""))) from error
    # A message that was erased meanwhile is named no more.
    tx.execute(
        statement(
            "INSERT INTO outcome", _OUTCOME, "SELECT", _KEPT.replace("message_id", _STANDING), "FROM removed_outcome",
            "WHERE macro_id = ?",
        ),
        (macro_id,),
    )  # fmt: skip
    tx.execute("DELETE FROM removed_outcome WHERE macro_id = ?", (macro_id,))
    return get(tx, macro_id)


def count_used(tx: Transaction, macro_id: int) -> None:
    """This macro was used once more."""
    tx.execute("UPDATE macro SET n_used = n_used + 1 WHERE id = ?", (macro_id,))
