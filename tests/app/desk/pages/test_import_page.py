"""The pages of moving in: a file handed in, its columns chosen, tried, imported; faults in sentences."""

from __future__ import annotations

import io
import re

import pytest
from flask.testing import FlaskClient

from app.core.jobs import job_queue
from app.desk.store import tickets
from tests.app.desk.sources.desk_exports import PLAIN_CSV, lines
from tests.app.page_house import SCRIPT, House, post

PAGE = "/admin/move-in"


def worked(house: House) -> None:
    """What the worker does meanwhile."""
    while job_queue.run_due(house.site.services):
        pass


def handed_in(client: FlaskClient, content: bytes, name: str = "export.json") -> str:
    """The page of a file that was handed in."""
    return post(client, PAGE, file=(io.BytesIO(content), name))


def path_of(page: str) -> str:
    """Where its forms are sent."""
    found = re.search(rf'action="({PAGE}/\d+)"', page)
    assert found, page[-2000:]
    return found[1]


def test_a_zendesk_export_is_tried_then_imported(house: House) -> None:
    client = house.reader()
    page = handed_in(client, lines())
    path = path_of(page)
    assert "Waiting for the worker." in page
    worked(house)
    tried = client.get(path).get_data(as_text=True)
    assert "Import 2 tickets" in tried
    assert '<option value="requester.email" selected>' in tried
    assert "Help! My printer is on fire" in tried
    assert "Waiting for the worker." in post(client, f"{path}/import")
    worked(house)
    done = client.get(path).get_data(as_text=True)
    assert "To the tickets" in done
    assert "What the columns mean" not in done
    assert tickets.find_by_external_id(house.site.services.db, "zendesk:35436") is not None
    assert "imported already" in post(client, f"{path}/import")
    assert "export.json" in client.get(PAGE).get_data(as_text=True)
    ticket = tickets.find_by_external_id(house.site.services.db, "zendesk:35436")
    assert ticket is not None
    assert "Moved in from Zendesk" in client.get(f"/tickets/{ticket.id}").get_data(as_text=True)


def test_columns_are_chosen_by_hand_and_faults_are_listed(house: House) -> None:
    client = house.reader()
    path = path_of(handed_in(client, PLAIN_CSV.encode(), "plain.csv"))
    worked(house)
    assert "Row 3: The message has no text." in client.get(path).get_data(as_text=True)
    chosen = {"external_id": "reference", "body": "question", "subject": "reference", "source": "plain"}
    post(client, path, **chosen, to_queue=str(house.queues["cards"]))
    worked(house)
    again = client.get(path).get_data(as_text=True)
    assert "Import 2 tickets" in again
    assert f'<option value="{house.queues["cards"]}" selected>' in again
    assert "Say which column holds the text" in post(client, path, source="plain", status="done")
    assert "has no column “nowhere”" in post(client, path, source="plain", body="nowhere")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"", "Choose a file."), (b'{"a": 1}', "holds no list of tickets"), (b" \n \n", "The file is empty.")],
)
def test_what_is_no_export_is_answered_with_a_sentence(house: House, content: bytes, sentence: str) -> None:
    assert sentence in handed_in(house.reader(), content)


def test_values_of_a_file_are_escaped(house: House) -> None:
    client = house.reader()
    content = f'id,subject,{SCRIPT}\n1,"{SCRIPT}",x\n'.encode()
    page = handed_in(client, content, f"{SCRIPT}.csv")
    worked(house)
    assert SCRIPT not in page + client.get(path_of(page)).get_data(as_text=True) + client.get(PAGE).get_data(
        as_text=True
    )


def test_only_administrators_move_in(house: House) -> None:
    for role in ("agent", "analyst"):
        assert house.reader(role).get(PAGE).status_code == 403


def test_administration_leads_to_receivers_and_to_moving_in(house: House) -> None:
    page = house.reader().get("/admin/users").get_data(as_text=True)
    assert 'href="/receivers"' in page
    assert f'href="{PAGE}"' in page
