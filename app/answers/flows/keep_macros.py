"""Macros that administrators write."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from app.answers.decide.macro_matching import broken_placeholder
from app.answers.domain import Macro, MacroAction
from app.answers.store import macros
from app.core.db import Transaction
from app.core.errors import FieldError, InputError
from app.core.nouns import Fields, Noun

_ACTIONS = ("set_status", "add_tag", "route")


class MacroNoun(Noun[Macro]):
    """Macros; a removed one can be restored with its outcomes."""

    name = "macro"
    permission = "macros:write"
    fields = frozenset({"name", "body", "intents", "actions"})
    needed = ("name", "body")
    is_restorable = True

    def make(self, row: sqlite3.Row) -> Macro:
        """Return the macro of a row."""
        return macros.as_macro(row)

    def check(self, tx: Transaction, given: Fields, was: Macro | None) -> Fields:
        """Return the fields of a macro; raises InputError `broken_placeholder`, `unknown_action`."""
        found = dict(given)
        broken = broken_placeholder(str(found.get("body", "")))
        if broken is not None:
            fault = FieldError(pointer="/body", code="broken_placeholder", params=(("place", broken),))
            raise InputError("broken_placeholder", fields=[fault], place=broken)
        if "intents" in found:
            found["intents"] = tuple(found["intents"])
        if "actions" in found:
            found["actions"] = tuple(_action(one) for one in found["actions"])
        return found

    def columns(self, values: Fields) -> Fields:
        """Return the fields as their columns hold them."""
        return {**values, **({"actions": macros.pairs(values["actions"])} if "actions" in values else {})}

    def kept(self, tx: Transaction, row: Macro) -> Fields:
        """Return the number of its uses."""
        return {"n_used": row.n_used}

    def delete(self, tx: Transaction, row: Macro) -> None:
        """Remove a macro and set its outcomes aside."""
        macros.lay_outcomes_aside(tx, row.id)
        super().delete(tx, row)

    def revive(self, tx: Transaction, thing_id: int, kept: Fields) -> None:
        """Restore a macro with its outcomes."""
        super().revive(tx, thing_id, kept)
        macros.take_outcomes_back(tx, thing_id)


MACRO = MacroNoun()


def _action(given: MacroAction | Mapping[str, str]) -> MacroAction:
    one = (
        given
        if isinstance(given, MacroAction)
        else MacroAction(type=str(given.get("type", "")), value=str(given.get("value", "")))
    )
    if one.type not in _ACTIONS:
        raise InputError(
            "unknown_action", fields=[FieldError(pointer="/actions", code="unknown_value")], action=one.type
        )
    return one
