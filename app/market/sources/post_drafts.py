"""Posts as they come: RSS and Atom, CSV, JSON lines, and the API's JSON."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from typing import Any

import feedparser

from app.core.durations import DAY_MS
from app.core.errors import InputError
from app.core.text.cleaning import one_line, tidy
from app.core.text.decoding import decoded, is_wide
from app.core.text.file_rows import Lines, Row, RowFault, RowForm, csv_rows, json_rows, row_alone
from app.core.text.markup import is_markup, text_of
from app.core.text.times import Moment, moment
from app.market.domain.market import PostDraft

__all__ = ["COLUMNS", "RowFault", "from_csv", "from_json", "from_jsonl", "from_rss"]

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "title": ("title", "headline", "heading", "subject"),
    "text": ("text", "body", "content", "summary", "description", "tweet", "message", "full_text"),
    "published_at": ("published_at", "published_on", "published", "occurred_at", "created_at", "date", "datetime",
                     "pubdate", "pub_date", "timestamp", "time"),
    "url": ("url", "link", "href", "permalink"),
    "external_id": ("external_id", "id", "guid", "uid", "tweet_id", "post_id"),
    "author": ("author", "creator", "user", "username", "by", "source"),
}  # fmt: skip
_TEXT_COLUMNS = frozenset(COLUMNS["title"] + COLUMNS["text"])
_MAX_TITLE, _MAX_BODY, _MAX_ID, _MAX_URL = 400, 100_000, 500, 2000
_MAX_ENTRIES, _LONGEST_HEAD = 2000, 20_000
_LONGEST_DECLARATION = 500
_CHARSET = re.compile(rb"\s*<\?xml\s[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._:-]{1,40})[\"']")
_DECLARATION = re.compile(rf"\s*<\?xml\s[^>]{{0,{_LONGEST_DECLARATION}}}>")
_RSS, _ATOM = b"<rss version='2.0'><channel>", b"<feed xmlns='http://www.w3.org/2005/Atom'>"
_IN_UTF8 = '<?xml version="1.0" encoding="utf-8"?>\n'
_CHARACTER = re.compile(rb"&#([xX])?(?=[0-9a-fA-F])((?(1)[0-9a-fA-F]+|[0-9]+));?")
_ENTRY = re.compile(rb"<(?:\w{1,20}:)?(?:item|entry)[\s>/]", re.I)
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s|\n")


@dataclass(frozen=True, kw_only=True)
class _Item:
    """The values that become a draft, as a file or a feed has them."""

    title: object
    text: object
    url: object
    external_id: object
    author: object
    published_at: object = None


def from_csv(lines: Lines, *, zone: str = "UTC", now: int | None = None) -> Iterator[PostDraft | RowFault]:
    """Posts of a CSV file with a header; see COLUMNS for the names that are understood, in any order.

    Raises InputError when the file is empty or has neither a title nor a text column; bad rows come as RowFault.
    `zone` is meant by times that name none; times after `now` (ms) are not believed and left out.
    """
    return _drafts(csv_rows(lines, known=_TEXT_COLUMNS), form="csv", zone=zone, now=now)


def from_jsonl(lines: Lines, *, zone: str = "UTC", now: int | None = None) -> Iterator[PostDraft | RowFault]:
    """Posts of a file with one JSON object a line; bad lines come as RowFault."""
    return _drafts(json_rows(lines), form="jsonl", zone=zone, now=now)


def from_json(payload: object, *, zone: str = "UTC", now: int | None = None) -> Iterator[PostDraft | RowFault]:
    """Posts of the API: one object, an array, or `{"items": […]}`; a RowFault's row counts the items from 1."""
    items = payload.get("items", payload.get("posts", [payload])) if isinstance(payload, Mapping) else payload
    if not isinstance(items, list):
        raise InputError("not_an_object")
    rows: Iterator[Row | RowFault] = (
        (number, item) if isinstance(item, Mapping) else RowFault(row=number, code="not_an_object")
        for number, item in enumerate(items, start=1)
    )
    return _drafts(rows, form="jsonl", zone=zone, now=now)


