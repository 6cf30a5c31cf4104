"""The operations that add, show, change and remove the things of a noun, declared at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response
from marshmallow import Schema

from app.core import changes
from app.core.nouns import Noun
from app.web import access
from app.web.api import api_lists
from app.web.api.api_shapes import Json
from app.web.api.openapi import route


def add_routes(
    group: Any,
    noun: Noun[Any],
    *,
    path: str,
    prefix: str,
    shape: type[Schema],
    new: type[Schema],
    change: type[Schema],
    name: str = "",
    needs: str = "",
) -> None:
    """Declare the operations of a noun under a path.

    Ids begin with the `prefix`; `new` and `change` are the shapes of bodies. Operations and the part of the path are
    called by the `name`, else by the noun's own. Who has the permission `needs` may see one; without it there is no
    operation for that.
    """
    called, title = name or noun.name, noun.title or noun.name.replace("_", " ")
    one, writes = f"{path}/<id({prefix}):{called}_id>", noun.permission

    def add(payload: Json) -> Response:
        made = changes.add(access.services().db, noun, payload, viewer=access.viewer())
        return _tagged(shape, made.row, status=201)

    def edit(payload: Json, **ids: int) -> Response:
        version = api_lists.expected_version()
        made = changes.change(access.services().db, noun, _id(ids), payload, viewer=access.viewer(), version=version)
        return _tagged(shape, made.row)

    def remove(**ids: int) -> Response:
        changes.remove(access.services().db, noun, _id(ids), viewer=access.viewer())
        return Response(status=204)

    def show(**ids: int) -> Response:
        return _tagged(shape, noun.get(access.services().db, _id(ids), viewer=access.viewer()))

    named = _named(add, f"add_{called}", f"Add a {title}.")
    route(group, path, method="POST", needs=writes, reads=new, returns=shape, status=201)(named)
    named = _named(edit, f"change_{called}", f"Change a {title}.")
    route(group, one, method="PATCH", needs=writes, reads=change, is_versioned=True, returns=shape)(named)
    named = _named(remove, f"remove_{called}", f"Remove a {title}.")
    route(group, one, method="DELETE", needs=writes, status=204)(named)
    if needs:
        named = _named(show, f"show_{called}", f"Show a {title}.")
        route(group, one, needs=needs, returns=shape)(named)


def _named(view: Callable[..., Response], name: str, about: str) -> Callable[..., Response]:
    view.__name__, view.__doc__ = name, about
    return view


def _id(ids: Mapping[str, int]) -> int:
    """The only id of a path."""
    (found,) = ids.values()
    return found


def _tagged(shape: type[Schema], row: Any, *, status: int = 200) -> Response:
    return api_lists.tagged(shape, row, version=row.version, status=status)
