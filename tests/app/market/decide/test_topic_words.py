"""The analysts' own topics: which texts have them."""

from __future__ import annotations

import pytest

from app.market.decide.topic_words import Matcher
from app.market.domain.topic import OwnTopic, own_id


def _has(text: str, *words: str, without: tuple[str, ...] = ()) -> bool:
    return Matcher([OwnTopic(id=7, title="t", words=words, without=without)]).find(text) == {7}


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("Pilots go on STRIKE", ("strike",), True),
        ("A striking likeness", ("strike",), False),
        ("A striking likeness", ("strik*",), True),
        ("The picket\n line holds", ("picket line",), True),
        ("The picket-line holds", ("picket line",), True),
        ("Lines of pickets", ("picket line",), False),
        ("Ｓｔｒｉｋｅ at the port", ("strike",), True),
        ("码头工人罢工第三天", ("罢工",), True),
        ("C++ (and more)", ("c++",), True),
        ("A.B. Corp", ("a.b.",), True),
        ("AxB Corp", ("a.b",), False),
        ("Anything", ("* ",), False),
    ],
)
def test_whole_words_in_any_case(text: str, words: tuple[str, ...], expected: bool) -> None:
    assert _has(text, *words) is expected


def test_a_text_with_a_word_that_is_left_out_has_not_the_topic() -> None:
    assert _has("Strike at the port", "strike")
    assert not _has("Strike at the bowling alley", "strike", without=("bowling",))


def test_several_topics_are_found_side_by_side_and_one_that_is_gone_is_not() -> None:
    topics = [
        OwnTopic(id=1, title="a", words=("strike",)),
        OwnTopic(id=2, title="b", words=("port",)),
        OwnTopic(id=3, title="c", words=("port",), is_active=False),
    ]
    assert Matcher(topics).find("Strike at the port") == {1, 2}
    assert Matcher([]).find("Strike") == frozenset()


@pytest.mark.parametrize(("subject", "expected"), [("own-12", 12), ("earnings", None), ("own-", None), ("own-x", None)])
def test_a_subject_id_names_an_own_topic_or_one_of_the_model(subject: str, expected: int | None) -> None:
    assert own_id(subject) == expected
