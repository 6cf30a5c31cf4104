"""Keeping macros: written, changed, removed and put back, each an event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.answers.decide.given_fields import checked
from app.answers.decide.macro_matching import broken_placeholder
from app.answers.domain import Macro, MacroAction
from app.answers.store import macros
from app.core.errors import FieldError, InputError
from app.core.events import history
from app.core.permissions import Viewer
from app.core.services import Services

_MACRO_FIELDS = frozenset({"name", "body", "intents", "actions"})


def add_macro(
    services: Services,
    *,
    viewer: Viewer,
    name: str,
    body: str,
    intents: Sequence[str] = (),
    actions: Iterable[MacroAction | Mapping[str, str]] = (),
) -> Macro:
    """Add a macro; raises Conflict when the name is taken, InputError for an unknown action."""
    values = _macro_values({"name": name, "body": body, "intents": tuple(intents), "actions": actions})
    with services.db.transaction() as tx:
        macro_id = macros.insert(tx, **values)
        history.record(
            tx, actor=history.of(viewer), verb="created", noun="macro", noun_id=macro_id, after={"name": name}
        )
        return macros.get(tx, macro_id)


def change_macro(
    services: Services, macro_id: int, *, viewer: Viewer, changes: Mapping[str, Any], version: int | None = None
) -> Macro:
    """Change a macro; raises NotFound, Stale, Conflict, InputError."""
    wanted = _macro_values(changes)
    with services.db.transaction() as tx:
        was = macros.get(tx, macro_id)
        macro = macros.update(tx, macro_id, changes=wanted, version=version)
        before = {key: _told(getattr(was, key)) for key in wanted}
        after = {key: _told(getattr(macro, key)) for key in wanted}
        history.record(
            tx, actor=history.of(viewer), verb="edited", noun="macro", noun_id=macro_id, before=before, after=after
        )
        return macro


def remove_macro(services: Services, macro_id: int, *, viewer: Viewer) -> None:
    """Remove a macro."""
    with services.db.transaction() as tx:
        was = macros.get(tx, macro_id)
        macros.delete(tx, macro_id)
        kept = (*sorted(_MACRO_FIELDS), "n_used")
        before = {name: _told(getattr(was, name)) for name in kept}
        history.record(tx, actor=history.of(viewer), verb="deleted", noun="macro", noun_id=macro_id, before=before)


def restore_macro(services: Services, macro_id: int, *, viewer: Viewer, values: Mapping[str, Any]) -> Macro:
    """Put a removed macro back, as the event of its removal kept it; raises Conflict when its name is taken."""
    actions = [_action(one) for one in values.get("actions", ())]
    with services.db.transaction() as tx:
        macro = macros.restore(tx, macro_id, values={**values, "actions": actions})
        after = {"name": macro.name}
        history.record(tx, actor=history.of(viewer), verb="restored", noun="macro", noun_id=macro_id, after=after)
        return macro


def _told(value: Any) -> Any:
    """A macro's field as an event keeps it, and as `change_macro` takes it back."""
    is_actions = isinstance(value, tuple) and value and isinstance(value[0], MacroAction)
    return [{"type": one.type, "value": one.value} for one in value] if is_actions else value


def _macro_values(values: Mapping[str, Any]) -> dict[str, Any]:
    found = checked(values, known=_MACRO_FIELDS, needed=("name", "body"))
    broken = broken_placeholder(str(found.get("body", "")))
    if broken is not None:
        fault = FieldError(pointer="/body", code="broken_placeholder", params=(("place", broken),))
        raise InputError("broken_placeholder", fields=[fault], place=broken)
    if "actions" in found:
        given = [one if isinstance(one, MacroAction) else _action(one) for one in found["actions"]]
        wrong = [one.type for one in given if one.type not in ("set_status", "add_tag", "route")]
        if wrong:
            raise InputError(
                "unknown_action", fields=[FieldError(pointer="/actions", code="unknown_value")], action=wrong[0]
            )
        found["actions"] = given
    return found


def _action(values: Mapping[str, str]) -> MacroAction:
    return MacroAction(type=str(values.get("type", "")), value=str(values.get("value", "")))
