"""Vectors are kept for texts seen before, and answered whoever else asks meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from app.core.services import Services
from app.model.flows import embed_text


def test_a_text_seen_before_is_not_read_again(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = embed_text.Vectors()
    first = vectors.of(services, ["lost card", "late parcel"])
    monkeypatch.setattr(services.engine, "embed", None)
    np.testing.assert_array_equal(vectors.of(services, ["late parcel", "lost card"]), first[::-1])


def test_a_vector_pushed_out_while_others_are_read_is_answered(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embed_text, "MOST_REMEMBERED", 2)
    vectors = embed_text.Vectors()
    kept = vectors.of(services, ["lost card"])
    embed = services.engine.embed

    def crowded(texts: Sequence[str]) -> NDArray[np.float32]:
        monkeypatch.setattr(services.engine, "embed", embed)
        vectors.of(services, ["one", "two", "three"])
        return embed(texts)

    monkeypatch.setattr(services.engine, "embed", crowded)
    np.testing.assert_array_equal(vectors.of(services, ["late parcel", "lost card"])[1:], kept)
