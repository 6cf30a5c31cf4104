"""Macros: reply templates, with the number of replies that each went into."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from app.answers.domain import Macro, MacroAction
from app.core.db import Reads, Transaction, statement
from app.core.storage.row_mapping import built

_KEPT = "ticket_id, user_id, kind, macro_id, intent, verdict, kept, message_id, at"
_OUTCOME = f"({_KEPT})"
_STANDING = "(SELECT id FROM message WHERE message.id = removed_outcome.message_id)"


def as_macro(row: sqlite3.Row) -> Macro:
    """A macro out of its row."""
    actions = tuple(MacroAction(type=kind, value=value) for kind, value in json.loads(row["actions"]))
    return built(Macro, row, tuples=("intents",), actions=actions)


def get(db: Reads, macro_id: int) -> Macro:
    """The macro with this id; raises NotFound."""
    return as_macro(db.got("macro", macro_id))


def every(db: Reads) -> tuple[Macro, ...]:
    """Macros by name."""
    return tuple(as_macro(row) for row in db.rows("SELECT * FROM macro ORDER BY name"))


def search(db: Reads, query: str, *, limit: int = 20) -> tuple[Macro, ...]:
    """Macros whose name or text contains the query, by name."""
    rows = db.rows(
        "SELECT * FROM macro WHERE instr(lower(name), lower(?)) > 0 OR instr(lower(body), lower(?)) > 0 "
        "ORDER BY name LIMIT ?",
        (query, query, limit),
    )
    return tuple(as_macro(row) for row in rows)


def pairs(actions: Iterable[MacroAction]) -> list[tuple[str, str]]:
    """Actions as their column keeps them."""
    return [(action.type, action.value) for action in actions]


def lay_outcomes_aside(tx: Transaction, macro_id: int) -> None:
    """Copy the outcomes of a macro that is removed, for `take_outcomes_back`."""
    tx.execute(
        statement("INSERT INTO removed_outcome", _OUTCOME, "SELECT", _KEPT, "FROM outcome WHERE macro_id = ?"),
        (macro_id,),
    )


def take_outcomes_back(tx: Transaction, macro_id: int) -> None:
    """Give a restored macro its outcomes again; those of messages that were erased meanwhile name no message."""
    columns = _KEPT.replace("message_id", _STANDING)
    tx.execute(
        statement("INSERT INTO outcome", _OUTCOME, "SELECT", columns, "FROM removed_outcome WHERE macro_id = ?"),
        (macro_id,),
    )
    tx.execute("DELETE FROM removed_outcome WHERE macro_id = ?", (macro_id,))


def count_used(tx: Transaction, macro_id: int) -> None:
    """Count one more use of a macro."""
    tx.execute("UPDATE macro SET n_used = n_used + 1 WHERE id = ?", (macro_id,))
