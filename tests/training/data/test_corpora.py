"""The corpora's readers: slots, escapes, emotions, mended targets, and what never becomes a negative."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from models.labels import OUT_OF_SCOPE
from tests.training.corpora import write_corpora, write_rows
from training.data.corpora import DataError, describe_corpus, read_corpus
from training.data.slots import fill_slots
from training.data.tasks import TASKS, comparison_key, load_task


def test_every_task_loads_with_its_corpora(corpora: Path) -> None:
    for name, source in TASKS.items():
        data = load_task(name, root=corpora)
        assert {row.source for row in data.splits["train"]} >= set(source.corpora)
        assert all(row.task == name for rows in data.splits.values() for row in rows)
        assert {label for row in data.splits["train"] for label in row.labels} <= set(data.task.names)


def test_out_of_scope_is_the_last_label_and_only_foreign(corpora: Path) -> None:
    data = load_task("banking_intent", root=corpora)
    assert data.task.names[-1] == OUT_OF_SCOPE
    foreign = {row.text for row in data.splits["train"] if row.labels == (OUT_OF_SCOPE,)}
    assert "is it cold today" in foreign
    assert "get me a pizza" in foreign
    assert not foreign & {"how much money is in the bank", "how many yen for a dollar"}
    assert all(row.source == "banking77" for row in data.splits["test"])
    shop = {row.text for row in load_task("commerce_intent", root=corpora).splits["train"] if row.source != "bitext"}
    assert "how much money is in the bank" in shop
    assert not shop & {"where is my order", "get me a pizza"}


@pytest.mark.parametrize("corpus", ["clinc150", "hwu64", "banking77"])
def test_no_text_of_a_test_file_is_trained_on(corpus: str, tmp_path: Path) -> None:
    root = write_corpora(tmp_path)
    label = "card_arrival" if corpus == "banking77" else "timer"
    write_rows(root / corpus / "test.jsonl", rows=[{"text": "Is it COLD  today", "label": label}])
    trained = {comparison_key(row.text) for row in load_task("banking_intent", root=root).splits["train"]}
    assert "is it cold today" not in trained
    assert "what is it like out" in trained


def test_training_rows_that_stand_in_test_are_left_out(tmp_path: Path) -> None:
    root = write_corpora(tmp_path)
    write_rows(root / "goemotions" / "test.jsonl", rows=[{"text": "Thank you very much", "labels": ["gratitude"]}])
    texts = {row.text for row in load_task("emotion", root=root).splits["train"]}
    assert "thank you very much" not in texts
    assert "thank you for the help" in texts


def test_cap_is_per_corpus_and_seeded(corpora: Path) -> None:
    first = load_task("market_sentiment", root=corpora, cap=2)
    assert Counter(row.source for row in first.splits["train"]) == {"tfns": 2, "sentfin": 2, "finentity": 2}
    assert first == load_task("market_sentiment", root=corpora, cap=2)
    assert len(first.splits["test"]) > 6


def test_emotions_are_grouped(tmp_path: Path) -> None:
    row = {"text": "a", "labels": ["annoyance", "anger", "nervousness"]}
    write_rows(tmp_path / "goemotions" / "train.jsonl", rows=[row])
    assert read_corpus("goemotions", root=tmp_path, split="train")[0].labels == ("anger", "fear")


def test_escapes_of_the_tweets_are_decoded(tmp_path: Path) -> None:
    row = {"text": r"Plus\u002c it\u2019s 5\u002c000 \m/", "label": "neutral"}
    write_rows(tmp_path / "semeval2017_task4" / "train.jsonl", rows=[row])
    text = read_corpus("semeval2017_task4", root=tmp_path, split="train")[0].text
    assert text == r"Plus, it" + "\u2019" + r"s 5,000 \m/"


def test_mangled_target_is_mended(tmp_path: Path) -> None:
    row = {"text": "Bajaj Holdings has fallen", "target": "Bajaj neutralings", "label": "negative"}
    write_rows(tmp_path / "sentfin" / "train.jsonl", rows=[row])
    example = read_corpus("sentfin", root=tmp_path, split="train")[0]
    assert (example.target, example.span) == ("Bajaj Holdings", (0, 14))


def test_slots_are_filled_the_same_way_every_time() -> None:
    text = "order {{Order Number}} for {{Person Name}} in {{Strange Slot}}"
    filled = fill_slots(text, seed="a")
    assert "{" not in filled
    assert filled.endswith("in strange slot")
    assert filled == fill_slots(text, seed="a")
    assert len({fill_slots(text, seed=str(seed)) for seed in range(20)}) > 10


def test_missing_and_broken_files_are_named(corpora: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"There is no .*train\.jsonl\. Set --data"):
        read_corpus("tfns", root=tmp_path, split="train")
    write_rows(tmp_path / "tfns" / "train.jsonl", rows=[{"text": "a", "label": "b"}, {"text": "", "label": "b"}])
    with pytest.raises(DataError, match=r"train\.jsonl, line 2: the text is empty"):
        read_corpus("tfns", root=tmp_path, split="train")
    with pytest.raises(DataError, match="There is no task 'mood'"):
        load_task("mood", root=corpora)


def test_describe_counts_and_hashes(corpora: Path) -> None:
    about = describe_corpus("tfns", root=corpora)
    assert about["rows"] == {"train": 9, "validation": 9, "test": 9}
    assert about["licence"] == "MIT"
    assert len(set(about["sha256"].values())) == 3
