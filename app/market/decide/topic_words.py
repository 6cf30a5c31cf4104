"""The analysts' own topics found in a text by their words: one expression for each topic, made once."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence

from app.market.domain.topic import OwnTopic

_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
"""Scripts that put no space between words: there a phrase counts wherever it stands."""


def normal(text: str) -> str:
    """Return the text as it is searched: compatible characters made one, without case, one space between words."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


class Matcher:
    """Finds the topics that a text has."""

    def __init__(self, topics: Iterable[OwnTopic]) -> None:
        self._topics = [(one.id, _expression(one.words), _expression(one.without)) for one in topics if one.is_active]

    def find(self, text: str, *, alike: Collection[int] = ()) -> frozenset[int]:
        """Return the ids of the topics that this text has; `alike` are those whose examples mean the same."""
        if not self._topics:
            return frozenset()
        searched = normal(text)
        return frozenset(
            topic_id
            for topic_id, words, without in self._topics
            if (topic_id in alike or _says(words, searched)) and not _says(without, searched)
        )


def _says(wanted: re.Pattern[str] | None, searched: str) -> bool:
    return wanted is not None and wanted.search(searched) is not None


def _expression(phrases: Sequence[str]) -> re.Pattern[str] | None:
    found = [_phrase(normal(one)) for one in phrases if normal(one).strip("* ")]
    return re.compile("|".join(found)) if found else None


def _phrase(phrase: str) -> str:
    words = [re.escape(word).replace(r"\*", r"\w*") for word in phrase.split(" ")]
    # Hyphens and spaces between the words of a phrase are the same.
    whole = r"[\s\-]+".join(words)
    return whole if _UNSPACED.search(phrase) else rf"(?<!\w){whole}(?!\w)"
