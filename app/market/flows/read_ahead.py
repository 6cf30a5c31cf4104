"""Posts on their way in: rows prepared and read by the model, the next ones while the last are being stored."""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from itertools import chain, islice
from typing import Literal

from app.core import clock
from app.core.errors import BellwetherError, InputError, NotReady, Overloaded, TaskMissing
from app.core.quarantine import keep_in_quarantine
from app.core.quarantine.arrival import ItemForm
from app.core.services import Services
from app.core.text.cleaning import clean, shown
from app.core.text.file_rows import RowFault
from app.market.decide.mention_finding import Gazetteer
from app.market.domain.market import Feed, Post, PostDraft, Span
from app.market.flows import learn_topic
from app.market.flows.build_gazetteer import gazetteer
from app.market.flows.judge_post import Judged, judge
from app.market.store import posts

LOG = logging.getLogger(__name__)
CHUNK = 64
"""Posts that are stored in one transaction: about 50 ms, so that agents who write at the same time hardly wait."""

CHUNKS_AT_ONCE = 4
"""Chunks that the model reads together: short texts fill its rows better in company."""

READ_AHEAD = 2
"""So many such readings are under way while chunks are stored, so that neither waits when the other takes longer."""

LONGEST_TITLE = 1000
LONGEST_TEXT = 20_000

State = Literal["created", "updated", "unchanged", "failed"]
Numbered = Sequence[tuple[int, PostDraft | RowFault]]


@dataclass(frozen=True, kw_only=True)
class PostResult:
    """What became of one row: `error` is a code with `params` when it failed, `row` counts rows from 1.

    A row that failed has its `raw` form, where it was read out of a file or a feed.
    """

    external_id: str
    id: int | None
    state: State
    error: str | None = None
    params: Mapping[str, object] = field(default_factory=dict)
    row: int = 0
    raw: str = field(default="", compare=False, repr=False)
    form: ItemForm = field(default="jsonl", compare=False, repr=False)


def failed(draft: PostDraft, *, number: int, error: BellwetherError) -> PostResult:
    """What became of a draft that could not be stored."""
    code, params = keep_in_quarantine.reason(error)
    return PostResult(
        external_id=draft.external_id,
        id=None,
        state="failed",
        error=code,
        params=params,
        row=number,
        raw=json.dumps(asdict(draft), ensure_ascii=False),
        form="draft",
    )


@dataclass(frozen=True, kw_only=True)
class Row:
    """A draft with everything that is known before a transaction begins."""

    number: int
    draft: PostDraft
    title: str
    body: str
    text: str
    occurred_at: int
    spans: tuple[Span, ...]

    def is_same(self, was: Post) -> bool:
        """Whether it says nothing that the post of this external id does not say."""
        moved = self.draft.occurred_at is not None and self.occurred_at != was.occurred_at
        return (was.title, was.body, was.url) == (self.title, self.body, self.draft.url) and not moved


@dataclass(kw_only=True)
class Chunk:
    """Rows that are stored together, by number: `faults`, and the external ids of those that a later row `repeated`.

    `judged` is what the model says of a row, by number; a row that is missing there waits for the model. `alike` are
    the topics whose examples mean what a row means. `error` came instead of the rows that would follow.
    """

    numbers: list[int]
    faults: dict[int, PostResult] = field(default_factory=dict)
    repeated: dict[int, str] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    judged: dict[int, Judged] = field(default_factory=dict)
    alike: dict[int, frozenset[int]] = field(default_factory=dict)
    error: Exception | None = None


def chunks(services: Services, feed: Feed, drafts: Iterable[PostDraft | RowFault]) -> Iterator[Chunk]:
    """Drafts of a feed in their order, ready to be stored."""
    several = _several(_prepared(services, drafts))
    first, second = next(several, None), next(several, None)
    if first is None:
        return
    if second is None:
        yield from _read(services, feed, first)
        return
    with ThreadPoolExecutor(max_workers=READ_AHEAD, thread_name_prefix="reading") as pool:
        yield from _overlapped(services, feed, chain([first, second], several), pool=pool)


def _overlapped(
    services: Services, feed: Feed, several: Iterable[list[Chunk]], *, pool: ThreadPoolExecutor
) -> Iterator[Chunk]:
    reading: deque[Future[list[Chunk]]] = deque()
    for some in several:
        reading.append(pool.submit(_read_aside, services, feed, some))
        if len(reading) > READ_AHEAD:
            yield from reading.popleft().result()
    while reading:
        yield from reading.popleft().result()


