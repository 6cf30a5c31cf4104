"""The API's operations: `route` declares permission, shapes and status, and OpenAPI 3.1 is made from that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn, TypeVar, cast

from flask import Flask, Response, current_app, jsonify, render_template, send_from_directory
from flask.json.provider import DefaultJSONProvider
from flask_smorest import Api, Blueprint
from marshmallow import Schema, ValidationError
from webargs.flaskparser import FlaskParser
from werkzeug.routing import BaseConverter, Map

from app.web import access, security
from app.web.api import idempotent_requests, refusals, request_body
from app.web.api.api_shapes import Json, ProblemShape, faults
from app.web.api.schema_document import Plugin

View = TypeVar("View", bound=Callable[..., Any])

VERSION = "1.0"
ASSETS = frozenset({"swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"})
IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "required": False,
    "schema": {"type": "string"},
    "description": "The `ETag` that the change is based on; 412 when somebody was faster.",
}
DESCRIPTION = """Texts in, decisions out: classify texts, file tickets, push posts, read what was found.

Send `Authorization: Bearer bw_…`; each operation names the permission it needs in `x-permission`.
Errors are `application/problem+json` (RFC 9457). Times are RFC 3339 in UTC. Ids are strings such as `tkt_81`;
plain numbers are accepted. Fields that are not known are ignored, and new ones may appear.
`Idempotency-Key` works on every POST and PATCH: the same request sent twice is done once, whatever happened between;
pushed posts are known by their `external_id`, and say `unchanged` where an earlier request had stored them."""


class Parser(FlaskParser):
    """webargs with this program's JSON reader and errors."""

    def load_json(self, req: Any, schema: Any) -> Any:
        """Return the body as JSON; it may be left out where nothing in it is required."""
        return request_body.read_json() if _is_body_required(schema) else request_body.read_json_or({})

    def handle_error(self, error: ValidationError, *_: Any, **__: Any) -> NoReturn:
        """Raise the faults of a schema as InputError."""
        raise faults(error)


class PublicId(BaseConverter):
    """An id in a path, `tkt_81` or `81`: `<id(tkt):ticket_id>`."""

    def __init__(self, rules: Map, prefix: str) -> None:
        super().__init__(rules)
        self.prefix = prefix
        self.regex = rf"(?:{prefix}_)?[0-9]{{1,18}}"

    def to_python(self, value: str) -> int:
        """Return the number."""
        return int(value.removeprefix(self.prefix + "_"))

    def to_url(self, value: Any) -> str:
        """Return the id with its prefix."""
        return f"{self.prefix}_{int(value)}"


def blueprint(name: str, *, about: str, prefix: str = "/api/v1") -> Any:
    """Make a group of operations under one tag."""
    group = Blueprint(name, f"app.web.api.{name}", url_prefix=prefix, description=about)
    group.ARGUMENTS_PARSER = Parser(unknown=None)
    return group


def route(
    group: Any,
    rule: str,
    *,
    needs: str,
    method: str = "GET",
    query: type[Schema] | None = None,
    reads: type[Schema] | None = None,
    returns: type[Schema] | Schema | Json | None = None,
    status: int = 200,
    docs: Mapping[str, Any] | None = None,
    is_large: bool = False,
    is_once: bool = True,
    is_versioned: bool = False,
    also: Iterable[int] = (),
    in_rows: bool = False,
) -> Callable[[View], View]:
    """Declare an operation; its view gets the query, then the body, then the path's parts by name.

    `needs` is a permission or `public`; `reads` and `returns` are the shapes of body and answer. `is_once` keeps the
    answer for a repeated Idempotency-Key; an answer with a secret is not kept. With `is_versioned` the view checks
    `If-Match`; `also` are statuses of refusals that the other arguments do not imply. With `in_rows` the work is
    committed in pieces, each row with its external id, and not with the answer.
    """

    def declare(view: View) -> View:
        endpoint = view.__name__
        served = _with_arguments(group, group.response(status, returns)(view), query=query, reads=reads)
        refused = refusals.statuses(
            rule=rule, method=method, needs=needs, has_query=query is not None, is_versioned=is_versioned, also=also,
            has_body=reads is not None or "requestBody" in (docs or {}),
        )  # fmt: skip
        said: Json = {**_security(needs), **(docs or {}), "responses": refusals.described(refused)}
        served = group.doc(**said, **({"x-versioned": True} if is_versioned else {}))(served)
        if is_once and method in ("POST", "PATCH") and needs != access.PUBLIC:
            served = idempotent_requests.once(served, in_rows=in_rows)
        served = access.public(served) if needs == access.PUBLIC else access.requires(needs)(served)
        if is_large:
            served = security.large_body(served)
        group.route(rule, methods=[method], endpoint=endpoint)(served)
        return view

    return declare


