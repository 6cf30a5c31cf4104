"""Pseudo-labels: only sure answers become rows, of texts that nobody tests with; a run keeps those it learnt from."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from models.examples import Example
from models.labels import Task
from training.data import load_data
from training.data.corpora import DataError, read_corpus
from training.data.tasks import TaskData, comparison_key
from training.data.unlabelled_texts import load_unlabelled
from training.fit import fit
from training.recipe import PseudoRecipe, Recipe, RecipeError, TaskRecipe, load_recipe
from training.run.run_folder import Run
from training.techniques.pseudo_labels import FILE, TeacherEnsemble, add_pseudo_labels, confident_labels, confident_rows


class Oracle(TeacherEnsemble):
    """A reader that is sure of texts that say so, and changes its mind where a letter is missing."""

    def __init__(self) -> None:
        super().__init__(())

    def outputs(self, rows: object, *, task: Task) -> tuple[np.ndarray, np.ndarray]:
        """Logits by the texts' own words."""
        assert isinstance(rows, list)
        wanted = {"sure good": (0.0, 0.0, 8.0), "sure bad": (8.0, 0.0, 0.0), "doubt": (1.0, 1.0, 1.2)}
        found = [wanted.get(row.text.casefold(), (0.0, 9.0, 0.0)) for row in rows]
        return np.asarray(found, np.float32), np.zeros((len(rows), 2), np.float32)


@pytest.fixture
def sentiment(corpora: Path) -> TaskData:
    return load_data(_recipe(unlabelled=("tfn_topic",)), root=corpora)[0]["market_sentiment"]


def _recipe(*, encoder: str = "", teachers: tuple[str, ...] = (), unlabelled: tuple[str, ...] = ()) -> Recipe:
    task = TaskRecipe("market_sentiment", passes=2.0, unlabelled=unlabelled)
    base = load_recipe("smoke")
    return dataclasses.replace(
        base, tasks=(task,), max_steps=4, encoder=encoder or base.encoder, pseudo=PseudoRecipe(teachers, sure=0.2)
    )


def test_only_what_is_sure_and_holds_becomes_a_row(sentiment: TaskData) -> None:
    bare = [Example(text, ()) for text in ("sure good", "sure bad", "doubt")]
    recipe = dataclasses.replace(_recipe(unlabelled=("x",)), pseudo=PseudoRecipe(("t",), sure=0.9, kinds=("casing",)))
    without = dataclasses.replace(sentiment, splits=dict(sentiment.splits) | {"validation": []})
    rows = confident_rows(bare, known=without, teachers=Oracle(), recipe=recipe)
    assert [row.labels[0] for row in rows] == ["positive", "negative"]
    assert [row.text.casefold() for row in rows] == ["sure good", "sure bad"]


def test_an_answer_that_a_slip_changes_is_not_taken(sentiment: TaskData) -> None:
    without = dataclasses.replace(sentiment, splits=dict(sentiment.splits) | {"validation": []})
    slips = dataclasses.replace(_recipe(unlabelled=("x",)), pseudo=PseudoRecipe(("t",), sure=0.9, kinds=("ocr",)))
    texts = [Example("sure good", ()) for _ in range(40)]
    rows = confident_rows(texts, known=without, teachers=Oracle(), recipe=slips)
    assert 0 < len(rows) < len(texts)
    assert {row.text for row in rows} == {"sure good"}


def test_unlabelled_texts_are_none_that_is_known_or_tested(sentiment: TaskData, corpora: Path) -> None:
    task = TaskRecipe("market_sentiment", unlabelled=("tfn_topic", "sentfin"))
    found = load_unlabelled(task, known=sentiment, root=corpora, cap=0, seed=0)
    texts = {comparison_key(row.text) for row in found}
    own = {comparison_key(row.text) for rows in sentiment.splits.values() for row in rows}
    tested = {comparison_key(row.text) for row in read_corpus("sentfin", root=corpora, split="test")}
    assert found
    assert texts.isdisjoint(own | tested)
    assert all(row.labels == () and row.task == "market_sentiment" for row in found)
    assert len(load_unlabelled(task, known=sentiment, root=corpora, cap=1, seed=0)) == 1


