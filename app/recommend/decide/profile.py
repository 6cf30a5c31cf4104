"""A reader's interests, from what they read, liked and hid."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping

from app.core.durations import DAY_MS
from app.recommend.domain import Feedback, FeedbackKind, Profile

HALF_LIFE_MS = 14 * DAY_MS
KIND_WEIGHTS: dict[FeedbackKind, float] = {"read": 1.0, "like": 3.0, "hide": -3.0}

Seen = tuple[Feedback, Mapping[str, float]]


def profile(feedback: Iterable[Seen], *, now: int, half_life_ms: int = HALF_LIFE_MS) -> Profile:
    """Return interests as weights per feature (a vector of length 1); feedback loses half its weight in 14 days.

    Each item comes with its post's features. Reading a post twice counts once, at the later time, and of like and
    hide on one post the later holds.
    """
    latest = _latest(feedback)
    sums: dict[str, float] = defaultdict(float)
    for item, features in latest:
        age_ms = max(now - item.at, 0)
        strength = KIND_WEIGHTS[item.kind] * 0.5 ** (age_ms / half_life_ms)
        for feature, value in features.items():
            sums[feature] += strength * value
    length = math.sqrt(math.fsum(weight * weight for weight in sums.values()))
    weights = {feature: weight / length for feature, weight in sorted(sums.items()) if weight} if length else {}
    return Profile(weights=weights, n_feedback=len(latest))


def _latest(feedback: Iterable[Seen]) -> list[Seen]:
    held: dict[tuple[int, bool], Seen] = {}
    for seen in feedback:
        key = (seen[0].post_id, seen[0].kind == "read")
        if key not in held or seen[0].at >= held[key][0].at:
            held[key] = seen
    return list(held.values())
