"""The artifact's files on the model page."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.model.flows.deploy_model import ModelCard
from app.model.pages import model_figures


def test_each_task_gets_its_corpora_with_int8_float32_and_calibration() -> None:
    row = {"corpus": "tfns", "task": "market_sentiment", "metric": "weighted_f1", "n": 2388}
    card = ModelCard(
        id="desk@1.0",
        folder=Path(),
        manifest={},
        size_bytes=0,
        metrics={
            "headline": [row | {"int8": 0.88, "float32": 0.884}],
            "int8": {"tfns": {"ece": 0.021}},
        },
        decision={
            "market_sentiment": {
                "threshold": 0.4,
                "precision": 0.9,
                "temperature": 1.2,
                "bands": [{"name": "high", "low": 0.9, "precision": 0.97, "n": 1200}],
            },
            "emotion": {"bands": []},
        },
    )
    market, emotion = model_figures.tasks(card)
    figure = market.figures[0]
    assert (figure.corpus, figure.n, figure.ece) == ("tfns", 2388, 0.021)
    assert figure.difference == pytest.approx(-0.004)
    assert [(band.name, band.precision, band.n) for band in market.bands] == [("high", 0.97, 1200)]
    assert (emotion.name, emotion.figures, emotion.threshold) == ("emotion", (), 0.0)
