"""Translation with types: what Flask-Babel hands out untyped, as text."""

from __future__ import annotations

import flask_babel


def gettext(text: str, **values: object) -> str:
    """The text in the reader's language, with `%(name)s` filled in."""
    return str(flask_babel.gettext(text, **values))


def ngettext(one: str, many: str, num: int) -> str:
    """The text for so many things, in the reader's language; `%(num)s` is the count."""
    return str(flask_babel.ngettext(one, many, num))
