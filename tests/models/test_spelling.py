"""Spelling: slips are read as meant, everything else stays."""

from __future__ import annotations

import dataclasses
import random
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.artifact import Artifact, ArtifactError, write
from models.runtime import Input, Runtime
from models.spelling import FILE, Spelling, count_words, load_words, save_words
from models.text import Normalised, normalise
from tests.tiny_artifact import TEXTS
from training.evaluate.perturbations import add_typo

COUNTS = {
    "the": 900, "card": 500, "cards": 90, "transfer": 300, "money": 250, "was": 240, "stolen": 120, "cart": 100,
    "where": 90, "please": 80, "shares": 70, "profit": 60, "warning": 50, "from": 400, "form": 40,
}  # fmt: skip


@pytest.fixture
def spelling() -> Spelling:
    return Spelling(COUNTS, is_known=lambda word: word in {"mortgage", "is", "my"})


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("the card was stoeln", "the card was stolen"),
        ("the card was stlen", "the card was stolen"),
        ("the card was sttolen", "the card was stolen"),
        ("the card was stplen", "the card was stolen"),
        ("Tranfser the money", "Transfer the money"),
        ("Profit Warning From Cadr", "Profit Warning From Card"),
        ("the card was stolen. Plese transfer", "the card was stolen. Please transfer"),
        ("the cardd is my card", "the card is my card"),
        ("plese, where is my monye?", "please, where is my money?"),
    ],
)
def test_one_slip_is_read_as_meant(spelling: Spelling, typed: str, meant: str) -> None:
    assert spelling.mend(normalise(typed)).text == meant


def test_of_two_words_one_slip_away_the_likelier_is_meant(spelling: Spelling) -> None:
    assert spelling.mend(normalise("the money is in the caed")).text == "the money is in the card"
    # y stands beside t, so "cart" is as near as "card" is far: the nearer key outweighs the more frequent word.
    assert spelling.mend(normalise("where is the cary")).text == "where is the cart"


@pytest.mark.parametrize(
    "text",
    [
        "the form is from the mortgage",
        "the CRAD was stolen",
        "the iCadr was stolen",
        "where is @monye",
        "the $mony shares",
        "the card's monet't is where",
        "the card4 was stolen",
        "see www.monye.com please",
        "the money from Cadr was stolen",
        "das kard wurde gestohln bitte",
        "the xylophonist was stolen",
        "",
    ],
)
def test_what_is_no_slip_stays(spelling: Spelling, text: str) -> None:
    ready = normalise(text)
    assert spelling.mend(ready) is ready


def test_a_target_keeps_its_letters_and_moves_with_the_text(spelling: Spelling) -> None:
    text = "the prfit warning from Monye was stoeln"
    start = text.index("Monye")
    found = spelling.mend(normalise(text, spans=[(start, start + 5)]))
    assert found.text == "the profit warning from Monye was stolen"
    assert found.text[slice(*found.spans[0])] == "Monye"


@given(st.text(max_size=80), st.integers(0, 80), st.integers(0, 80))
def test_any_text_is_safe_and_mending_twice_changes_nothing(text: str, start: int, end: int) -> None:
    spelling = Spelling(COUNTS, is_known=lambda word: False)
    once = spelling.mend(normalise(text, spans=[(start, end)]))
    assert all(0 <= first <= last <= len(once.text) for first, last in once.spans)
    assert spelling.mend(once) == once


def test_a_very_long_text_of_unknown_words_does_not_take_long(spelling: Spelling) -> None:
    rng = random.Random(0)
    junk = ("".join(rng.choices("bcdfghjkl", k=9)) for _ in range(20_000))
    text = " ".join(f"the {word}" for word in junk)
    started = time.process_time()
    spelling.mend(Normalised(text))
    assert time.process_time() - started < 5


def test_words_are_counted_kept_and_read_back(tmp_path: Path) -> None:
    texts = [normalise(text) for text in ["Lost CARD", "lost card", "lost card it's", "rare"]]
    counts = count_words(texts)
    assert counts == {"lost": 3, "card": 3}
    save_words(tmp_path / FILE, counts=counts)
    assert load_words(tmp_path / FILE) == counts


def _with_words(tiny: Artifact, *, folder: Path, content: str) -> Artifact:
    manifest = dataclasses.replace(tiny.manifest, version="2.0", files={})

    def fill(part: Path) -> None:
        shutil.copytree(tiny.folder, part, dirs_exist_ok=True)
        (part / "manifest.json").unlink()
        (part / FILE).write_text(content, encoding="utf-8")

    return write(folder / "spelt-2.0", manifest=manifest, fill=fill)


def test_an_artifact_with_words_answers_a_typo_as_it_answers_the_text(tiny: Artifact, tmp_path: Path) -> None:
    texts = [Normalised(text) for text in TEXTS]
    words = "".join(f"{word} {count}\n" for word, count in count_words(texts * 3).items())
    runtime = Runtime(_with_words(tiny, folder=tmp_path, content=words))
    mended = [text for text in TEXTS if _reads_back(runtime, text=text)]
    assert len(mended) >= len(TEXTS) / 3
    noisy = [add_typo(Input(text), random.Random(text)) for text in mended]
    assert [len(runtime.slips(item)) for item in noisy] == [1] * len(noisy)
    for task, rows in runtime.logits(noisy).items():
        np.testing.assert_allclose(rows, runtime.logits(mended)[task], atol=1e-5)


def _reads_back(runtime: Runtime, *, text: str) -> bool:
    noisy = add_typo(Input(text), random.Random(text))
    return noisy.text != text and runtime.read_as(noisy).text == normalise(text).text


@pytest.mark.parametrize("content", ["card\n", "card many\n", "card 1 2\n", "kärte 5\n"])
def test_words_that_cannot_be_read_are_refused_with_a_sentence(tiny: Artifact, tmp_path: Path, content: str) -> None:
    artifact = _with_words(tiny, folder=tmp_path, content=content)
    with pytest.raises(ArtifactError, match="one word and its count a line") as refused:
        Runtime(artifact)
    assert refused.value.file == FILE
