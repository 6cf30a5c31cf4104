"""Sentences of the audit trail about accounts: sign-ins, sessions, passwords, links."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.core.events.event import Event
from app.web.display.translation import gettext as _
from app.web.display.translation import ngettext


def _where(event: Event) -> str:
    parts = (event.after.get("device"), event.after.get("address"))
    return ", ".join(str(part) for part in parts if part) or "—"


def _signed_in(event: Event, name: str) -> str:
    where = _where(event)
    sentences = {
        "link": _("Signed in with a link: %(where)s", where=where),
        "setup": _("Set up the installation and signed in: %(where)s", where=where),
        "new_password": _("Signed in anew after changing the password: %(where)s", where=where),
    }
    return sentences.get(str(event.after.get("way")), _("Signed in with the password: %(where)s", where=where))


def _failed(event: Event, name: str) -> str:
    where, n = _where(event), int(event.after.get("n_failed", 1))
    if event.noun_id:
        return ngettext(
            "Failed sign-in as %(name)s: %(where)s",
            "%(num)s failed sign-ins in a row as %(name)s, the latest: %(where)s",
            n,
            name=name,
            where=where,
        )
    return ngettext(
        "Failed sign-in, no such account: %(where)s",
        "%(num)s failed sign-ins in a row, the latest to no known account: %(where)s",
        n,
        where=where,
    )


def _is_own(event: Event) -> bool:
    return event.actor_kind == "agent" and event.actor_id == str(event.noun_id)


def _signed_out(event: Event, name: str) -> str:
    where = _where(event)
    if _is_own(event):
        return _("Signed out: %(where)s", where=where)
    return _("Signed %(name)s out: %(where)s", name=name, where=where)


def _ended(event: Event, name: str) -> str:
    n = int(event.after.get("n_ended", 1))
    return ngettext("Signed %(name)s out of %(num)s browser", "Signed %(name)s out of %(num)s browsers", n, name=name)


def _password(event: Event, name: str) -> str:
    return _("Changed the password of %(name)s", name=name)


def _link(event: Event, name: str) -> str:
    return _("Made a sign-in link for %(name)s", name=name)


_VERBS: Mapping[str, Callable[[Event, str], str]] = {
    "signed_in": _signed_in,
    "sign_in_failed": _failed,
    "signed_out": _signed_out,
    "sessions_ended": _ended,
    "password_set": _password,
    "link_made": _link,
}


def sentence(event: Event, *, names: Mapping[str, str]) -> str:
    """Return the sentence for an event of an account; empty for events that are shown field by field."""
    make = _VERBS.get(event.verb) if event.noun == "user" else None
    name = names.get(str(event.noun_id), _("a former user"))
    return "" if make is None else make(event, name)
