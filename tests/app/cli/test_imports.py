"""`flask --app wsgi import`: tried, taken, taken once; faults in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from app import create_app
from app.core import config
from app.core.permissions import SYSTEM
from app.desk.flows import keep_queues
from app.desk.store import queues, tickets
from tests.app.desk.sources.desk_exports import PLAIN_CSV, lines


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    """An application with two queues, without a model."""
    made = create_app(config.load({}, instance=tmp_path / "instance", models=tmp_path / "models"))
    for slug in ("intake", "cards"):
        keep_queues.add_queue(made.extensions["bellwether"], viewer=SYSTEM, slug=slug, title=slug.title())
    yield made
    made.extensions["bellwether"].close()


def _run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["import", *arguments])


def test_a_dry_run_counts_and_does_nothing(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "zendesk.json"
    file.write_bytes(lines())
    told = _run(app, str(file), "--dry-run")
    assert told.exit_code == 0, told.output
    assert "Read as an export of: zendesk" in told.output
    assert "  customer_email = requester.email" in told.output
    assert "2 would come in, 0 are here already, 0 cannot be read." in told.output
    assert tickets.last_id(app.extensions["bellwether"].db) == 0


def test_an_import_is_done_once(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "zendesk.json"
    file.write_bytes(lines())
    assert "2 came in, 0 are here already" in _run(app, str(file)).output
    assert "0 came in, 2 are here already" in _run(app, str(file)).output


def test_columns_and_the_queue_are_named(app: Flask, tmp_path: Path) -> None:
    file = tmp_path / "plain.csv"
    file.write_text(PLAIN_CSV)
    told = _run(app, str(file), "--map", "customer_email=e_mail_address", "--map", "status=done", "--queue", "cards")
    assert "Row 3: The message has no text." in told.output
    assert "1 came in, 0 are here already, 1 cannot be read." in told.output
    db = app.extensions["bellwether"].db
    found = tickets.find_by_external_id(db, "A-1")
    assert found is not None
    assert (found.status, queues.get(db, found.queue_id).slug) == ("solved", "cards")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--queue", "nowhere"), "There is no queue “nowhere”"),
        (("--map", "body=nothing"), "The file has no column “nothing”."),
        (("--map", "colour=question"), "“colour” is not a value that is possible here."),
    ],
)
def test_faults_are_sentences(app: Flask, tmp_path: Path, arguments: tuple[str, ...], sentence: str) -> None:
    file = tmp_path / "plain.csv"
    file.write_text(PLAIN_CSV)
    told = _run(app, str(file), *arguments)
    assert told.exit_code == 1
    assert sentence in told.output
    assert "Traceback" not in told.output
