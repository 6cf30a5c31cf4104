"""One house for all tests of the pages; a test that needs an untouched one builds its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.app.web.pages.house import House, make_house


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A site with a desk and a market."""
    made = make_house(tmp_path_factory.mktemp("house"))
    yield made
    made.site.app.extensions["bellwether"].close()
