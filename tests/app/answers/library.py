"""Two articles and three macros for tests of what is found in them."""

from __future__ import annotations

from app.answers.flows import keep_articles, keep_macros
from app.core.permissions import SYSTEM
from app.core.services import Services

BODY = "## When does it arrive?\n\nA refund reaches your card within five working days after we approve it.\n"


def fill(services: Services) -> None:
    """Keep two articles and three macros."""
    keep_articles.add_article(services, viewer=SYSTEM, slug="refund-time", title="How long a refund takes", body=BODY)
    body = "Standard post takes three days. Express post takes one day when ordered before noon."
    keep_articles.add_article(services, viewer=SYSTEM, slug="delivery", title="Delivery times", body=body)
    greeting = "Hi {{ customer.name }}, order {{ order_no }} is refunded.\n{{ agent.name }}"
    keep_macros.add_macro(
        services,
        viewer=SYSTEM,
        name="Refund",
        body=greeting,
        intents=("get_refund",),
        actions=[{"type": "set_status", "value": "solved"}, {"type": "add_tag", "value": "refund"}],
    )
    keep_macros.add_macro(services, viewer=SYSTEM, name="Complaint", body="We are sorry.", intents=("complaint",))
    keep_macros.add_macro(services, viewer=SYSTEM, name="Track", body="It is on its way.", intents=("nothing",))
