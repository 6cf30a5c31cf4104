"""The best labels of a prediction in four bytes each: the number of the label, and its probability in ten thousandths.

Where a number needs more than two bytes they are JSON: text where all others are a blob.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence

STEPS = 10_000
MOST = 65_535
"""The largest number in two bytes."""

Top = Sequence[tuple[str, float]]
"""Labels and probabilities, the best first."""


def packed(top: Top, *, codes: Mapping[str, int]) -> bytes | str:
    """Return labels and probabilities as a prediction keeps them."""
    if any(codes[label] > MOST for label, _ in top):
        return json.dumps([list(one) for one in top], ensure_ascii=False, separators=(",", ":"))
    pairs = [number for label, chance in top for number in (codes[label], round(chance * STEPS))]
    return struct.pack(f"<{len(pairs)}H", *pairs)


def codes_in(kept: bytes | str) -> tuple[int, ...]:
    """Return the numbers of the labels that are kept, the best first."""
    return () if isinstance(kept, str) else _numbers(kept)[::2]


def chances_in(kept: bytes | str) -> tuple[float, ...]:
    """Return the probabilities that are kept, the best first."""
    if isinstance(kept, str):
        return tuple(chance for _, chance in json.loads(kept))
    return tuple(step / STEPS for step in _numbers(kept)[1::2])


def unpacked(kept: bytes | str, *, names: Mapping[int, str]) -> Top:
    """Return labels and probabilities as they were packed."""
    if isinstance(kept, str):
        return [(label, chance) for label, chance in json.loads(kept)]
    return [(names[code], chance) for code, chance in zip(codes_in(kept), chances_in(kept), strict=True)]


def _numbers(kept: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(kept) // 2}H", kept)
