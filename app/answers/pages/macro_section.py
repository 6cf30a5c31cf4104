"""The administrator's section of macros."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from app.answers.domain import MacroAction
from app.answers.flows import find_macros
from app.answers.flows.keep_macros import MACRO
from app.answers.forms import TypedMacro
from app.core.nouns import Fields
from app.people.pages.admin_section import Row, Section, form_fields, split
from app.web.access import services, viewer
from app.web.display.enum_words import word
from app.web.display.translation import gettext as _


def _macros() -> list[Row]:
    return [
        Row(
            id=macro.id,
            cells=(
                macro.name,
                ", ".join(macro.intents) or _("any"),
                "; ".join(f"{word('action', action.type)}: {action.value}" for action in macro.actions) or "—",
                str(macro.n_used),
            ),
        )
        for macro in find_macros.with_words(services())
    ]


def _macro(number: int) -> Fields:
    macro = MACRO.get(services().db, number, viewer=viewer())
    return {
        "name": macro.name,
        "body": macro.body,
        "intents": ", ".join(macro.intents),
        "actions": "\n".join(f"{action.type} {action.value}" for action in macro.actions),
    }


def _given(form: Any) -> Fields:
    lines = [line.strip().partition(" ") for line in (form.actions.data or "").splitlines() if line.strip()]
    actions = [MacroAction(type=kind, value=value.strip()) for kind, _space, value in lines]
    return {**form_fields(form, "name", "body"), "intents": split(form.intents.data), "actions": actions}


SECTION = Section(
    slug="macros",
    noun=MACRO,
    icon="lightning",
    title=_l("Macros"),
    one=_l("Macro"),
    about=_l("Replies with placeholders such as {{ customer.name }}, and what they do besides."),
    heads=(_l("Name"), _l("Answers"), _l("Actions"), _l("Times used")),
    rows=_macros,
    form=TypedMacro,
    values=_macro,
    given=_given,
    is_removable=True,
)
