"""What customers ask and no article answers, gathered into questions that say the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.answers.decide.article_ranking import Matrix
from app.answers.decide.draft import THRESHOLD
from app.answers.domain import Gap, Question

ALIKE = 0.7
"""Cosine from which two questions are one gap."""


def gaps(
    questions: Sequence[Question], *, vectors: Matrix, threshold: float = THRESHOLD, min_size: int = 2
) -> tuple[Gap, ...]:
    """Groups of at least `min_size` unanswered questions, largest first; `vectors` [n, h] of unit length, a row each.

    A question is unanswered when its best similarity is below `threshold`. Each joins the group whose mean is nearest
    and at least `ALIKE`, or opens its own.
    """
    groups: list[list[int]] = []
    sums: list[Matrix] = []
    for row, question in enumerate(questions):
        if question.best_similarity >= threshold:
            continue
        nearness = [float(vectors[row] @ total) / (float(np.linalg.norm(total)) or 1.0) for total in sums]
        best = max(range(len(groups)), key=nearness.__getitem__, default=None)
        if best is None or nearness[best] < ALIKE:
            groups.append([row])
            sums.append(vectors[row].copy())
        else:
            groups[best].append(row)
            sums[best] = sums[best] + vectors[row]
    found = [
        _gap(rows, total=total, questions=questions, vectors=vectors) for rows, total in zip(groups, sums, strict=True)
    ]
    return tuple(
        sorted((gap for gap in found if len(gap.ticket_ids) >= min_size), key=lambda gap: -len(gap.ticket_ids))
    )


def _gap(rows: list[int], *, total: Matrix, questions: Sequence[Question], vectors: Matrix) -> Gap:
    centre = max(rows, key=lambda row: float(vectors[row] @ total))
    return Gap(
        ticket_ids=tuple(questions[row].ticket_id for row in rows),
        example=questions[centre].text,
        best_similarity=max(questions[row].best_similarity for row in rows),
    )
