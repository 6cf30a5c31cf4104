"""One story in several wordings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.market.decide.near_duplicates import is_same_story, story_key

STORY = "Acme shares fall 3% after profit warning"


@pytest.mark.parametrize(
    "other",
    [
        "ACME SHARES FALL 3% AFTER PROFIT WARNING",
        "UPDATE 1-Acme shares fall 3% after profit warning",
        "UPDATE 2-BRIEF-Acme shares fall 3% after profit warning",
        "BREAKING: Acme shares fall 3% after profit warning!",
        "Acme shares fall 3% after profit warning (Adds details, background)",
        "Acme shares fall 3% after profit warning - Reuters",
        "Acme shares fall 3% after profit warning | Financial Times",
        "Acme shares fall 3% after profit warning — marketwatch.com",
        "Acme shares fall 3% after profit warning - The New York Times",
        "RT @ann: Acme shares fall 3% after profit warning https://t.co/abc",
        "RT @ann: RT @bob: “Acme shares fall 3% after profit warning”",
        "$Acme shares fall 3% after #profit warning",
        "  Acme   shares\nfall 3% after profit warning…",
    ],
)
def test_form_makes_no_difference(other: str) -> None:
    if other.endswith("…"):
        other = other.replace("…", " …")
    assert story_key(other) == story_key(STORY)
    assert is_same_story(other, STORY)


@pytest.mark.parametrize(
    "other",
    [
        "Acme shares rise 3% after profit warning",
        "Acme shares fall 4% after profit warning",
        "Bolt shares fall 3% after profit warning",
        "Acme shares fall 3% - profit warning lifted",
        "Acme",
        "",
    ],
)
def test_what_is_said_makes_one(other: str) -> None:
    assert story_key(other) != story_key(STORY)
    assert not is_same_story(other, STORY)


LONG = (
    "The company said on Monday that it expects a weaker second half because demand for its phones was slow in Europe"
)


def test_near_duplicates_share_most_word_pairs() -> None:
    assert is_same_story(LONG, LONG.replace("said on Monday", "said Monday"))
    assert not is_same_story(
        LONG, "The company said on Monday that it hires a new head of finance from a bank in Europe"
    )
    assert not is_same_story(LONG + " and profit falls", LONG + " and profit rises")
    assert is_same_story(f"RT @x: {LONG[:100]}…", LONG[:110])


def test_short_titles_are_told_apart_by_their_bodies() -> None:
    assert story_key("Market update", "Shares fell") != story_key("Market update", "Shares rose")
    assert story_key(STORY, "one") == story_key(STORY, "two")
    assert story_key("🙂") != story_key("🙁")


@given(st.text(max_size=80), st.text(max_size=80))
def test_sameness_is_mutual(a: str, b: str) -> None:
    assert is_same_story(a, b) == is_same_story(b, a)
    assert is_same_story(a, a)
    assert len(story_key(a, b)) == 32
