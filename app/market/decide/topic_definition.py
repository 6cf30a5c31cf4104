"""The limits of a topic that an analyst defines: its title, its words and its examples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.core.errors import FieldError, InputError
from app.core.nouns import Fields
from app.market.decide.topic_words import normal
from app.market.domain.topic import (
    FEWEST_EXAMPLES,
    LONGEST_EXAMPLE,
    LONGEST_TITLE,
    LONGEST_WORD,
    MOST_EXAMPLES,
    MOST_WORDS,
    SHORTEST_WORD,
    WIDEST_REACH,
    OwnTopic,
)


def check_definition(given: Fields, *, was: OwnTopic | None = None) -> Fields:
    """Return the fields of a topic with single spaces and nothing twice; raises InputError.

    A topic needs words or examples: those that are not given are those of the topic as it `was`.
    """
    found = dict(given)
    if "title" in found:
        found["title"] = " ".join(str(found["title"]).split())
        if len(found["title"]) > LONGEST_TITLE:
            raise InputError("too_long", limit=LONGEST_TITLE)
    for name, check in (("words", _words), ("without", _words), ("examples", _examples), ("unlike", _examples)):
        if name in found:
            found[name] = check(found[name], name=name)
    if "reach" in found and not 0 < float(found["reach"]) <= WIDEST_REACH:
        raise _fault("reach", "bad_reach", limit=WIDEST_REACH)
    _check_enough(*(found.get(name, getattr(was, name, ())) for name in ("words", "examples")))
    return found


def _check_enough(words: Sequence[str], examples: Sequence[str]) -> None:
    if not words and not examples:
        raise _fault("words", "topic_without_words")
    if examples and len(examples) < FEWEST_EXAMPLES:
        raise _fault("examples", "too_few_examples", limit=FEWEST_EXAMPLES)


def _words(given: Iterable[str], *, name: str) -> tuple[str, ...]:
    found = _distinct(given)
    if len(found) > MOST_WORDS:
        raise InputError("too_many_words", limit=MOST_WORDS)
    for phrase in found:
        bare = normal(phrase).replace("*", "").strip()
        # A single Chinese character is a word; a single letter is in every text.
        if len(phrase) > LONGEST_WORD or len(bare) < (SHORTEST_WORD if bare.isascii() else 1):
            raise _fault(name, "bad_word", word=phrase[:40])
    return found


def _examples(given: Iterable[str], *, name: str) -> tuple[str, ...]:
    found = _distinct(given)
    if len(found) > MOST_EXAMPLES:
        raise InputError("too_many_examples", limit=MOST_EXAMPLES)
    if any(len(text) > LONGEST_EXAMPLE for text in found):
        raise _fault(name, "too_long", limit=LONGEST_EXAMPLE)
    return found


def _distinct(given: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for one in given if (text := " ".join(str(one).split()))))


def _fault(field: str, code: str, **params: object) -> InputError:
    return InputError(code, fields=[FieldError(pointer=f"/{field}", code=code)], **params)
