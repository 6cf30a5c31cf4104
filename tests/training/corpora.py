"""Small corpora of the tests' own, in the form of the ten that the product is trained on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]

_BANKING = {
    "card_arrival": ("my new card has not come", "when will the card come", "card is late in the mail"),
    "lost_or_stolen_card": ("i lost my card", "my card was stolen today", "someone stole the card"),
    "exchange_rate": ("what rate do you use", "your exchange rate is wrong", "is the rate of today good"),
}
_BITEXT = {
    "cancel_order": ("cancel order {{Order Number}}", "i want to cancel the order", "stop my order {{Order Number}}"),
    "get_refund": ("refund me {{Currency Symbol}}{{Refund Amount}}", "i want my money back", "get a refund please"),
}
_POLARITY = {
    "negative": ("this is bad and sad", "i am not happy with it", "worst day of the year"),
    "neutral": ("we open on day two", "they report the news", "it is a day in the week"),
    "positive": ("this is great thank you", "good news and a happy day", "love the new phone"),
}
_EMOTIONS = {
    "annoyance": ("this is so wrong again", "stop that please", "not this thing again"),
    "gratitude": ("thank you very much", "thank you for the help", "you are a great help thank you"),
    "neutral": ("the shop is open", "it is on the way", "they are in the bank"),
    "nervousness": ("i am not good with this", "what will they do to me", "i can not look"),
}
_TOPICS = {
    "Earnings": ("quarter profit up", "company earnings drop", "profit forecast cut"),
    "M&A | Investments": ("bank will buy fund", "company to buy shop", "fund buy a company"),
}
_TARGETED = (
    ("Apple shares fall as Tesla gain", "Apple", "negative"),
    ("Apple shares fall as Tesla gain", "Tesla", "positive"),
    ("Tesla forecast is the same", "Tesla", "neutral"),
)
_FOREIGN = {
    "clinc150": {
        "weather": ("is it cold today", "what is it like out"),
        "balance": ("how much money is in the bank",),
        "order_status": ("where is my order",),
        "timer": ("wake me in an hour", "stop the clock"),
    },
    "hwu64": {
        "qa_currency": ("how many yen for a dollar",),
        "takeaway_order": ("get me a pizza",),
        "play_music": ("play a song", "more of this song"),
    },
}


def write_corpora(root: Path) -> Path:
    """Write every corpus with three splits of different texts and return `root`."""
    for name, texts in (
        ("banking77", _BANKING),
        ("bitext", _BITEXT),
        ("semeval2017_task4", _POLARITY),
        ("tfns", _POLARITY),
        ("tfn_topic", _TOPICS),
    ):
        _write_splits(
            root / name, rows=[{"text": text, "label": label} for label, some in texts.items() for text in some]
        )
    emotions = [{"text": text, "labels": [label]} for label, some in _EMOTIONS.items() for text in some]
    _write_splits(root / "goemotions", rows=emotions)
    targeted = [{"text": text, "target": target, "label": label} for text, target, label in _TARGETED]
    for name in ("sentfin", "finentity"):
        _write_splits(root / name, rows=targeted)
    for name, foreign in _FOREIGN.items():
        _write_splits(
            root / name, rows=[{"text": text, "label": label} for label, some in foreign.items() for text in some]
        )
    return root


def _write_splits(folder: Path, *, rows: Iterable[dict[str, Any]]) -> None:
    rows = list(rows)
    for split, start in (("train", ""), ("validation", "well "), ("test", "so ")):
        write_rows(folder / f"{split}.jsonl", rows=[row | {"text": start + str(row["text"])} for row in rows])


def write_rows(path: Path, *, rows: Iterable[Row]) -> Path:
    """Write rows as JSONL and return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
