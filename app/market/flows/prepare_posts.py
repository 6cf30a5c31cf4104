"""Posts prepared for storing: cleaned, and read by the model; the next ones while the last are being stored."""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from itertools import chain, islice

from app.core import clock
from app.core.errors import BellwetherError, InputError, NotReady, Overloaded, TaskMissing
from app.core.quarantine import keep_in_quarantine
from app.core.services import Services
from app.core.text.cleaning import clean, shown
from app.core.text.file_rows import RowFault
from app.market.decide.mention_finding import Gazetteer
from app.market.domain.market import Feed, Post, PostDraft, PostResult, Span
from app.market.flows import learn_topic
from app.market.flows.build_gazetteer import gazetteer
from app.market.flows.judge_post import Judged, judge
from app.market.store import posts

LOG = logging.getLogger(__name__)
CHUNK = 64
"""Posts that are stored in one transaction: about 50 ms, so that agents who write at the same time hardly wait."""

CHUNKS_AT_ONCE = 4
"""Chunks that the model reads together: short texts fill its batches better in company."""

READINGS_AHEAD = 2
"""So many such readings are under way while chunks are stored, so that neither waits when the other takes longer."""

LONGEST_TITLE = 1000
LONGEST_TEXT = 20_000


@dataclass(frozen=True, kw_only=True)
class PreparedPost:
    """A draft with everything that is known before a transaction begins.

    `judged` is what the model says of it, None: it waits for the model. `topic_ids` are the topics whose examples mean
    the same.
    """

    number: int
    draft: PostDraft
    title: str
    body: str
    text: str
    occurred_at: int
    spans: tuple[Span, ...]
    judged: Judged | None = None
    topic_ids: frozenset[int] = frozenset()

    @property
    def external_id(self) -> str:
        """The id that the feed gives it."""
        return self.draft.external_id

    def is_news(self, known: Post | None) -> bool:
        """Return True unless the post with this external id says the same already."""
        if known is None:
            return True
        is_moved = self.draft.occurred_at is not None and self.occurred_at != known.occurred_at
        return is_moved or (known.title, known.body, known.url) != (self.title, self.body, self.draft.url)


@dataclass(kw_only=True)
class Chunk:
    """Rows that are stored together, by number: `faults`, and the external ids of those that a later row `repeated`.

    `error` came instead of the rows that would follow.
    """

    numbers: list[int]
    faults: dict[int, PostResult] = field(default_factory=dict)
    repeated: dict[int, str] = field(default_factory=dict)
    posts: list[PreparedPost] = field(default_factory=list)
    error: Exception | None = None


def prepared_chunks(services: Services, feed: Feed, drafts: Iterable[PostDraft | RowFault]) -> Iterator[Chunk]:
    """Yield the drafts of a feed in their order, ready to be stored."""
    groups = _groups(_cleaned_chunks(services, drafts))
    first, second = next(groups, None), next(groups, None)
    if first is not None and second is None:
        yield from _read(services, feed, first)
    elif first is not None and second is not None:
        with ThreadPoolExecutor(max_workers=READINGS_AHEAD, thread_name_prefix="reading") as pool:
            yield from _read_ahead(services, feed, chain([first, second], groups), pool=pool)


def _read_ahead(
    services: Services, feed: Feed, groups: Iterable[list[Chunk]], *, pool: ThreadPoolExecutor
) -> Iterator[Chunk]:
    readings: deque[Future[list[Chunk]]] = deque()
    for group in groups:
        readings.append(pool.submit(_read_in_thread, services, feed, group))
        if len(readings) > READINGS_AHEAD:
            yield from readings.popleft().result()
    while readings:
        yield from readings.popleft().result()


def _read_in_thread(services: Services, feed: Feed, group: list[Chunk]) -> list[Chunk]:
    """Read in a thread that may end any time: its connection goes back at once."""
    try:
        return _read(services, feed, group)
    finally:
        services.db.release()


def _groups(chunks: Iterator[Chunk]) -> Iterator[list[Chunk]]:
    while group := list(islice(chunks, CHUNKS_AT_ONCE)):
        yield group


def _cleaned_chunks(services: Services, drafts: Iterable[PostDraft | RowFault]) -> Iterator[Chunk]:
    """Yield chunks up to the end, or to the error that the drafts end with."""
    numbered = enumerate(drafts, start=1)
    error: Exception | None = None
    while error is None:
        some: list[tuple[int, PostDraft | RowFault]] = []
        try:
            some.extend(islice(numbered, CHUNK))
        except Exception as found:
            error = found
        if some or error:
            yield _cleaned_chunk(services, some, error=error)
        if len(some) < CHUNK:
            return


def _cleaned_chunk(
    services: Services, numbered: Sequence[tuple[int, PostDraft | RowFault]], *, error: Exception | None
) -> Chunk:
    chunk = Chunk(numbers=[number for number, _ in numbered], error=error)
    names = gazetteer(services)
    latest: dict[str, PreparedPost] = {}
    for number, draft in numbered:
        found = _cleaned_or_failed(draft, number=number, names=names)
        if isinstance(found, PostResult):
            chunk.faults[number] = found
            continue
        earlier = latest.get(found.external_id)
        latest[found.external_id] = found
        if earlier is not None:
            # Twice in one chunk: the last word counts, and the earlier row is answered like it.
            chunk.repeated[earlier.number] = found.external_id
    chunk.posts.extend(latest.values())
    return chunk


def _cleaned_or_failed(draft: PostDraft | RowFault, *, number: int, names: Gazetteer) -> PreparedPost | PostResult:
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
            return _cleaned(draft, number=number, names=names)
    except InputError as error:
        return failed(draft, number=number, error=error)


def failed(draft: PostDraft, *, number: int, error: BellwetherError) -> PostResult:
    """Return what became of a draft that could not be stored."""
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


def _cleaned(draft: PostDraft, *, number: int, names: Gazetteer) -> PreparedPost:
    title = " ".join(shown(draft.title).split())[:LONGEST_TITLE]
    body = shown(draft.body)[:LONGEST_TEXT]
    text = _text(title, clean(body))
    if not text:
        raise InputError("empty_text")
    now = clock.now_ms()
    return PreparedPost(
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


def _read(services: Services, feed: Feed, group: list[Chunk]) -> list[Chunk]:
    """Read with the model the posts that say something new; all of them wait for it when it cannot be asked now."""
    fresh = [one for chunk in group for one in _fresh(services, feed, chunk)]
    languages = {one.text: feed.language for one in fresh} if feed.language else None
    try:
        judged = judge(services, [(one.text, one.spans) for one in fresh], languages=languages)
    except (NotReady, Overloaded, TaskMissing) as error:
        LOG.info("%d posts wait for the model: %s", len(fresh), error.code)
        return group
    except Exception:
        # One text that the model stumbles over is stored like any other, and so are those that came with it.
        LOG.exception("%d posts wait for the model", len(fresh))
        return group
    alike = learn_topic.topics_of_texts(services, [one.text for one in fresh])
    answers = zip(fresh, judged, alike, strict=True)
    read = {one.number: replace(one, judged=verdict, topic_ids=topic_ids) for one, verdict, topic_ids in answers}
    for chunk in group:
        chunk.posts = [read.get(one.number, one) for one in chunk.posts]
    return group


def _fresh(services: Services, feed: Feed, chunk: Chunk) -> list[PreparedPost]:
    """The posts that are not stored already: what changes until they are is left for the model to read later."""
    known = posts.of_feed(services.db, feed.id, external_ids=[one.external_id for one in chunk.posts])
    return [one for one in chunk.posts if one.is_news(known.get(one.external_id))]
