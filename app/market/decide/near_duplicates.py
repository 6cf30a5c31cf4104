"""Near-duplicates: one story in several wordings must not look like several stories."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache
from itertools import pairwise

_URL = re.compile(r"https?:\S+|www\.\S+|\bpic\.twitter\.com\S*", re.I)
_RETWEET = re.compile(r"^\W{0,3}(?:rt|mt|via)\s*@\w{1,50}\s*:?\s*", re.I)
_LABEL = re.compile(
    r"^\W{0,3}(?:(?:update|wrapup|corrected|refile|brief|exclusive|breaking(?: news)?|just in|alert|urgent|factbox|poll"
    r"|rpt|analysis|breakingviews|press digest|market talk|live)(?:\s*\d{1,2})?\s*[-:–—|]+\s*)",
    re.I,
)
_EDITOR_NOTE = re.compile(
    r"\((?:adds?|updates?|recasts?|corrects?|refiles?|repeats?|rewrites?|writes|new throughout)\b[^()]*\)", re.I
)
_SOURCE_END = re.compile(
    r"\s+(?:[-–—|]|//|via)\s+@?(?:(?:the\s)?(?:reuters|bloomberg|cnbc|wsj|wall street journal|financial times"
    r"|ft|marketwatch|barron'?s|ap|associated press|afp|bbc|cnn|forbes|fortune|yahoo!?(?:\sfinance)?"
    r"|seeking alpha|benzinga|motley fool|business insider|guardian|zerohedge|the street|thestreet|dow jones|nasdaq"
    r"|economic times|mint|techcrunch|the verge)(?:\snews)?"
    r"|(?-i:(?:[A-Z][\w'&]{0,20}\s){1,4}(?:Times|Post|Journal|News|Daily|Herald|Tribune|Chronicle|Wire|Gazette))"
    r"|[\w-]{2,30}(?:\.[a-z]{2,6}){1,2})\s*$",
    re.I,
)
_CUT_OFF = re.compile(r"\w(?:…|\.\.\.)$")
_TOKEN = re.compile(r"[^\W_]+(?:[.,'’][^\W_]+)*")
_DIRECTION_WORDS = """
    up down rise rises rose rising fall falls fell falling gain gains gained drop drops dropped jump jumps jumped
    slump slumps slumped beat beats beaten miss misses missed higher lower raise raises raised cut cuts above below
    upgrade upgrades upgraded downgrade downgrades downgraded buy sell win wins won lose loses lost
    approve approves approved reject rejects rejected no not never without
"""
_DIRECTIONS = frozenset(_DIRECTION_WORDS.split())
_FEWEST_TOKENS, _SIMILAR = 4, 0.8
_LONGEST = 2000  # characters compared
_LONGEST_TITLE = 300

Words = tuple[str, ...]


def story_key(title: str, body: str = "") -> str:
    """Return a fingerprint of what is said (32 hex digits), the same for every wording that differs only in form.

    Case, punctuation, addresses, `UPDATE 1-`, `(Adds …)`, `RT @x:` and a trailing source make no difference. The body
    counts only where the title says too little (fewer than 4 words).
    """
    words = _words(title)
    if len(words) < _FEWEST_TOKENS:
        words = words + _words(body)
    said = " ".join(words) or " ".join(f"{title} {body}".split())
    return hashlib.sha256(said.encode("utf-8", errors="replace")).hexdigest()[:32]


def is_same_story(a: str, b: str) -> bool:
    """Return True for near-duplicates: Jaccard of word pairs ≥ 0.8, and the same numbers and directions.

    "Shares rise 3 %" and "shares fall 3 %" share almost every word and are two stories.
    """
    first, second = _words(a), _words(b)
    if first == second:
        return bool(first) or a.split() == b.split()
    if min(len(first), len(second)) < _FEWEST_TOKENS or _facts(first) != _facts(second):
        return False
    return _shared(first, second) >= _SIMILAR


def _shared(a: Words, b: Words) -> float:
    """Jaccard similarity (0–1) of two texts' sets of neighbouring word pairs."""
    first, second = _pairs(a), _pairs(b)
    if not first or not second:
        return float(first == second)
    return len(first & second) / len(first | second)


def _words(text: str) -> Words:
    # Of a title its fingerprint is asked for, and then its likeness to every other that shares its words.
    return _title_words(text) if len(text) <= _LONGEST_TITLE else _read(text[:_LONGEST])


@lru_cache(maxsize=4096)
def _title_words(title: str) -> Words:
    return _read(title)


def _read(text: str) -> Words:
    text = unicodedata.normalize("NFKC", text)
    text, before = " ".join(_URL.sub(" ", text).split()), ""
    while text != before:
        before = text
        text = _SOURCE_END.sub("", _LABEL.sub("", _RETWEET.sub("", text)))
    text = _EDITOR_NOTE.sub(" ", text)
    words = tuple([word if word.isalnum() else _plain(word) for word in _TOKEN.findall(text.casefold())])
    # A text that was cut off ends in half a word.
    return words[:-1] if _CUT_OFF.search(text) and len(words) > _FEWEST_TOKENS else words


def _plain(word: str) -> str:
    word = word.replace("’", "'").removesuffix("'s")
    return word.replace(",", "") if word[0].isdigit() else word.replace(".", "").replace(",", "")


def _facts(words: Words) -> frozenset[str]:
    return frozenset(word for word in words if word[0].isdigit() or word in _DIRECTIONS)


def _pairs(words: Words) -> frozenset[tuple[str, str]]:
    return frozenset(pairwise(words))