def test_a_users_own_texts_need_no_label(sentiment: TaskData, tmp_path: Path) -> None:
    lines, table = tmp_path / "texts.jsonl", tmp_path / "texts.csv"
    lines.write_text('{"text": "Tesla is up"}\n\n{"text": "Apple is down", "target": "Apple"}\n', encoding="utf-8")
    table.write_text("text\nOil falls\n", encoding="utf-8")
    task = TaskRecipe("market_sentiment", unlabelled=(str(lines), str(table)))
    found = load_unlabelled(task, known=sentiment, root=None, cap=0, seed=0)
    assert [(row.text, row.target) for row in found] == [
        ("Tesla is up", None), ("Apple is down", "Apple"), ("Oil falls", None)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("missing.csv", None, "no file or corpus"),
        ("other.csv", "words\nhello\n", "no column 'text'"),
        ("broken.jsonl", "{", "line 1: not a JSON object"),
        ("empty.jsonl", '{"text": " "}\n', "row 1: the text is empty"),
    ],
)
def test_bad_files_are_named(sentiment: TaskData, tmp_path: Path, name: str, content: str | None, why: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=why):
        load_unlabelled(
            TaskRecipe("market_sentiment", unlabelled=(str(path),)), known=sentiment, root=None, cap=0, seed=0
        )


def test_a_run_learns_from_its_teachers_and_keeps_what_they_said(encoder: Path, corpora: Path, tmp_path: Path) -> None:
    teacher = _recipe(encoder=str(encoder))
    data = load_data(teacher, root=corpora)[0]
    fit(teacher, data=data, run=Run(tmp_path / "teacher"), root=corpora)
    recipe = _recipe(encoder=str(encoder), teachers=("teacher", str(tmp_path / "teacher")), unlabelled=("tfn_topic",))
    fit(recipe, data=data, run=Run(tmp_path / "student"), root=corpora)
    kept = [json.loads(line) for line in (tmp_path / "student" / FILE).read_text("utf-8").splitlines()]
    assert kept
    assert {row["label"] for row in kept} <= set(data["market_sentiment"].task.names)
    assert "tfn_topic" in [row["name"] for row in Run(tmp_path / "student").data()]
    again = add_pseudo_labels(data, recipe=recipe, run=Run(tmp_path / "student"), root=corpora)
    rows = again["market_sentiment"].splits["train"]
    assert [row.text for row in rows[len(data["market_sentiment"].splits["train"]) :]] == [row["text"] for row in kept]
    assert add_pseudo_labels(data, recipe=teacher, run=Run(tmp_path / "none"), root=corpora) == data


def test_a_recipe_without_texts_or_with_another_task_says_so(encoder: Path, corpora: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="unlabelled"):
        dataclasses.replace(load_recipe("smoke"), pseudo=PseudoRecipe(("teacher",)))
    with pytest.raises(RecipeError, match=r"pseudo\.sure"):
        dataclasses.replace(load_recipe("smoke"), pseudo=PseudoRecipe(sure=0.0))
    teacher = _recipe(encoder=str(encoder))
    fit(teacher, data=load_data(teacher, root=corpora)[0], run=Run(tmp_path / "teacher"), root=corpora)
    topic = TaskRecipe("market_topic", unlabelled=("tfns",))
    recipe = dataclasses.replace(teacher, tasks=(topic,), pseudo=PseudoRecipe(("teacher",)))
    with pytest.raises(RecipeError, match="does not know the task market_topic"):
        fit(recipe, data=load_data(recipe, root=corpora)[0], run=Run(tmp_path / "student"), root=corpora)
    feelings = TaskRecipe("emotion", unlabelled=("tfns",))
    several = dataclasses.replace(teacher, tasks=(feelings,), pseudo=PseudoRecipe(("teacher",)))
    with pytest.raises(RecipeError, match="one label a text"):
        fit(several, data=load_data(several, root=corpora)[0], run=Run(tmp_path / "other"), root=corpora)


def test_only_what_is_sure_and_steady_becomes_a_label() -> None:
    found = np.asarray([[0.97, 0.03], [0.97, 0.03], [0.6, 0.4], [0.01, 0.99]])
    changed = np.asarray([[0.9, 0.1], [0.2, 0.8], [0.9, 0.1], [0.4, 0.6]])
    assert confident_labels(found, changed=changed, sure=0.95) == {0: 0, 3: 1}
    assert confident_labels(found, changed=changed, sure=0.5) == {0: 0, 2: 0, 3: 1}
