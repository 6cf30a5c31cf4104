"""Items that came in and could not be filed: a mail, a row of a file, a post."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

ItemKind = Literal["mail", "ticket", "post", "record"]
ItemForm = Literal["eml", "csv", "jsonl", "rss", "draft"]
ItemState = Literal["waiting", "filed", "discarded"]


@dataclass(frozen=True, kw_only=True)
class _Item:
    kind: ItemKind
    form: ItemForm
    source: str
    mailbox_id: int | None = None
    uid_validity: int | None = None
    uid: int | None = None
    feed_id: int | None = None
    ticket_file_id: int | None = None
    row: int | None = None
    user_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Arrival(_Item):
    """An item that could not be filed: a mail, a ticket of a file, a post, or a record of another desk.

    `source` names its origin for people, `place` for the program: the same bytes from the same place are kept once.
    `raw` is None for a mail that is too large to be fetched and stays in its mailbox. `user_id` is who sent it in.
    """

    place: str
    raw: bytes | None


@dataclass(frozen=True, kw_only=True)
class Quarantined(_Item):
    """An arrival in quarantine: `code` with `params` is the reason, `size` that of the raw form in bytes.

    The raw form is cut or absent unless `is_whole`.
    """

    id: int
    code: str
    at: int
    params: Mapping[str, object] = field(default_factory=dict)
    size: int = 0
    is_whole: bool = False
    n_tries: int = 0
    tried_at: int | None = None
    state: ItemState = "waiting"