def _with_arguments(group: Any, served: Any, *, query: type[Schema] | None, reads: type[Schema] | None) -> Any:
    if reads is not None:
        served = group.arguments(reads, location="json", required=_is_body_required(reads()))(served)
    return served if query is None else group.arguments(query, location="query")(served)


def _is_body_required(shape: Schema) -> bool:
    return any(one.required for one in shape.fields.values()) or bool(getattr(shape, "needs_one", ()))


def _security(needs: str) -> Json:
    return {"security": [], "x-permission": needs} if needs == access.PUBLIC else {"x-permission": needs}


def install(app: Flask, groups: Iterable[Any]) -> None:
    """Register the groups, and serve the OpenAPI document and its page."""
    app.config.update(API_TITLE="Bellwether", API_VERSION=VERSION, OPENAPI_VERSION="3.1.0", OPENAPI_URL_PREFIX=None)
    app.url_map.converters["id"] = PublicId
    # Answers keep the order of their shape, and characters outside ASCII.
    cast(DefaultJSONProvider, app.json).sort_keys = False
    cast(DefaultJSONProvider, app.json).ensure_ascii = False
    idempotent_requests.install(app)
    api = Api()
    api.ERROR_SCHEMA = ProblemShape
    # Each operation names its refusals, so there is no default.
    api.DEFAULT_ERROR_RESPONSE_NAME = None
    options = {"info": {"description": DESCRIPTION}, "security": [{"token": []}], "marshmallow_plugin": Plugin()}
    api.init_app(app, spec_kwargs=options)
    api.register_converter(PublicId, _id_parameter)
    api.spec.components.security_scheme("token", {"type": "http", "scheme": "bearer", "bearerFormat": "bw_…"})
    for group in groups:
        api.register_blueprint(group)
    app.extensions["bellwether.openapi"] = api.spec
    app.add_url_rule("/openapi.json", "openapi", access.public(_serve_document))
    app.add_url_rule("/docs", "docs", access.public(_serve_page))
    app.add_url_rule("/docs/assets/<name>", "docs_asset", access.public(_serve_asset))


def _id_parameter(converter: PublicId) -> Json:
    return {"type": "string", "pattern": f"^{converter.regex}$", "example": f"{converter.prefix}_81"}


def document(app: Flask) -> Json:
    """Return the OpenAPI document; its shared responses are errors, so they are problem+json."""
    made = cast("Json", app.extensions["bellwether.openapi"].to_dict())
    for item in made["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict) and operation.pop("x-versioned", False):
                operation.setdefault("parameters", []).append(IF_MATCH)
    for answer in made.get("components", {}).get("responses", {}).values():
        content = answer.get("content", {})
        if "application/json" in content:
            content["application/problem+json"] = content.pop("application/json")
    return made


def _serve_document() -> Response:
    return jsonify(document(current_app))


def _serve_page() -> str:
    return render_template("docs.html")


def _serve_asset(name: str) -> Response:
    if name not in ASSETS:
        name = ""
    return send_from_directory(_assets(), name, max_age=86_400)


def _assets() -> Path:
    # The package is not imported: only its files are used.
    found = find_spec("flask_swagger_ui")
    return Path((found.submodule_search_locations or [""])[0] if found else "") / "dist"
