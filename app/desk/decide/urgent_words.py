"""The words of a message that make it urgent, in groups: a group counts once however many of its words are there."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Signal:
    """A group of words: the code that names it as a reason, its points, and what finds it."""

    code: str
    points: int
    pattern: re.Pattern[str]


def _any_of(*phrases: str, flags: re.RegexFlag = re.IGNORECASE) -> re.Pattern[str]:
    spaced = "|".join(phrase.replace("'", "[’']").replace(" ", r"\s+") for phrase in phrases)
    return re.compile(rf"\b(?:{spaced})\b", flags)


NO_HURRY_POINTS = -10
NO_HURRY = _any_of(
    r"not (?:very |really |at all |that |so )?urgent",
    "isn't urgent",
    "no (?:rush|hurry)",
    r"when(?:ever)? you (?:have|get|find) (?:a |some |the )?(?:time|moment|minute|chance)",
)
SIGNALS: tuple[Signal, ...] = (
    Signal(
        "words_fraud",
        20,
        _any_of(
            r"fraud\w*",
            "stolen",
            "stole",
            "hacked",
            r"scam\w*",
            r"phish\w*",
            r"unauthori[sz]ed",
            "compromised",
            "identity theft",
            r"did(?:n't| not) (?:make|authori[sz]e) (?:this|that|these|those|the)",
        ),
    ),
    Signal(
        "words_legal",
        20,
        _any_of(
            "lawyers?",
            "attorneys?",
            "solicitors?",
            "lawsuit",
            "su(?:e|ing) (?:you|your|them)",
            "legal action",
            "(?:take|see) you (?:to|in) court",
            "ombudsman",
            "regulator",
            "small claims",
            "trading standards",
        ),
    ),
    Signal(
        "words_urgent",
        15,
        _any_of("urgent(?:ly)?", "emergency", "asap", "immediate(?:ly)?", "right (?:now|away)", "at once"),
    ),
    Signal("words_now", 10, _any_of("NOW", "TODAY", flags=re.NOFLAG)),
    Signal(
        "words_stuck",
        10,
        _any_of(
            "stranded",
            "locked out",
            r"can(?:'t|not| not) (?:pay|access|log ?in|get (?:any |my )?(?:cash|money))",
            "no access to my (?:money|account)",
        ),
    ),
    Signal(
        "words_repeat",
        10,
        _any_of(
            "(?:second|third|fourth|fifth|2nd|3rd|4th|5th) (?:time|e-?mail|message|request)",
            "still (?:waiting|no (?:answer|reply|response))",
            r"(?:nobody|no one) (?:has )?(?:answer|repl|respond)\w*",
            "(?:asked|written|contacted you|called) (?:twice|again|(?:several|many) times)",
        ),
    ),
    Signal(
        "words_deadline",
        8,
        _any_of(
            "(?:by|before|until) (?:today|tonight|tomorrow|noon|midnight|the (?:week)?end)",
            "(?:by|before|until) (?:mon|tues|wednes|thurs|fri|satur|sun)day",
            "deadline",
        ),
    ),
    Signal(
        "words_leaving",
        6,
        _any_of(
            "close my account",
            "cancel (?:my|the) (?:account|contract|membership|subscription)",
            "(?:switch|switching|moving|going) to (?:a |another |your )?(?:competitor|bank|provider|shop)",
        ),
    ),
)
