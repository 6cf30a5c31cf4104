"""The error family: codes with parameters, which become sentences where the reader's language is known.

BellwetherError
├── InputError 422            the request cannot be understood
│   ├── TooLarge 413          the request is larger than the limit
│   └── UnsupportedMedia 415  the media type is not read here
├── NotFound 404              there is no such thing, or not for this viewer
├── Conflict 409              the thing has changed, or the order of steps does not allow it
│   └── Stale 412             an edit was based on an older version
├── NotAllowed 403            the viewer's role does not include it
│   └── NotSignedIn 401
├── TaskMissing 424           the model in force has no such task
├── Overloaded 429            the queue is full; try again after `retry_after` seconds
├── NotReady 503              the model or the database is not ready
│   ├── ArtifactMissing       no model artifact was found
│   ├── ArtifactDamaged       an artifact failed its check
│   ├── DatabaseBusy          another writer holds the database
│   └── DeadlineExceeded      the answer would come too late
├── OutgoingError 502         the other side failed or must not be called
│   └── OutgoingRefused       the address is not public (SSRF guard)
└── SettingError 500          a setting has a value that cannot be used
    └── UnknownSetting        no setting has this name
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class FieldError:
    """One fault of a request: `pointer` is an RFC 6901 JSON pointer, `code` and `params` the reason."""

    pointer: str
    code: str
    params: tuple[tuple[str, str], ...] = ()


class BellwetherError(Exception):
    """An error with a sentence for people: `code` chooses the sentence, `params` fill it in."""

    status = 500
    code = "internal"

    def __init__(self, code: str | None = None, *, fields: Sequence[FieldError] = (), **params: object) -> None:
        self.code = code or type(self).code
        self.params: Mapping[str, object] = params
        self.fields = tuple(fields)
        super().__init__(self.code, dict(params))


class InputError(BellwetherError):
    """The request cannot be understood."""

    status, code = 422, "invalid_input"


class TooLarge(InputError):
    """The request is larger than the limit: `limit` and `size` in bytes or items."""

    status, code = 413, "too_large"


class UnsupportedMedia(InputError):
    """The media type of the request is not read here."""

    status, code = 415, "unsupported_media"


class NotFound(BellwetherError):
    """There is no such thing, or not for this viewer: `noun` and `id`."""

    status, code = 404, "not_found"


class Conflict(BellwetherError):
    """The thing has changed, or the order of steps does not allow this one."""

    status, code = 409, "conflict"


class Stale(Conflict):
    """An edit was based on an older version: `noun`, `id`, `version` now in force."""

    status, code = 412, "stale"


class NotAllowed(BellwetherError):
    """The viewer's role or token does not include `permission`."""

    status, code = 403, "not_allowed"


class NotSignedIn(NotAllowed):
    """Nobody is signed in, or the token is unknown, expired or revoked."""

    status, code = 401, "not_signed_in"


class TaskMissing(BellwetherError):
    """The model in force has no such `task`."""

    status, code = 424, "task_missing"


class Overloaded(BellwetherError):
    """The queue is full: try again after `retry_after` seconds."""

    status, code = 429, "overloaded"


class NotReady(BellwetherError):
    """The model or the database is not ready."""

    status, code = 503, "not_ready"


class ArtifactMissing(NotReady):
    """No artifact was found in `folder`."""

    code = "artifact_missing"


class ArtifactDamaged(NotReady):
    """The artifact in `folder` failed its check at `file`: `reason`."""

    code = "artifact_damaged"


class DatabaseBusy(NotReady):
    """Another writer held the database for longer than the busy timeout."""

    code = "database_busy"


class DeadlineExceeded(NotReady):
    """The answer would come after the caller's deadline."""

    code = "deadline_exceeded"


class OutgoingError(BellwetherError):
    """The other side of an outgoing call failed: `url`, `reason`."""

    status, code = 502, "outgoing_failed"


class OutgoingRefused(OutgoingError):
    """The address of an outgoing call is not public."""

    code = "outgoing_refused"


class SettingError(BellwetherError):
    """The setting `name` has the unusable value `value` and not the `expected` one.

    Its text is the sentence itself: it stops the start, before there is a reader's language.
    """

    status, code = 500, "bad_setting"

    def __str__(self) -> str:
        return "{name} is {value!r}, which is not a {expected}.".format(**self.params)


class UnknownSetting(SettingError):
    """No setting has this `name`; `nearest` is the most similar one, or empty."""

    code = "unknown_setting"

    def __str__(self) -> str:
        meant = self.params["nearest"]
        hint = f"Did you mean {meant}?" if meant else "`flask --app wsgi settings` lists them."
        return f"{self.params['name']} is no setting. {hint}"
