"""Single parts of a ticket, found for whoever sees it: a prediction, a file, a text that was called back."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.errors import NotFound
from app.core.permissions import Viewer
from app.core.prediction import StoredPrediction
from app.core.services import Services
from app.desk.domain.ticket import Message
from app.desk.store import attachments, messages, tickets
from app.desk.store.attachments import Attachment
from app.intents.store import corrections
from app.model.store import predictions


@dataclass(frozen=True, kw_only=True)
class MessagePrediction:
    """A prediction with the message that it is about."""

    stored: StoredPrediction
    message: Message


def prediction(
    services: Services, prediction_id: int, *, viewer: Viewer, ticket_id: int | None = None
) -> MessagePrediction:
    """Return a prediction about a ticket in sight; about this very ticket where one is named.

    Raises NotFound for one about no ticket, about another one, or about one out of sight, all alike.
    """
    db = services.db
    if ticket_id is not None:
        tickets.get(db, ticket_id, viewer=viewer)
    stored = predictions.get(db, prediction_id)
    if stored.subject_kind == "message":
        message = messages.get(db, stored.subject_id)
        is_in_sight = viewer.sees_queue(tickets.read(db, message.ticket_id).queue_id)
        if is_in_sight and ticket_id in (None, message.ticket_id):
            return MessagePrediction(stored=stored, message=message)
    raise NotFound(noun="prediction", id=prediction_id)


def attachment(services: Services, attachment_id: int, *, ticket_id: int, viewer: Viewer) -> tuple[Attachment, bytes]:
    """Return a file of a ticket with its bytes; raises NotFound, out of sight too."""
    tickets.get(services.db, ticket_id, viewer=viewer)
    return attachments.content(services.db, attachment_id, viewer=viewer)


def recalled_text(services: Services, ticket_id: int, *, viewer: Viewer) -> str:
    """Return what the viewer wrote in a ticket and called back last, empty where there is nothing; raises NotFound."""
    tickets.get(services.db, ticket_id, viewer=viewer)
    if viewer.user_id is None:
        return ""
    found = messages.last_recalled(services.db, ticket_id, user_id=viewer.user_id)
    return "" if found is None else found.body


def frequent_labels(services: Services, task: str, *, limit: int) -> list[str]:
    """Return the labels that people chose most among the last corrections of a task, most used first."""
    return corrections.most_used(services.db, task=task, limit=limit)
