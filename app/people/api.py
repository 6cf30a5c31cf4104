"""API tokens: list, make, revoke."""

from __future__ import annotations

from flask import Response
from marshmallow import fields

from app.core.permissions import TOKEN_SCOPES
from app.people.flows import keep_tokens
from app.web import access
from app.web.api import api_lists
from app.web.api.api_shapes import GivenInstant, Id, Instant, Json, OneOf, Shape, Size, page_of, row
from app.web.api.openapi import blueprint, route

group = blueprint("tokens", about="Keys for programs; each is shown once and kept as a hash.")


class TokenShape(Shape):
    """A token in a list."""

    id = Id("tok")
    name = fields.String()
    prefix = fields.String()
    scopes = fields.List(fields.String())
    created_at = Instant()
    expires_at = Instant(allow_none=True)
    last_used_at = Instant(allow_none=True)
    revoked_at = Instant(allow_none=True)


class MadeTokenShape(TokenShape):
    """A new token with its secret, which is shown this once."""

    secret = fields.String()


class NewTokenShape(Shape):
    """The request for a token."""

    name = fields.String(required=True, validate=Size(min=1, max=100))
    scopes = fields.List(
        fields.String(validate=OneOf(tuple(TOKEN_SCOPES))), required=True, validate=Size(min=1, max=len(TOKEN_SCOPES))
    )
    expires_at = GivenInstant(load_default=None, allow_none=True)


@route(group, "/tokens", needs="account:write", returns=page_of(TokenShape, "TokenPage"))
def list_tokens() -> Json:
    """One's own tokens."""
    return api_lists.whole(keep_tokens.of_viewer(access.services().db, viewer=access.viewer()))


@route(
    group,
    "/tokens",
    method="POST",
    needs="account:write",
    reads=NewTokenShape,
    returns=MadeTokenShape,
    status=201,
    is_once=False,
)
def make_token(payload: Json) -> Json:
    """Make a token; its secret is in this answer and nowhere else."""
    token, secret = keep_tokens.make_token(
        access.services(),
        user_id=access.user_id(),
        name=payload["name"],
        scopes=tuple(payload["scopes"]),
        expires_at=payload["expires_at"],
        viewer=access.viewer(),
    )
    return row(token, secret=secret)


@route(group, "/tokens/<id(tok):token_id>", method="DELETE", needs="account:write", status=204)
def revoke_token(token_id: int) -> Response:
    """Revoke a token at once."""
    keep_tokens.revoke_token(access.services(), token_id, viewer=access.viewer())
    return Response(status=204)
