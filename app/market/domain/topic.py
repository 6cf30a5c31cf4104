"""Topics that analysts define, by words or by examples."""

from __future__ import annotations

from dataclasses import dataclass

OWN = "own-"
"""The beginning of the subject id of such a topic; labels of a model have underscores and no hyphen."""


LONGEST_TITLE, LONGEST_WORD, MOST_WORDS = 60, 80, 100
SHORTEST_WORD = 2
LONGEST_EXAMPLE, FEWEST_EXAMPLES, MOST_EXAMPLES, WIDEST_REACH = 2000, 3, 50, 20.0


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """The measure of a topic's examples: the cosine of a vector less `centre` with `direction` is at least `least`."""

    centre: tuple[float, ...]
    direction: tuple[float, ...]
    least: float


@dataclass(frozen=True, kw_only=True)
class OwnTopic:
    """A post has it that says one of `words` or means what the `examples` mean, and says none of `without`.

    Words are whole words or phrases, `*` for any ending. `unlike` are examples of what is not meant; by its examples
    a topic has at most `reach` percent of the posts that were stored when it was learned.
    """

    id: int
    title: str
    words: tuple[str, ...]
    without: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    reach: float = 2.0
    likeness: Likeness | None = None
    is_active: bool = True
    version: int = 1

    @property
    def subject_id(self) -> str:
        """The id under which its series are kept."""
        return f"{OWN}{self.id}"


def own_id(subject_id: str) -> int | None:
    """Return the id of the topic that a subject id names; None for a topic of the model."""
    number = subject_id.removeprefix(OWN)
    return int(number) if subject_id.startswith(OWN) and number.isascii() and number.isdigit() else None
