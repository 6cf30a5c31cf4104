"""Ranking of candidates: interest, recency and popularity in one linear score whose parts are its reasons.

Diversity is maximal marginal relevance (Carbonell and Goldstein 1998): each pick costs later ones that resemble it,
and that cost is a reason like the others, so the reasons of every recommendation add up to its score.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from app.core.durations import DAY_MS
from app.recommend.domain import Candidate, Profile, Reason, Recommendation

INTEREST_WEIGHT = 1.0
RECENCY_WEIGHT = 0.4
POPULARITY_WEIGHT = 0.3
DIVERSITY_WEIGHT = 0.35
RECENCY_HALF_LIFE_MS = DAY_MS

POPULARITY = "popularity"
"""The candidate's feature (0–1) that says how many others carry or read it; no interest is learned from it."""


def rank(
    candidates: Sequence[Candidate], *, profile: Profile, now: int, limit: int = 10, exclude_seen: bool = True
) -> tuple[Recommendation, ...]:
    """Return the best candidates, highest score first; the contributions of `reasons` add up to `score`.

    Reasons are the reader's features, `recency` (halves every day), `popularity` and `similar_to_above` (negative).
    A reader without feedback gets what is new and popular.
    """
    pool = [candidate for candidate in candidates if not (exclude_seen and candidate.is_seen)]
    scored = [(candidate, _reasons(candidate, profile=profile, now=now)) for candidate in pool]
    bases = [math.fsum(reason.contribution for reason in reasons) for _, reasons in scored]
    nearness = [0.0] * len(pool)
    left = sorted(range(len(pool)), key=lambda row: (-bases[row], pool[row].post_id))
    chosen: list[Recommendation] = []
    while left and len(chosen) < limit:
        best = max(left, key=lambda row: bases[row] - DIVERSITY_WEIGHT * nearness[row])
        left.remove(best)
        chosen.append(_recommendation(pool[best], reasons=scored[best][1], nearness=nearness[best]))
        for row in left:
            nearness[row] = max(nearness[row], _cosine(pool[row].features, other=pool[best].features))
    return tuple(chosen)


def _reasons(candidate: Candidate, *, profile: Profile, now: int) -> list[Reason]:
    found = [
        Reason(feature=feature, value=value, contribution=INTEREST_WEIGHT * profile.weights[feature] * value)
        for feature, value in candidate.features.items()
        if feature != POPULARITY and feature in profile.weights
    ]
    recency = 0.5 ** (max(now - candidate.occurred_at, 0) / RECENCY_HALF_LIFE_MS)
    popularity = min(max(candidate.features.get(POPULARITY, 0.0), 0.0), 1.0)
    found.append(Reason(feature="recency", value=recency, contribution=RECENCY_WEIGHT * recency))
    found.append(Reason(feature=POPULARITY, value=popularity, contribution=POPULARITY_WEIGHT * popularity))
    return found


def _recommendation(candidate: Candidate, *, reasons: list[Reason], nearness: float) -> Recommendation:
    cost = Reason(feature="similar_to_above", value=nearness, contribution=-DIVERSITY_WEIGHT * nearness)
    kept = [reason for reason in (*reasons, cost) if reason.contribution]
    kept.sort(key=lambda reason: (-abs(reason.contribution), reason.feature))
    score = math.fsum(reason.contribution for reason in kept)
    return Recommendation(post_id=candidate.post_id, score=score, reasons=tuple(kept))


def _cosine(features: Mapping[str, float], *, other: Mapping[str, float]) -> float:
    shared = [name for name in features if name in other and name != POPULARITY]
    if not shared:
        return 0.0
    product = math.fsum(features[name] * other[name] for name in shared)
    return max(product / (_length(features) * _length(other) or 1.0), 0.0)


def _length(features: Mapping[str, float]) -> float:
    return math.sqrt(math.fsum(value * value for name, value in features.items() if name != POPULARITY))
