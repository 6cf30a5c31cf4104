"""What the desk needs of the schema to stay quick at a million tickets. Statements here are history."""

from __future__ import annotations

# A search looks up the tickets of thousands of messages: rows with their texts would be a page of the file each.
MESSAGE_PLACE = ("CREATE INDEX message_place ON message (id, ticket_id)",)
