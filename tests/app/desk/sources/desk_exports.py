"""Small exports in the shapes that Zendesk and Chatwoot write, for the tests of moving in."""

from __future__ import annotations

import json
from typing import Any

ZENDESK: list[dict[str, Any]] = [
    {
        "id": 35436,
        "raw_subject": "Help! My printer is on fire",
        "subject": "Help! My printer is on fire",
        "description": "The fire is very colourful.",
        "status": "closed",
        "priority": "high",
        "requester_id": 20978392,
        "requester": {"id": 20978392, "name": "Ana Costa", "email": "Ana@Example.com"},
        "group": {"id": 98738, "name": "Refunds"},
        "tags": ["printer", "fire"],
        "via": {"channel": "email"},
        "created_at": "2023-03-01T10:00:00Z",
        "updated_at": "2023-03-02T12:00:00Z",
        "comments": [
            {
                "id": 1,
                "author_id": 20978392,
                "plain_body": "The fire is very colourful.",
                "public": True,
                "created_at": "2023-03-01T10:00:00Z",
            },
            {
                "id": 2,
                "author_id": 77,
                "plain_body": "Please use water.",
                "public": True,
                "created_at": "2023-03-01T11:30:00Z",
            },
            {
                "id": 3,
                "author_id": 77,
                "plain_body": "Not our printer.",
                "public": False,
                "created_at": "2023-03-01T11:31:00Z",
            },
        ],
    },
    {
        "id": 35437,
        "subject": "Where is my refund",
        "description": "I want a refund for order 7",
        "status": "hold",
        "priority": None,
        "requester": {"id": 5, "name": "Bo", "email": "bo@example.com"},
        "via": {"channel": "web"},
        "created_at": "2023-03-05T08:00:00Z",
        "tags": [],
        "comments": [],
    },
]

CHATWOOT: dict[str, Any] = {
    "data": {
        "meta": {"all_count": 1},
        "payload": [
            {
                "id": 8,
                "account_id": 1,
                "inbox_id": 2,
                "status": "resolved",
                "priority": "medium",
                "labels": ["billing"],
                "created_at": 1677664800,
                "meta": {
                    "channel": "Channel::WebWidget",
                    "sender": {"id": 3, "name": "Chen Li", "email": "chen@example.com"},
                },
                "messages": [
                    {
                        "id": 1,
                        "content": "I lost my card",
                        "message_type": 0,
                        "private": False,
                        "created_at": 1677664800,
                        "sender": {"id": 3, "name": "Chen Li", "type": "contact"},
                    },
                    {
                        "id": 2,
                        "content": "Ines joined the conversation",
                        "message_type": 2,
                        "private": False,
                        "created_at": 1677664801,
                    },
                    {
                        "id": 3,
                        "content": "It is blocked now",
                        "message_type": 1,
                        "private": False,
                        "created_at": 1677664860,
                        "sender": {"id": 1, "name": "Ines", "type": "user"},
                    },
                ],
            }
        ],
    }
}

# What Zendesk's Explore writes: no text of the ticket, only its subject.
ZENDESK_CSV = (
    "Summation column,Id,Requester,Requester id,Requester email,Group,Subject,Tags,Status,Priority,Via,Created at\r\n"
    '1,91,Ana Costa,20978392,ana@example.com,Refunds,"Refund, please",refund vip,Open,Urgent,Mail,2023-03-01 10:00\r\n'
    "1,92,Bo,5,not-an-address,Nobody,Where is it,,Solved,,Web form,2023-03-02 11:00\r\n"
    "1,93,Cy,6,cy@example.com,Nobody,Late,,Someday,,Chat,yesterday-ish\r\n"
)

PLAIN_CSV = (
    "Reference;Question;E-Mail Address;Done\nA-1;Where is my order?;kim@example.com;done\nA-2;;lee@example.com;\n"
)


def lines() -> bytes:
    """Zendesk's export of an account: one ticket a line."""
    return "\n".join(json.dumps(one) for one in ZENDESK).encode()


def document() -> bytes:
    """What Chatwoot's API answers for a list of conversations."""
    return json.dumps(CHATWOOT).encode()
