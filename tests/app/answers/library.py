"""Two articles and three macros for tests of what is found in them."""

from __future__ import annotations

from app.answers.flows import keep_articles
from app.answers.flows.keep_macros import MACRO
from app.core import changes
from app.core.permissions import SYSTEM
from app.core.services import Services

BODY = "## When does it arrive?\n\nA refund reaches your card within five working days after we approve it.\n"


def fill(services: Services) -> None:
    """Keep two articles and three macros."""
    given = {"slug": "refund-time", "title": "How long a refund takes", "body": BODY}
    keep_articles.add_article(services, given, viewer=SYSTEM)
    body = "Standard post takes three days. Express post takes one day when ordered before noon."
    keep_articles.add_article(services, {"slug": "delivery", "title": "Delivery times", "body": body}, viewer=SYSTEM)
    greeting = "Hi {{ customer.name }}, order {{ order_no }} is refunded.\n{{ agent.name }}"
    changes.add(
        services.db,
        MACRO,
        {
            "name": "Refund",
            "body": greeting,
            "intents": ("get_refund",),
            "actions": [{"type": "set_status", "value": "solved"}, {"type": "add_tag", "value": "refund"}],
        },
        viewer=SYSTEM,
    )
    changes.add(
        services.db, MACRO, {"name": "Complaint", "body": "We are sorry.", "intents": ("complaint",)}, viewer=SYSTEM
    )
    changes.add(
        services.db, MACRO, {"name": "Track", "body": "It is on its way.", "intents": ("nothing",)}, viewer=SYSTEM
    )