def from_rss(raw: bytes, *, zone: str = "UTC", now: int | None = None) -> list[PostDraft | RowFault]:
    """Posts of an RSS or Atom document, however malformed; entries that say nothing are left out.

    An entry that cannot be read comes as a RowFault whose `raw` is a document of that entry alone. Raises InputError
    `not_a_feed` when it is none, or `unreadable` when its entries cannot be told apart.
    """
    raw = _CHARACTER.sub(_possible_character, _in_utf8(raw))
    try:
        return list(_entries(raw, zone=zone, now=now))
    except (InputError, MemoryError):
        raise
    except Exception:
        # feedparser fails as a whole on one odd value; its entries are read one by one then.
        return _one_by_one(raw, zone=zone, now=now)


def _in_utf8(raw: bytes) -> bytes:
    """The document in UTF-8 under a declaration that says so; feedparser takes cubic time over odd ones."""
    declared = None if is_wide(raw) else _CHARSET.match(raw[:_LONGEST_DECLARATION])
    text = decoded(raw, charset=declared[1].decode() if declared else None)
    return (_IN_UTF8 + text[_declared_to(text) :]).encode("utf-8", errors="replace")


def _declared_to(text: str) -> int:
    found = _DECLARATION.match(text)
    return found.end() if found else 0


def _entries(raw: bytes, *, zone: str, now: int | None) -> Iterator[PostDraft]:
    # A stream, never the bytes: feedparser takes a string for a path or an address to open.
    parsed = feedparser.parse(io.BytesIO(raw), sanitize_html=False, resolve_relative_uris=False)
    if not parsed.get("version") and not parsed.entries:
        raise InputError("not_a_feed")
    drafts = (_entry_draft(entry, zone=zone, now=now) for entry in parsed.entries[:_MAX_ENTRIES])
    return (draft for draft in drafts if draft is not None)


def _one_by_one(raw: bytes, *, zone: str, now: int | None) -> list[PostDraft | RowFault]:
    """The entries of a document, each read as if it were the only one."""
    starts = [found.start() for found in islice(_ENTRY.finditer(raw), _MAX_ENTRIES + 1)]
    if not starts:
        raise InputError("unreadable")
    head = raw[: starts[0]]
    if len(head) > _LONGEST_HEAD or not _is_sound(head):
        head = _ATOM if raw[starts[0] :].startswith(b"<entry") else _RSS
    found: list[PostDraft | RowFault] = []
    for number, (start, end) in enumerate(pairwise([*starts, len(raw)][: _MAX_ENTRIES + 1]), start=1):
        alone = head + raw[start:end]
        try:
            found += _entries(alone, zone=zone, now=now)
        except MemoryError:
            raise
        except Exception as error:
            found.append(replace(unreadable(number, error), raw=alone.decode("latin-1"), form="rss"))
    return found


def _is_sound(head: bytes) -> bool:
    try:
        list(_entries(head, zone="UTC", now=None))
    except InputError:
        return True
    except Exception:
        return False
    return True


def unreadable(number: int, error: Exception) -> RowFault:
    """The fault of a row that is read by nobody: what went wrong is for who mends the reader."""
    return RowFault(row=number, code="unreadable", params={"error": repr(error)[:200]})


def _possible_character(reference: re.Match[bytes]) -> bytes:
    """A character reference as it stands, or U+FFFD where no such character can exist."""
    digits = reference[2].lstrip(b"0") or b"0"
    number = int(digits[:9], 16 if reference[1] else 10)
    is_possible_character = len(digits) < 8 and 0 < number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF
    return reference[0] if is_possible_character else b"&#65533;"


def _drafts(
    rows: Iterable[Row | RowFault], *, form: RowForm, zone: str, now: int | None
) -> Iterator[PostDraft | RowFault]:
    for row in rows:
        if isinstance(row, RowFault):
            yield row
            continue
        draft = _draft_or_fault(row, zone=zone, now=now)
        yield draft if isinstance(draft, PostDraft) else replace(draft, raw=row_alone(row[1], form=form), form=form)


def _draft_or_fault(row: Row, *, zone: str, now: int | None) -> PostDraft | RowFault:
    try:
        return _row_draft(row[1], number=row[0], zone=zone, now=now)
    except MemoryError:
        raise
    except Exception as error:
        return unreadable(row[0], error)


