"""The API of receivers: their routes, their notifications and every attempt."""

from __future__ import annotations

from typing import Any, ClassVar, get_args

from flask import Response
from marshmallow import fields

from app.core import changes
from app.core.durations import DAY_MS
from app.notify.domain.alert_facts import LABELS
from app.notify.domain.notification import (
    LONGEST_VALUE,
    MOST_MATCHERS,
    GroupBy,
    Notification,
    Receiver,
    ReceiverKind,
)
from app.notify.flows import deliver_notifications, keep_receivers, show_receivers
from app.notify.flows.keep_receivers import RECEIVER
from app.web import access
from app.web.api import api_lists
from app.web.api.api_shapes import (
    Between,
    ChangeShape,
    Flag,
    Id,
    Instant,
    Json,
    OneOf,
    PageQuery,
    Shape,
    Size,
    Whole,
    page_of,
    row,
)
from app.web.api.openapi import blueprint, route

group = blueprint("receivers", about="Who is told: webhooks, Alertmanager, mail and chats; routes and attempts.")

KINDS = get_args(ReceiverKind)
LAST_MINUTE = 1439


class MatcherShape(Shape):
    """One condition of a route on the labels alertname, severity, subject_kind, subject, ticker and sector."""

    name = fields.String(required=True, validate=OneOf(LABELS))
    op = fields.String(load_default="=", validate=OneOf(("=", "!=", "=~", "!~")))
    value = fields.String(required=True, validate=Size(max=LONGEST_VALUE))


class RouteShape(Shape):
    """The route of a receiver: its alerts, their grouping and times; times of the day are minutes in `zone`."""

    verbs = fields.List(fields.String(), metadata={"description": "alert.firing, alert.*, ticket.*, …; empty: all."})
    matchers = fields.List(fields.Nested(MatcherShape), validate=Size(max=MOST_MATCHERS))
    group_by = fields.String(validate=OneOf(get_args(GroupBy)))
    group_wait_ms = Whole(validate=Between(0, DAY_MS))
    repeat_ms = Whole(validate=Between(0, 30 * DAY_MS))
    escalate_ms = Whole(validate=Between(0, 7 * DAY_MS))
    zone = fields.String()
    quiet_from = Whole(allow_none=True, validate=Between(0, LAST_MINUTE))
    quiet_until = Whole(allow_none=True, validate=Between(0, LAST_MINUTE))
    digest_at = Whole(allow_none=True, validate=Between(0, LAST_MINUTE))
    locale = fields.String(validate=OneOf(("", "en", "zh")))
    is_active = Flag()


class ReceiverShape(RouteShape):
    """A receiver; secrets in its address are starred."""

    id = Id("rcv")
    name = fields.String()
    kind = fields.String()
    url = fields.String()
    version = Whole()


class NewReceiverShape(RouteShape):
    """A receiver to add; only one by Apprise (mail, chat) can get a digest."""

    told: ClassVar[Json] = {
        "anyOf": [
            {"properties": {"kind": {"const": "apprise"}}},
            {
                "properties": {
                    "kind": {"enum": [kind for kind in KINDS if kind != "apprise"]},
                    "url": {"pattern": "^[hH][tT][tT][pP][sS]?://."},
                    "digest_at": {"type": "null"},
                }
            },
        ]
    }

    name = fields.String(required=True, validate=Size(min=1, max=200))
    kind = fields.String(required=True, validate=OneOf(KINDS))
    url = fields.String(required=True, validate=Size(min=1, max=2000))


class ReceiverChangeShape(RouteShape, ChangeShape):
    """Fields of a receiver to change."""

    name = fields.String(validate=Size(min=1, max=200))
    url = fields.String(validate=Size(min=1, max=2000))


class MadeReceiverShape(ReceiverShape):
    """A new receiver with the secret that signs its webhooks, which is shown this once."""

    secret = fields.String()


class AttemptShape(Shape):
    """One attempt; `error` is a code."""

    at = Instant()
    is_delivered = Flag()
    error = fields.String(allow_none=True)


class NotificationShape(Shape):
    """One thing to tell one receiver; `dedup_key` is the same on every attempt."""

    id = Id("ntf")
    receiver = Id("rcv", attribute="receiver_id")
    type = fields.String()
    dedup_key = fields.String()
    state = fields.String()
    n_attempts = Whole()
    created_at = Instant()
    next_at = Instant(allow_none=True)
    sent_at = Instant(allow_none=True)
    last_error = fields.String(allow_none=True)


