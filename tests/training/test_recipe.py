"""Recipes: shipped ones load, and a mistake in one is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.recipe import RECIPES, RecipeError, load_recipe, recipe_from, recipe_row


@pytest.mark.parametrize("name", sorted(path.stem for path in RECIPES.glob("*.toml")))
def test_shipped_recipes_load_and_round_trip(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe_from(recipe_row(recipe)) == recipe


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"lr": "fast"}, "setting lr must be of type float, not 'fast'"),
        ({"lr": 0}, "lr must be above zero"),
        ({"batch_rows": True}, "setting batch_rows must be of type int"),
        ({"precision": "fp8"}, "precision must be bf16 or fp32 or int8, not 'fp8'"),
        ({"precision": "int8", "method": "full"}, "precision int8 needs method lora"),
        ({"adversarial": {"method": "noise"}}, r"adversarial\.method must be none or fgm or pgd or freelb"),
        ({"augment": {"kinds": ["emoji"]}}, r"augment\.kinds must be typo or .* not 'emoji'"),
        ({"prune": {"heads": 0}}, r"prune\.heads must be a share above 0, at most 1"),
        ({"rdrop": 1.0, "adversarial": {"method": "fgm"}}, "both read every batch again: choose one"),
        ({"method": "prompt"}, "method must be lora or full or head, not 'prompt'"),
        ({"distill": {"teachers": ["a"], "temperature": 0}}, r"distill\.temperature must be above zero"),
        ({"distill": {"teachers": ["a"], "layers": [2, 1]}}, r"distill\.layers must be rising numbers from 0"),
        ({"distill": {"teachers": ["a"], "layers": ["a"]}}, r"setting distill\.layers must be of type int, not 'a'"),
        ({"distill": {"soft": 0.5}}, "distill needs teachers: a finished run or an artifact"),
        ({"speed": 1}, "setting speed does not exist. Known: name, seed"),
        ({"lora": {"rank": 0}}, r"lora\.rank must be above zero"),
        ({"tasks": {"emotion": {"pases": 1}}}, r"setting tasks\.emotion\.pases does not exist"),
        ({"tasks": {"emotion": {"passes": 0}}}, r"tasks\.emotion\.passes must be above zero"),
        ({"warmup": 1.5}, "warmup must be a share"),
    ],
)
def test_mistakes_are_named(row: dict[str, object], sentence: str) -> None:
    with pytest.raises(RecipeError, match=sentence):
        recipe_from(row)


def test_unknown_and_broken_recipes(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"There is no recipe 'fast'. Known recipes: .*release"):
        load_recipe("fast")
    broken = tmp_path / "x.toml"
    broken.write_text("lr = ")
    with pytest.raises(RecipeError, match="is not TOML"):
        load_recipe(str(broken))
