"""Translation: Flask-Babel's functions with types, and with one look-up of the catalogue per request."""

from __future__ import annotations

from typing import Any

import flask_babel
from flask import Flask, g


def install(app: Flask) -> None:
    """Let templates translate with these functions; called after Flask-Babel's own installation."""
    templates: Any = app.jinja_env
    templates.install_gettext_callables(
        gettext=lambda text: _translations().ugettext(text),
        ngettext=lambda one, many, num: _translations().ungettext(one, many, num),
        newstyle=True,
    )


def gettext(text: str, **values: object) -> str:
    """Return a text in the reader's language, with `%(name)s` filled in."""
    found = str(_translations().ugettext(text))
    return found % values if values else found


def ngettext(one: str, many: str, num: int, **values: object) -> str:
    """Return the singular or plural text in the reader's language; `%(num)s` is the count, others are `values`."""
    return str(_translations().ungettext(one, many, num)) % {"num": num, **values}


def _translations() -> Any:
    if not g:
        return flask_babel.get_translations()
    found = g.get("translations")
    if found is None:
        found = g.translations = flask_babel.get_translations()
    return found
