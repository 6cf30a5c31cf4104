"""Macros, articles and drafts: the material of answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class MacroAction:
    """A change that a macro makes besides its text: `set_status`, `add_tag` or `route`, with a value."""

    type: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Macro:
    """A reply template with `{{ placeholders }}`, the intents it answers, and actions."""

    id: int
    name: str
    body: str
    intents: tuple[str, ...] = ()
    actions: tuple[MacroAction, ...] = ()
    n_used: int = 0
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class Article:
    """A page of the knowledge base; `body` is Markdown."""

    id: int
    slug: str
    title: str
    body: str
    intents: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    updated_at: int = 0
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class Passage:
    """A part of an article that can be quoted."""

    article_id: int
    ordinal: int
    heading: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Hit:
    """An article found for a question: fused score, rank in each list (None: not found there), best passage."""

    article_id: int
    title: str
    slug: str
    score: float
    text_rank: int | None
    vector_rank: int | None
    similarity: float
    passage: str


Verdict = Literal["accepted", "edited", "rejected"]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """An agent's use of a macro or a draft on a ticket; `kept` is the share (0–1) of its words that were sent."""

    ticket_id: int
    user_id: int | None
    kind: Literal["macro", "draft"]
    macro_id: int | None
    intent: str
    verdict: Verdict
    kept: float
    message_id: int | None
    at: int


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Outcomes of a suggestion: the number of each verdict, and the sum of the shares of its words that were kept."""

    n_accepted: int = 0
    n_edited: int = 0
    n_rejected: int = 0
    kept: float = 0.0

    @property
    def n(self) -> int:
        """The number of all outcomes."""
        return self.n_accepted + self.n_edited + self.n_rejected


@dataclass(frozen=True, kw_only=True)
class MacroSuggestion:
    """A macro offered for a ticket: filled text, the placeholders still empty, and why it is offered."""

    macro: Macro
    filled: str
    missing: tuple[str, ...]
    score: float
    reason: str


@dataclass(frozen=True, kw_only=True)
class DraftSentence:
    """One sentence of a draft with the article or macro it comes from."""

    text: str
    source_kind: str
    source_id: int


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A composed reply, every sentence with its source; no sentences when nothing good enough was found."""

    sentences: tuple[DraftSentence, ...] = field(default_factory=tuple)
    confidence: float = 0.0

    @property
    def text(self) -> str:
        """The draft as it would be sent."""
        return "\n\n".join(sentence.text for sentence in self.sentences)
