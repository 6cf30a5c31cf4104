"""Language detection: the language of a text, and whether it is certain enough to act on."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

_NOT_LANGUAGE = re.compile(r"https?://\S+|www\.\S+|\[(?:card|iban|email|phone)\]|[@#$]\w+|\S+@\S+", re.I)
_LETTERS = re.compile(r"[^\W\d_]+")
_LONGEST = 4000  # characters looked at; more does not change the answer

# Letters of these ranges say alone that a text is not in a language of Latin script.
_SCRIPTS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("ko", re.compile(r"[\u1100-\u11ff\uac00-\ud7af]")),
    ("zh", re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")),
    ("ru", re.compile(r"[\u0400-\u04ff]")),
    ("el", re.compile(r"[\u0370-\u03ff]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("hi", re.compile(r"[\u0900-\u097f]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
)
# Languages of Latin script that customers write in; fewer candidates make short texts surer.
_LATIN = ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "da", "no", "fi", "cs", "ro", "hu", "tr", "id", "vi",
          "hr", "sk")  # fmt: skip
_FEWEST_LETTERS, _FEWEST_WORDS, _SURE = 20, 4, 0.9


@dataclass(frozen=True, kw_only=True)
class Language:
    """An ISO 639-1 code, or `und` when it cannot be told; only a certain one may refuse a text."""

    code: str
    is_certain: bool


def detect(text: str) -> Language:
    """Return the language of `text`; a short or doubtful text is `und` and not certain."""
    words = _LETTERS.findall(_NOT_LANGUAGE.sub(" ", text[:_LONGEST]))
    letters = "".join(words)
    script = _script(letters)
    if script:
        return Language(code=script, is_certain=True)
    if len(words) < _FEWEST_WORDS or len(letters) < _FEWEST_LETTERS:
        return Language(code="und", is_certain=False)
    # Headlines in capitals read as rare languages; small letters are what the identifier has seen most.
    code, probability = _identifier().classify(" ".join(words).lower())
    return Language(code=str(code), is_certain=True) if probability >= _SURE else Language(code="und", is_certain=False)


def _script(letters: str) -> str | None:
    if letters.isascii():
        return None
    counts = Counter({code: len(pattern.findall(letters)) for code, pattern in _SCRIPTS})
    if counts.total() < 4 or counts.total() < 0.5 * len(letters):
        return None
    if counts["ja"] >= 0.1 * counts.total():
        return "ja"
    return counts.most_common(1)[0][0]


@cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    whole = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    whole.set_languages(list(_LATIN))
    # Made anew of the chosen languages alone: the whole table of 142 would stay in memory (25 MB).
    chosen = (whole.nb_ptc, whole.nb_pc, whole.nb_classes, whole.tk_nextmove, whole.tk_output)
    return LanguageIdentifier(*chosen, norm_probs=True, tk_row=whole.tk_row)