@route(group, "/receivers", needs="receivers:read", returns=page_of(ReceiverShape, "ReceiverPage"))
def list_receivers() -> Json:
    """Every receiver with its route."""
    return api_lists.whole(_receiver_row(one) for one in show_receivers.list_receivers(access.services()))


@route(
    group,
    "/receivers",
    method="POST",
    needs="receivers:write",
    reads=NewReceiverShape,
    returns=MadeReceiverShape,
    status=201,
    is_once=False,
)
def add_receiver(payload: Json) -> Response:
    """Add a receiver; the answer holds its signing secret, once."""
    made = changes.add(access.services().db, RECEIVER, payload, viewer=access.viewer()).row
    return api_lists.tagged(
        MadeReceiverShape, _receiver_row(made) | {"secret": made.secret}, version=made.version, status=201
    )


@route(group, "/receivers/<id(rcv):receiver_id>", needs="receivers:read", returns=ReceiverShape)
def show_receiver(receiver_id: int) -> Response:
    """One receiver."""
    found = RECEIVER.get(access.services().db, receiver_id, viewer=access.viewer())
    return api_lists.tagged(ReceiverShape, _receiver_row(found), version=found.version)


@route(
    group,
    "/receivers/<id(rcv):receiver_id>",
    method="PATCH",
    needs="receivers:write",
    reads=ReceiverChangeShape,
    is_versioned=True,
    returns=ReceiverShape,
)
def change_receiver(payload: Json, receiver_id: int) -> Response:
    """Change a receiver or its route."""
    db, version = access.services().db, api_lists.expected_version()
    found = changes.change(db, RECEIVER, receiver_id, payload, viewer=access.viewer(), version=version).row
    return api_lists.tagged(ReceiverShape, _receiver_row(found), version=found.version)


@route(group, "/receivers/<id(rcv):receiver_id>", method="DELETE", needs="receivers:write", status=204)
def remove_receiver(receiver_id: int) -> Response:
    """Remove a receiver with what is queued for it."""
    changes.remove(access.services().db, RECEIVER, receiver_id, viewer=access.viewer())
    return Response(status=204)


@route(
    group,
    "/receivers/<id(rcv):receiver_id>/test",
    method="POST",
    needs="receivers:write",
    returns=NotificationShape,
    status=202,
)
def test_receiver(receiver_id: int) -> Any:
    """Send a message that alarms nobody; look at its attempts to see how it went."""
    return _notification_row(keep_receivers.queue_test(access.services(), receiver_id, viewer=access.viewer()))


@route(
    group,
    "/receivers/<id(rcv):receiver_id>/notifications",
    needs="receivers:read",
    query=PageQuery,
    returns=page_of(NotificationShape, "NotificationPage"),
)
def list_notifications(query: Json, receiver_id: int) -> Json:
    """List a receiver's notifications, sent and queued, newest first."""
    found = show_receivers.list_notifications(
        access.services(), receiver_id, limit=query["limit"], after=query["after"]
    )
    return api_lists.page(found, [_notification_row(one) for one in found.items])


@route(
    group,
    "/notifications/<id(ntf):notification_id>/attempts",
    needs="receivers:read",
    returns=page_of(AttemptShape, "AttemptPage"),
)
def list_attempts(notification_id: int) -> Json:
    """Every attempt to send a notification, oldest first."""
    return api_lists.whole(show_receivers.list_attempts(access.services(), notification_id))


@route(
    group,
    "/notifications/<id(ntf):notification_id>/send-again",
    method="POST",
    needs="receivers:write",
    returns=NotificationShape,
    status=202,
)
def send_again(notification_id: int) -> Any:
    """Send a notification once more, under the same key."""
    return _notification_row(
        deliver_notifications.send_again(access.services(), notification_id, viewer=access.viewer())
    )


def _receiver_row(receiver: Receiver) -> Json:
    return row(receiver, url=keep_receivers.shown_url(receiver))


def _notification_row(notification: Notification) -> Json:
    return row(notification, type=f"{notification.noun}.{notification.verb}")