def _row_draft(values: Mapping[str, Any], *, number: int, zone: str, now: int | None) -> PostDraft | RowFault:
    found = {name: _value(values, names=names) for name, names in COLUMNS.items()}
    wrong = next((name for name in ("title", "text") if not isinstance(found[name], str | int | float | None)), None)
    if wrong:
        return RowFault(row=number, code="not_text", params={"column": wrong})
    when = None
    if found["published_at"] is not None:
        when = moment(found["published_at"], zone=zone)
        if when is None:
            # Dated now instead, an old post would move today's series.
            return RowFault(row=number, code="not_a_time", params={"value": str(found["published_at"])[:100]})
    draft = _draft(_Item(**found), when=_unless_later(when, now=now))
    return draft or RowFault(row=number, code="empty")


def _value(values: Mapping[str, Any], *, names: tuple[str, ...]) -> Any:
    for name in names:
        value = values.get(name)
        if value is not None and value != "":
            return value
    return None


def _unless_later(when: Moment | None, *, now: int | None) -> Moment | None:
    if when is None or now is None:
        return when
    slack = DAY_MS if when.precision == "day" else 0  # today has begun elsewhere
    return None if when.at > now + slack else when


def _entry_draft(entry: Mapping[str, Any], *, zone: str, now: int | None) -> PostDraft | None:
    contents = [part.get("value", "") for part in entry.get("content", []) if isinstance(part, Mapping)]
    written = next((entry[name] for name in ("published", "updated", "created") if entry.get(name)), None)
    found = _Item(
        title=entry.get("title"),
        text=entry.get("summary") or next(filter(None, contents), None),
        url=entry.get("link"),
        external_id=entry.get("id") or entry.get("link"),
        author=entry.get("author"),
    )
    when = moment(written, zone=zone) or _parsed_time(entry, zone=zone)
    return _draft(found, when=_unless_later(when, now=now))


def _parsed_time(entry: Mapping[str, Any], *, zone: str) -> Moment | None:
    """The time that feedparser makes of a date in no usual form; it answers in UTC."""
    parts = entry.get("published_parsed") or entry.get("updated_parsed")
    if not parts:
        return None
    year, month, day, hour, minute, second = parts[:6]
    return moment(f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{min(second, 59):02}Z", zone=zone)


def _draft(found: _Item, *, when: Moment | None) -> PostDraft | None:
    title, body = _title_and_body(_plain(found.title), _plain(found.text)[:_MAX_BODY])
    if not title:
        return None
    given_id = one_line(str(found.external_id or ""), limit=10_000)
    if not given_id or len(given_id) > _MAX_ID:
        given_id = _content_id(given_id or f"{title}\n{body}", when=when)
    return PostDraft(
        external_id=given_id,
        title=title,
        body=body,
        url=_web_address(found.url),
        author=one_line(str(found.author or ""), limit=200) or None,
        occurred_at=when.at if when else None,
        precision=when.precision if when else "second",
    )


def _plain(value: object) -> str:
    text = tidy("" if value is None else str(value)).strip()
    return text_of(text).strip() if is_markup(text) else text


def _title_and_body(title: str, text: str) -> tuple[str, str]:
    """A title on one line, and what the text adds to it; a post without a title begins with its first sentence."""
    title = " ".join(title.split())
    if not title or len(title) > _MAX_TITLE:
        whole = f"{title}\n{text}".strip()
        cut = _SENTENCE_END.search(whole, 20)
        at = cut.start() if cut and cut.start() <= _MAX_TITLE and len(whole) > _MAX_TITLE else _word_end(whole)
        return " ".join(whole[:at].split()), whole[at:].strip()
    flat = " ".join(text.split())
    if flat.lower().startswith(title.lower()) and len(flat) < len(title) + 40:
        return title, ""
    return title, text


def _word_end(text: str) -> int:
    if len(text) <= _MAX_TITLE:
        return len(text)
    space = text.rfind(" ", _MAX_TITLE // 2, _MAX_TITLE)
    return space if space > 0 else _MAX_TITLE


def _content_id(content: str, *, when: Moment | None) -> str:
    """An id made of the content and its day: copies within a day are one post, a yearly headline is not."""
    day = when.at // DAY_MS if when else ""
    key = json.dumps([" ".join(content.lower().split()), day])
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()[:32]


def _web_address(value: object) -> str | None:
    """An http or https address; anything else (`javascript:`, relative paths) is no link to offer."""
    text = str(value or "").strip()
    is_web = re.match(r"https?://[^\s\"'<>\\^`{|}\x00-\x20]+$", text, re.I)
    return text if is_web and len(text) <= _MAX_URL else None
