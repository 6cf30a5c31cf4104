"""Mail boilerplate around a request, as a label-preserving augmentation: greeting, small talk, thanks, signature.

The corpora hold bare requests, real mail and chat does not. A request keeps its label when boilerplate is put around
it, so that a model which sees both forms learns to ignore the boilerplate (compare the invariance tests of CheckList,
Ribeiro et al. 2020, arXiv:2005.04118).
"""

from __future__ import annotations

import random

OPENINGS = (
    "Hi,", "Hello,", "Hello there,", "Hey", "Dear team,", "Good morning,", "Hi team,", "Dear Sir or Madam,", "hi!",
    "Good evening,", "Hello support,", "To whom it may concern,",
)  # fmt: skip
CONTEXTS = (
    "I have been a customer for years.",
    "I hope you are well.",
    "Sorry to bother you again.",
    "I could not find an answer on your website.",
    "I wrote about this yesterday as well.",
    "It is the first time I contact you.",
    "I am writing from my phone, so please excuse typos.",
    "My wife usually does this, but she is away.",
    "quick question:",
    "I already tried the app.",
)
CLOSINGS = (
    "Thanks", "Thank you!", "Many thanks in advance.", "Please let me know.", "Thanks for your help.", "thx",
    "Looking forward to your answer.", "Cheers", "Kind regards,", "Best regards,", "Please reply soon.", "Regards",
)  # fmt: skip
NAMES = ("Anna", "J. Whitfield", "Tom", "Mrs Okafor", "Peter Lund", "M. Rossi", "Sam", "Aoife", "K. Patel", "Lena B.")
SHARE = 0.15


def add_boilerplate(text: str, *, seed: str) -> str:
    """Return the text with at least one piece of boilerplate, chosen by the seed."""
    draw = random.Random(seed)
    before = [draw.choice(OPENINGS)] if draw.random() < 0.65 else []
    before += [draw.choice(CONTEXTS)] if draw.random() < 0.35 else []
    after = [draw.choice(CLOSINGS)] if draw.random() < 0.6 or not before else []
    after += [draw.choice(NAMES)] if after and draw.random() < 0.5 else []
    gap = draw.choice((" ", "\n", "\n\n"))
    return gap.join([*before, text, *after])


def gets_boilerplate(seed: str) -> bool:
    """True for 15 % of all seeds: the training rows that get boilerplate."""
    return random.Random(f"envelope/{seed}").random() < SHARE