def _read_aside(services: Services, feed: Feed, several: list[Chunk]) -> list[Chunk]:
    """Read in a thread that may end any time: its connection goes back at once."""
    try:
        return _read(services, feed, several)
    finally:
        services.db.release()


def _several(found: Iterator[Chunk]) -> Iterator[list[Chunk]]:
    while some := list(islice(found, CHUNKS_AT_ONCE)):
        yield some


def _prepared(services: Services, drafts: Iterable[PostDraft | RowFault]) -> Iterator[Chunk]:
    """Chunks up to the end, or to the error that the drafts end with."""
    numbered = enumerate(drafts, start=1)
    error: Exception | None = None
    while error is None:
        some: list[tuple[int, PostDraft | RowFault]] = []
        try:
            some.extend(islice(numbered, CHUNK))
        except Exception as found:
            error = found
        if some or error:
            yield _chunk(services, some, error=error)
        if len(some) < CHUNK:
            return


def _chunk(services: Services, numbered: Numbered, *, error: Exception | None) -> Chunk:
    found = Chunk(numbers=[number for number, _ in numbered], error=error)
    names = gazetteer(services)
    latest: dict[str, Row] = {}
    for number, draft in numbered:
        row = _row_alone(draft, number=number, names=names)
        if isinstance(row, PostResult):
            found.faults[number] = row
            continue
        earlier = latest.get(row.draft.external_id)
        latest[row.draft.external_id] = row
        if earlier is not None:
            # Twice in one chunk: the last word counts, and the earlier row is told so.
            found.repeated[earlier.number] = row.draft.external_id
    found.rows.extend(latest.values())
    return found


def _row_alone(draft: PostDraft | RowFault, *, number: int, names: Gazetteer) -> Row | PostResult:
    if isinstance(draft, RowFault):
        return PostResult(
            external_id="",
            id=None,
            state="failed",
            error=draft.code,
            params=draft.params,
            row=number,
            raw=draft.raw,
            form=draft.form,
        )
    try:
        with keep_in_quarantine.isolating_parser():
            return _row(draft, number=number, names=names)
    except InputError as error:
        return failed(draft, number=number, error=error)


def _row(draft: PostDraft, *, number: int, names: Gazetteer) -> Row:
    title = " ".join(shown(draft.title).split())[:LONGEST_TITLE]
    body = shown(draft.body)[:LONGEST_TEXT]
    text = _text(title, clean(body))
    if not text:
        raise InputError("empty_text")
    now = clock.now_ms()
    return Row(
        number=number,
        draft=draft,
        title=title or text[:LONGEST_TITLE],
        body=body,
        text=text,
        occurred_at=now if draft.occurred_at is None else min(draft.occurred_at, now),
        spans=names.find(text),
    )


def _text(title: str, body: str) -> str:
    if not body or body.lower().startswith(title.lower()):
        return (body or title).strip()
    return f"{title}\n{body}".strip()


def _read(services: Services, feed: Feed, several: list[Chunk]) -> list[Chunk]:
    """Let the model read the rows that say something new; none of them is judged when it cannot be asked now."""
    fresh = [(chunk, row) for chunk in several for row in _fresh(services, feed, chunk)]
    languages = {row.text: feed.language for _, row in fresh} if feed.language else None
    try:
        judged = judge(services, [(row.text, row.spans) for _, row in fresh], languages=languages)
    except (NotReady, Overloaded, TaskMissing) as error:
        LOG.info("%d posts wait for the model: %s", len(fresh), error.code)
        return several
    except Exception:
        # One text that the model stumbles over is stored like any other, and so are those that came with it.
        LOG.exception("%d posts wait for the model", len(fresh))
        return several
    alike = learn_topic.alike(services, [row.text for _, row in fresh])
    for (chunk, row), one, topics in zip(fresh, judged, alike, strict=True):
        chunk.judged[row.number], chunk.alike[row.number] = one, topics
    return several


def _fresh(services: Services, feed: Feed, chunk: Chunk) -> list[Row]:
    """The rows that are not stored already: what changes until they are is left for the model to read later."""
    known = posts.of_feed(services.db, feed.id, external_ids=[row.draft.external_id for row in chunk.rows])
    return [
        row for row in chunk.rows if row.draft.external_id not in known or not row.is_same(known[row.draft.external_id])
    ]
