"""Fill the slots of template texts, such as `{{Order Number}}`, with invented values."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

_SLOT = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")

_PEOPLE = (
    "Maria Lopez",
    "James",
    "Wei Chen",
    "Mrs. Okafor",
    "Anna Schmidt",
    "Mr. Patel",
    "Fatima",
    "Lucas Martin",
    "Olivia Brown",
    "Kenji",
    "Sofia Rossi",
    "Mr. Nguyen",
    "Ahmed Khan",
    "Emma",
    "Daniel Novak",
    "Ms. Silva",
)
_CITIES = (
    "Berlin",
    "Madrid",
    "Chicago",
    "Toronto",
    "Lyon",
    "Osaka",
    "Leeds",
    "Austin",
    "Mumbai",
    "Cape Town",
    "Oslo",
    "Melbourne",
    "Porto",
    "Denver",
    "Seoul",
    "Krakow",
)
_COUNTRIES = (
    "Germany",
    "Spain",
    "the United States",
    "Canada",
    "France",
    "Japan",
    "the UK",
    "Italy",
    "India",
    "South Africa",
    "Norway",
    "Australia",
    "Portugal",
    "Mexico",
    "Poland",
    "Brazil",
)
_ACCOUNT_TYPES = ("premium", "gold", "free", "platinum", "standard", "business", "basic", "silver", "pro")
_SYMBOLS = ("$", "€", "£", "USD ", "EUR ")


def _order_number(rng: random.Random) -> str:
    digits = "".join(rng.choices("0123456789", k=rng.randint(4, 9)))
    return rng.choice(("", "", "#", "ORD-", "no. ", "A", "W-")) + digits


def _invoice_number(rng: random.Random) -> str:
    return rng.choice(("INV-", "#", "", "2024-")) + str(rng.randint(1000, 99999))


def _amount(rng: random.Random) -> str:
    return rng.choice((f"{rng.randint(5, 900)}", f"{rng.uniform(5, 900):.2f}"))


_VALUES: dict[str, Callable[[random.Random], str]] = {
    "order number": _order_number,
    "invoice number": _invoice_number,
    "refund amount": _amount,
    "currency symbol": lambda rng: rng.choice(_SYMBOLS),
    "person name": lambda rng: rng.choice(_PEOPLE),
    "delivery city": lambda rng: rng.choice(_CITIES),
    "delivery country": lambda rng: rng.choice(_COUNTRIES),
    "account type": lambda rng: rng.choice(_ACCOUNT_TYPES),
    "account category": lambda rng: rng.choice(_ACCOUNT_TYPES),
}


def fill_slots(text: str, *, seed: str) -> str:
    """Replace each `{{Slot}}` by a value that depends on text and seed; an unknown slot becomes its lower-case name."""
    if "{{" not in text:
        return text
    rng = random.Random(f"{seed}\0{text}")
    return _SLOT.sub(lambda match: _slot_value(match.group(1), rng=rng), text)


def _slot_value(slot: str, *, rng: random.Random) -> str:
    make = _VALUES.get(slot.lower())
    return make(rng) if make else slot.lower()
