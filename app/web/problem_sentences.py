"""The one table of error sentences: code → title and detail, in the reader's language.

A detail may name the error's parameters as `%(name)s`. Faults of single fields use the detail alone.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

from flask_babel import lazy_gettext as _

Sentence = tuple[object, object]
LONGEST = 300

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
    # Requests
    "invalid_input": (INPUT, _("Some of what was sent cannot be used; each fault is listed.")),
    "invalid": (INPUT, _("This value cannot be used.")),
    "invalid_json": (_("Not JSON"), _("The body is not valid JSON: line %(line)s, column %(column)s.")),
    "not_utf8": (_("Not UTF-8"), _("The body is not UTF-8 text: byte %(byte)s cannot be decoded.")),
    "empty_body": (_("Empty request"), _("The request has no body; this address needs one.")),
    "too_deep": (_("Too deeply nested"), _("The JSON is nested more deeply than the server reads.")),
    "too_large": (_("Too large"), _("This is %(size)s and the limit is %(limit)s.")),
    "json_too_large": (
        _("Too large"),
        _("A JSON body may have %(limit)s bytes. More can be sent as lines of JSON, where this address reads them."),
    ),
    "too_many_items": (_("Too many at once"), _("%(size)s items were sent; one request may hold %(limit)s.")),
    "unsupported_media": (
        _("Unsupported kind of content"),
        _("This address does not read %(media_type)s. It reads: %(accepted)s."),
    ),
    "required": (INPUT, _("This is required.")),
    "required_one": (INPUT, _("One of these is required: %(names)s.")),
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
    "too_long": (INPUT, _("This is too long; the limit is %(limit)s.")),
    "too_short": (INPUT, _("This is too short; at least %(least)s are needed.")),
    "too_small": (INPUT, _("This must be larger.")),
    "out_of_bounds": (INPUT, _("%(value)s is not between %(low)s and %(high)s.")),
    "not_whole": (INPUT, _("This must be a whole number.")),
    "not_number": (INPUT, _("This must be a number.")),
    "not_flag": (INPUT, _("This must be true or false.")),
    "not_list": (INPUT, _("This must be a list.")),
    "not_object": (INPUT, _("This must be an object with named fields.")),
    "not_an_object": (INPUT, _("This must be an object with named fields.")),
    "not_an_address": (INPUT, _("“%(value)s” is not an e-mail address.")),
    "not_a_truth_value": (INPUT, _("“%(value)s” is neither true nor false.")),
    "not_a_time": (INPUT, _("“%(value)s” is not a time. Use RFC 3339, such as 2026-03-02T09:00:00Z.")),
    "not_a_list_of_texts": (INPUT, _("This must be a list of texts.")),
    "not_json": (INPUT, _("This line is not valid JSON.")),
    "unknown_value": (INPUT, _("“%(value)s” is not a value that is possible here.")),
    "unknown_field": (INPUT, _("There is no field %(field)s that could be changed.")),
    "unknown_queue": (INPUT, _("There is no queue “%(value)s%(queue)s”, or it is not among yours.")),
    "no_queue": (INPUT, _("No queue is among yours; an administrator can put you into a team that has one.")),
    "unknown_feed": (INPUT, _("There is no feed “%(value)s”, or it is not among yours.")),
    "unknown_entity": (INPUT, _("No company with the ticker “%(value)s” is watched.")),
    "unknown_zone": (INPUT, _("There is no time zone “%(value)s”; write one like Europe/Dublin.")),
    "unknown_team": (INPUT, _("There is no such team, or it is not one of yours.")),
    "unknown_subject": (INPUT, _("There is no “%(value)s” to show, or it is not among yours.")),
    "unknown_scope": (INPUT, _("There is no scope “%(scope)s”.")),
    "unknown_action": (INPUT, _("A macro has no action “%(action)s”.")),
    "unknown_format": (INPUT, _("A file of the format “%(format)s” is not read here.")),
    "empty_field": (INPUT, _("A field that is needed is empty.")),
    "empty_text": (INPUT, _("There is no text in this.")),
    "empty_message": (INPUT, _("The message has no text.")),
    "empty_placeholder": (
        INPUT,
        _("A placeholder is still empty: %(names)s. Fill in what stands in {{ … }}, then send."),
    ),
    "broken_placeholder": (
        INPUT,
        _("“%(place)s” is not a placeholder. Write a name without spaces between braces, such as {{ order_no }}."),
    ),
    "taken_by": (CONFLICT, _("%(name)s has this ticket already. Assign it on its page if you want it all the same.")),
    "empty_subject": (INPUT, _("The subject must not be empty.")),
    "empty_file": (INPUT, _("The file is empty.")),
    "no_records": (INPUT, _("The file holds no list of tickets: a CSV table, a JSON list, or one JSON object a line.")),
    "no_such_column": (INPUT, _("The file has no column “%(column)s”.")),
    "no_text_column": (INPUT, _("Say which column holds the text, the subject or the messages.")),
    "already_imported": (CONFLICT, _("This file was imported already, or is kept no longer. Hand it in again.")),
    "empty_mail": (INPUT, _("The mail is empty.")),
    "not_a_mail": (INPUT, _("This is not a mail: it has no header that a mail begins with.")),
    "too_many_recipients": (
        _("Too many recipients"),
        _("The mail goes to %(size)s recipients; mail to more than %(limit)s is not taken as a ticket."),
    ),
    "too_many_lines": (INPUT, _("The mail has %(size)s lines; mail of more than %(limit)s is not read.")),
    "unreadable": (INPUT, _("This cannot be read: something in it has a form that was not foreseen.")),
    "not_encrypted": (INPUT, _("Without encryption a password would cross the network in the clear. Choose TLS.")),
    "no_way": (INPUT, _("Name a server for incoming mail, one for outgoing mail, or both.")),
    "not_a_feed": (INPUT, _("This is neither RSS nor Atom.")),
    "feed_too_slow": (INPUT, _("The document took longer than %(limit)s s to read.")),
    "feed_too_costly": (INPUT, _("The document took more than %(megabytes)s MB of memory to read.")),
    "long_column": (
        INPUT,
        _("A column name has more than %(limit)s characters. Is the first line of the file its header?"),
    ),
    "no_known_column": (INPUT, _("No column is known: %(columns)s. Known are: %(known)s.")),
    "too_many_columns": (INPUT, _("The row has %(found)s columns and the header %(expected)s.")),
    "unclosed_quote": (INPUT, _("A quotation mark is opened and never closed.")),
    "bad_url": (INPUT, _("This is not an address of the web (http or https).")),
    "bad_url_scheme": (INPUT, _("An address of the web begins with http:// or https://.")),
    "bad_url_userinfo": (INPUT, _("Leave the user name and the password out of the address.")),
    "bad_url_odd_host": (INPUT, _("No machine can be called “%(part)s”; check the part after //.")),
    "bad_url_bad_character": (
        INPUT,
        _("An address cannot hold the character “%(part)s”; if it belongs there, write it percent-encoded."),
    ),
    "bad_hours": (INPUT, _("Write opening hours a line each, such as Mon-Fri 09:00-18:00.")),
    "bad_allowance": (INPUT, _("The time allowed lies between a minute and 400 days.")),
    "bad_day": (INPUT, _("“%(value)s” is not a day; write it like 2026-12-25.")),
    "default_policy": (CONFLICT, _("“%(name)s” holds for every queue that names none; change it instead.")),
    "bad_slug": (INPUT, _("“%(value)s” is not a short name: use small letters, digits and hyphens.")),
    "bad_secret": (INPUT, _("The signing secret does not have the form whsec_….")),
    "bad_period": (INPUT, _("The beginning lies after the end.")),
    "in_the_past": (INPUT, _("This lies in the past.")),
    "past": (INPUT, _("This lies in the past.")),
    "until_past": (INPUT, _("The end lies in the past.")),
    "no_backtest": (
        INPUT,
        _("A rule that waits for silence cannot be back-tested: silence is not counted by the hour."),
    ),
    "topic_without_words": (INPUT, _("A topic needs at least one word, or examples.")),
    "too_few_examples": (INPUT, _("A topic by example needs at least %(limit)s different examples.")),
    "too_many_examples": (INPUT, _("A topic has at most %(limit)s examples of each kind.")),
    "bad_reach": (INPUT, _("The share of posts must be above 0 and at most %(limit)s percent.")),
    "too_many_words": (INPUT, _("At most %(limit)s words and phrases make a topic.")),
    "too_many_topics": (INPUT, _("There are %(limit)s topics already; give one up first.")),
    "bad_word": (INPUT, _("“%(word)s” is too short or too long to be looked for: 2 to 80 characters.")),
    "invalid_rule": (INPUT, _("The rule cannot work like this; each fault is listed.")),
    "text_too_long": (INPUT, _("The text has %(size)s tokens, of which %(limit)s are read.")),
    "no_raw_scores": (INPUT, _("Scores here are calibrated probabilities; raw scores are not given.")),
    "rule_is_empty": (INPUT, _("A rule needs one to ten conditions, and one to ten things to do.")),
    "rule_matches_itself": (
        INPUT,
        _("“%(name)s” moves tickets into a queue that it takes them from: it would match its own work for ever."),
    ),
    "rules_in_circle": (
        INPUT,
        _("These rules would hand tickets round in a circle: %(names)s. Change or switch off one of them first."),
    ),
    "nothing_to_change": (INPUT, _("Nothing was named that could be changed.")),
    "nothing_to_correct": (INPUT, _("There is no prediction of this task to correct.")),
    "needs_a_person": (INPUT, _("This needs a person; sign in, or use a person's token.")),
    "inactive_user": (INPUT, _("User %(id)s is no longer active.")),
    "password_too_short": (INPUT, _("The password needs at least %(least)s characters.")),
    "bad_ticker": (INPUT, _("“%(value)s” is no ticker: letters and digits, at most 12.")),
    "bad_matcher": (
        INPUT,
        _("“%(line)s” is no matcher. Write a name, an operator and a value; names: %(known)s."),
    ),
    "bad_apprise_url": (
        INPUT,
        _("This is no Apprise address, such as mailtos://… or slack://…"),
    ),
    "only_apprise": (INPUT, _("Only a receiver by Apprise (mail, chat) can get a digest.")),
    "future": (INPUT, _("This lies in the future.")),
    "receiver_cannot_tell": (INPUT, _("A receiver of the kind %(kind)s cannot tell of %(noun)s %(verb)s.")),
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
    "already_sent": (
        CONFLICT,
        _("The reply has left the house and cannot be called back. Write to the customer again instead."),
    ),
    "already_judged": (CONFLICT, _("Somebody else has judged this ticket meanwhile; their word stands.")),
    "already_undone": (CONFLICT, _("This was undone before.")),
    "alert_over": (CONFLICT, _("The alert is over.")),
    "email_taken": (CONFLICT, _("Somebody uses the address %(email)s already.")),
    "name_taken": (CONFLICT, _("There is a %(noun)s “%(name)s” already.")),
    "slug_taken": (CONFLICT, _("There is a %(noun)s “%(slug)s” already.")),
    "ticker_taken": (CONFLICT, _("The ticker %(ticker)s is watched already.")),
    "entity_in_use": (CONFLICT, _("Posts name this company; it cannot be removed.")),
    "team_in_use": (
        CONFLICT,
        _("The team “%(name)s” owns queues or feeds, which everybody would see without it. Give them to others first."),
    ),
    "mailbox_in_use": (CONFLICT, _("Letters went out from this mailbox; switch it off instead.")),
    "mail_gone": (CONFLICT, _("The mail is no longer in its mailbox, and it was not kept here.")),
    "raw_not_kept": (
        CONFLICT,
        _("Only its beginning was kept, so it cannot be tried again. Send it in once more, or discard it."),
    ),
    "secret_unreadable": (
        CONFLICT,
        _("The mailbox's password cannot be read: its key file is missing or another one. Type the password again."),
    ),
    "topic_watched": (CONFLICT, _("The rule “%(name)s” watches this topic; change or delete the rule first.")),
    "already_watched": (CONFLICT, _("The rule “%(name)s” tells of every mention of this already.")),
    "rule_in_use": (CONFLICT, _("Alerts stand on this rule; switch it off instead.")),
    "last_admin": (CONFLICT, _("This is the last administrator. Make another one first.")),
    "still_queued": (CONFLICT, _("This notification is still waiting to be sent.")),
    "shadow_is_live": (CONFLICT, _("%(model)s is live: only another model can be compared with it.")),
    "no_shadow": (CONFLICT, _("No model is in shadow.")),
    "nothing_to_roll_back": (CONFLICT, _("No model was in force before %(model)s.")),
    "admin_exists": (CONFLICT, _("There is an administrator already. Sign in instead.")),
    "not_empty": (CONFLICT, _("The database is not empty, and the demo fills an empty one only.")),
    # Permissions and sign-in
    "not_allowed": (DENIED, _("This needs the permission %(permission)s, which your role or token does not have.")),
    "not_signed_in": (_("Sign in first"), _("Sign in, or send a valid API token as “Authorization: Bearer bw_…”.")),
    "sign_in_slowed": (
        _("Too many attempts"),
        _("Too many sign-ins have failed. Try again in %(retry_after)s s, or ask for a sign-in link."),
    ),
    "bad_token": (_("Token not accepted"), _("The API token is unknown, expired or revoked.")),
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
    "database_newer": (
        _("Database of a newer version"),
        _(
            "A newer version of Bellwether wrote %(file)s (step %(step)s), and it is left as it is. "
            "Start that version, or put the copy in its place that was made before the upgrade."
        ),
    ),
    "database_unknown": (
        _("Unknown database"),
        _(
            "%(file)s was written neither by this version of Bellwether nor by one that it can upgrade, and it is left "
            "as it is. Move it away, or name another folder in BELLWETHER_INSTANCE."
        ),
    ),
    "database_full": (_("Disk full"), _("The disk of the database is full. Nothing was changed; make room on it.")),
    "database_read_only": (
        _("Database read-only"),
        _("The database file cannot be written to. Check the rights of the file, its folder and its disk."),
    ),
    "no_copy": (
        _("No room for the upgrade"),
        _(
            "%(file)s has to be upgraded, and the copy that is made before could not be written: %(reason)s. It needs "
            "%(megabytes)s MB beside the file, which is left as it is."
        ),
    ),
    "database_unusable": (_("Database not usable"), _("The database cannot be used: %(reason)s.")),
    "deadline_exceeded": (WAIT, _("The answer would have come after the deadline.")),
    "stream_needs_threads": (
        WAIT,
        _("This server has no threads, so it keeps no live stream. Poll /api/v1/events?after=… instead."),
    ),
    "stream_full": (_("Too many live streams"), _("%(limit)s live streams are open. Try again in %(retry_after)s s.")),
    "long_answers_full": (
        _("Too many exports"),
        _("%(limit)s exports or large uploads run already. Try again in %(retry_after)s s."),
    ),
    # Outside
    "outgoing_failed": (_("The other side failed"), _("%(url)s did not answer as expected: %(reason)s.")),
    "outgoing_refused": (_("Address refused"), _("%(url)s is not a public address and is not called.")),
    "unknown_setting": (_("Bad setting"), _("%(name)s is no setting.")),
    "assignee_out_of_sight": (INPUT, _("%(name)s is in no team that sees the queue “%(queue)s”.")),
    "setup_secret": (
        DENIED,
        _(
            "A new installation is set up through the link that its start prints. Lost it? "
            "Start it again, or run: flask --app wsgi user add ADDRESS --name NAME --role admin"
        ),
    ),
    "bad_setting": (_("Bad setting"), _("%(name)s is “%(value)s”, which is not a %(expected)s.")),
}


# Sentences for use where a parameter of the sentence above is missing.
BARE: dict[str, object] = {
    "not_found": _("There is no such thing, or it is not among yours."),
    "too_long": _("This is too long."),
    "too_short": _("This is too short."),
    "too_large": _("This is larger than can be taken."),
    "feed_too_costly": _("The document took more memory to read than one may."),
    "unknown_value": _("This is not a value that is possible here."),
    "unknown_choice": _("This is not a value that is possible here."),
    "unknown_label": _("This is not a label of the task."),
    "outgoing_refused": _("The address is not public and is not called."),
    "overloaded": _("The model has more work than it can queue. Try again in a moment."),
    "stale": _("Somebody else changed this in the meantime. Look at it and try again."),
}

REASONS: dict[str, object] = {
    "too_many_redirects": _("it redirects too often"),
    "too_large": _("its answer is too large"),
    "tls_failed": _("its certificate was not accepted"),
    "unreachable": _("it cannot be reached"),
    "unknown_host": _("it cannot be reached"),
    "sign_in_refused": _("it refused the user name or the password"),
    "no_folder": _("it has no such folder"),
    "timeout": _("it took too long"),
    "broken_answer": _("its answer breaks off"),
    "mail_withheld": _("it does not hand out the mail"),
    "http_status": _("it answered with an error"),
    "not_public": _("it is not public"),
    "not_taken": _("it did not take the message"),
    "gone": _("it asked never to be called again"),
    "redirected": _("it redirects, which is not followed"),
    "receiver_off": _("it is switched off"),
    "internal": _("the message could not be written"),
    "port": _("its port is not allowed"),
    "bad_url": _("it is not an address of the web"),
    "odd_host": _("no machine can have its name"),
    "scheme": _("it is not an address of the web"),
    "userinfo": _("it holds a user name or a password"),
}

_PLACEHOLDER = re.compile(r"%\((\w+)\)s")


def sentence(code: str, params: Mapping[str, object]) -> tuple[str, str]:
    """Return title and detail of a code in the reader's language; a simpler sentence where parameters are missing."""
    title, detail = TABLE.get(code, TABLE["invalid"])
    known = {name: shown(name, value) for name, value in params.items()}
    if code in BARE and not set(_PLACEHOLDER.findall(str(detail))) <= set(known):
        return str(title), str(BARE[code])
    return str(title), str(detail) % defaultdict(str, known)


def shown(name: str, value: object) -> str:
    """Return a parameter for a sentence: lists with commas, reasons in words, long values shortened."""
    if isinstance(value, (list, tuple, set, frozenset)):
        value = ", ".join(str(part) for part in value)
    text = reason(str(value)) if name == "reason" else str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def reason(code: str) -> str:
    """Return the reason why the other side was not reached, in the reader's language."""
    status = re.fullmatch(r"http_(\d{3})", code)
    return f"{REASONS['http_status']} (HTTP {status[1]})" if status else str(REASONS.get(code, code))


def fault_of_call(code: str, url: str, **params: object) -> str:
    """Return the sentence for a failed call: that of a code in the table, or `outgoing_failed` with its reason."""
    return sentence(code if code in TABLE else "outgoing_failed", {"url": url, "reason": code, **params})[1]
