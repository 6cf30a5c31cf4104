"""What each error code says: code → title and detail, in the reader's language; the only table of error sentences.

A detail may name the error's parameters as `%(name)s`. Faults of single fields use the detail alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from flask_babel import lazy_gettext as _

Sentence = tuple[object, object]

INPUT = _("This cannot be understood")
GONE = _("Not found")
CONFLICT = _("Not possible now")
WAIT = _("Not available now")
DENIED = _("Not allowed")

TABLE: dict[str, Sentence] = {
    # The web's own
    "bad_request": (_("Bad request"), _("The request cannot be read.")),
    "no_such_page": (GONE, _("There is nothing at %(path)s.")),
    "method_not_allowed": (_("Method not allowed"), _("%(path)s does not answer %(method)s.")),
    "not_acceptable": (_("Not acceptable"), _("The answer exists in no form that was asked for.")),
    "request_timeout": (_("Too slow"), _("The request did not arrive in time. Send it again.")),
    "length_required": (_("Length required"), _("Send a Content-Length header.")),
    "body_too_large": (_("Too large"), _("The request is larger than this address accepts.")),
    "address_too_long": (_("Address too long"), _("The address is longer than the server reads.")),
    "bad_range": (_("Bad range"), _("The range asked for does not exist.")),
    "rate_limited": (_("Too many attempts"), _("Wait a minute, then try again.")),
    "headers_too_large": (_("Headers too large"), _("The request's headers are larger than the server reads.")),
    "csrf": (_("The form has expired"), _("Load the page again and send the form once more.")),
    "internal": (
        _("Something went wrong"),
        _("The fault is on this side and was logged. Quote %(request_id)s when you report it."),
    ),
    # What was sent
    "invalid_input": (INPUT, _("Some of what was sent cannot be used; each fault is listed.")),
    "invalid": (INPUT, _("This value cannot be used.")),
    "invalid_json": (_("Not JSON"), _("The body is not valid JSON: line %(line)s, column %(column)s.")),
    "not_utf8": (_("Not UTF-8"), _("The body is not UTF-8 text: byte %(byte)s cannot be decoded.")),
    "empty_body": (_("Empty request"), _("The request has no body; this address needs one.")),
    "too_deep": (_("Too deeply nested"), _("The JSON is nested more deeply than the server reads.")),
    "too_large": (_("Too large"), _("This is %(size)s and the limit is %(limit)s.")),
    "too_many_items": (_("Too many at once"), _("%(size)s items were sent; one request may hold %(limit)s.")),
    "unsupported_media": (
        _("Unsupported kind of content"),
        _("This address does not read %(media_type)s. It reads: %(accepted)s."),
    ),
    "required": (INPUT, _("This is required.")),
    "empty": (INPUT, _("This must not be empty.")),
    "not_text": (INPUT, _("This must be text.")),
    "unknown_choice": (INPUT, _("“%(value)s” is not one of: %(choices)s.")),
    "unknown_task": (INPUT, _("The model in force has no task “%(task)s”. It has: %(choices)s.")),
    "unknown_role": (INPUT, _("“%(value)s” is not a role. Roles are: %(choices)s.")),
    "unknown_label": (INPUT, _("“%(label)s” is not a label of %(task)s.")),
    "bad_id": (INPUT, _("“%(value)s” is not an id of this kind.")),
    "bad_cursor": (INPUT, _("The page cursor cannot be read. Start again from the first page.")),
    "bad_time": (INPUT, _("“%(value)s” is not a time. Use RFC 3339, such as 2026-03-02T09:00:00Z.")),
    "bad_target": (INPUT, _("The target is not a part of the text.")),
    "bad_scope": (INPUT, _("“%(value)s” is not a scope. Scopes are: %(choices)s.")),
    "text_pairs": (INPUT, _("Text pairs are not read here. Send one text an item, or a target to /api/v1/analyze.")),
    "idempotency_key_invalid": (INPUT, _("The Idempotency-Key is empty or longer than 255 characters.")),
    "idempotency_key_reused": (
        _("Key used before"),
        _("This Idempotency-Key was used with a different request. Use a new key."),
    ),
    # Things
    "not_found": (GONE, _("There is no %(noun)s %(id)s, or it is not among yours.")),
    "conflict": (CONFLICT, _("The thing has changed, or this step does not fit its state.")),
    "stale": (
        _("Changed in the meantime"),
        _("The %(noun)s %(id)s was changed by somebody else (version %(version)s now). Look at it and try again."),
    ),
    "idempotency_in_progress": (_("Still running"), _("The first request with this key has not finished yet.")),
    "cannot_undo": (CONFLICT, _("This cannot be undone.")),
    "changed_since": (CONFLICT, _("Something later depends on this (event %(by)s). Undo that first.")),
    "admin_exists": (CONFLICT, _("There is an administrator already. Sign in instead.")),
    "demo_needs_empty": (CONFLICT, _("The database already holds data; the demo fills an empty one only.")),
    # Who
    "not_allowed": (DENIED, _("This needs the permission %(permission)s, which your role or token does not have.")),
    "scope_too_wide": (DENIED, _("A token cannot do more than its owner: %(scopes)s.")),
    "not_signed_in": (_("Sign in first"), _("Sign in, or send a valid API token as “Authorization: Bearer bw_…”.")),
    # The model and the database
    "task_missing": (_("No such task"), _("The model in force has no task “%(task)s”.")),
    "overloaded": (_("Busy"), _("The model has more work than it can queue. Try again in %(retry_after)s s.")),
    "not_ready": (WAIT, _("The model is not ready yet. Try again in a moment.")),
    "artifact_missing": (
        _("No model"),
        _("No model artifact was found in %(folder)s. Put one there, or name the folder in BELLWETHER_MODELS."),
    ),
    "artifact_damaged": (
        _("Damaged model"),
        _("The model artifact in %(folder)s failed its check at %(file)s: %(reason)s. Restore or export it again."),
    ),
    "database_busy": (
        _("Database busy"),
        _("Another program is writing to the database. Nothing was changed; try again."),
    ),
    "database_unreadable": (
        _("Database not readable"),
        _("The database at %(path)s cannot be opened: %(reason)s."),
    ),
    "deadline_exceeded": (WAIT, _("The answer would have come after the deadline.")),
    "stream_needs_threads": (
        WAIT,
        _("This server has no threads, so it keeps no live stream. Poll /api/v1/events?after=… instead."),
    ),
    "stream_full": (_("Too many live streams"), _("%(limit)s live streams are open. Try again in %(retry_after)s s.")),
    # Outside
    "outgoing_failed": (_("The other side failed"), _("%(url)s did not answer as expected: %(reason)s.")),
    "outgoing_refused": (_("Address refused"), _("%(url)s is not a public address and is not called.")),
    "bad_setting": (_("Bad setting"), _("%(name)s is “%(value)s”, which is not a %(expected)s.")),
}


def sentence(code: str, params: Mapping[str, object]) -> tuple[str, str]:
    """Title and detail of a code in the reader's language; what a parameter leaves out stays empty."""
    title, detail = TABLE.get(code, TABLE["invalid_input"])
    filled: defaultdict[str, object] = defaultdict(str, {name: shown(value) for name, value in params.items()})
    return str(title), str(detail) % filled


def shown(value: object) -> str:
    """A parameter as it stands in a sentence: lists with commas, long values shortened."""
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(str(part) for part in value)
    text = str(value)
    return text if len(text) <= 300 else text[:299] + "…"
