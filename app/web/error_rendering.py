"""The one place that renders errors: problem+json (RFC 9457) for programs, a page for people."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, g, redirect, render_template, request
from flask_wtf.csrf import CSRFError
from markupsafe import escape
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from app.core.errors import BellwetherError, NotSignedIn
from app.web import access, problem_sentences, typed_texts

API_PATHS = ("/predict", "/rerank", "/info", "/model/parse", "/health", "/openapi.json", "/problems")
_BY_STATUS = {
    400: "bad_request",
    404: "no_such_page",
    405: "method_not_allowed",
    406: "not_acceptable",
    408: "request_timeout",
    411: "length_required",
    413: "body_too_large",
    414: "address_too_long",
    415: "unsupported_media",
    416: "bad_range",
    422: "invalid_input",
    429: "rate_limited",
    431: "headers_too_large",
}

BARE_PAGE = """<!doctype html>
<html><head><meta charset="utf-8"><title>{title}</title></head>
<body><h1>{title}</h1><p>{sentence}</p>{texts}</body></html>
"""
BARE_TEXT = '<p><textarea rows="8" cols="80" readonly>\n{text}</textarea></p>'

log = logging.getLogger("bellwether.web")


@dataclass(frozen=True, kw_only=True)
class Problem:
    """An error in the reader's language; `errors` are the faults of single fields, with RFC 6901 pointers."""

    code: str
    status: int
    title: str
    detail: str
    errors: Sequence[Mapping[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)


def of(error: BellwetherError, **extra: Any) -> Problem:
    """Return the problem of an error of this program, with `extra` members."""
    title, detail = problem_sentences.sentence(error.code, error.params)
    faults = [
        {
            "pointer": fault.pointer,
            "code": fault.code,
            "detail": problem_sentences.sentence(fault.code, dict(fault.params))[1],
        }
        for fault in error.fields
    ]
    headers = {}
    if "retry_after" in error.params:
        headers["Retry-After"] = str(error.params["retry_after"])
    elif error.status == 503:
        headers["Retry-After"] = "5"
    if isinstance(error, NotSignedIn):
        headers["WWW-Authenticate"] = 'Bearer realm="bellwether"'
    return Problem(
        code=error.code,
        status=error.status,
        title=title,
        detail=detail,
        errors=faults,
        headers=headers,
        extra=extra,
    )


def of_http(error: HTTPException) -> Problem:
    """Return the problem of an error of Flask or Werkzeug."""
    status = error.code or 500
    code = _BY_STATUS.get(status, "internal" if status >= 500 else "bad_request")
    if isinstance(error, CSRFError):
        code = "csrf"
    title, detail = problem_sentences.sentence(code, {"path": request.path, "method": request.method})
    kept = {"Allow", "Retry-After"}
    headers = {name: value for name, value in error.get_headers() if name in kept}
    if status == 429:
        headers.setdefault("Retry-After", "60")
    return Problem(code=code, status=status, title=title, detail=detail, headers=headers)


def as_document(problem: Problem) -> dict[str, Any]:
    """Return the problem as an RFC 9457 document."""
    document: dict[str, Any] = {
        "type": f"/problems/{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": request.path,
        "request_id": g.get("request_id", ""),
    }
    if problem.errors:
        document["errors"] = list(problem.errors)
    return {**document, **problem.extra}


def as_json(problem: Problem) -> Response:
    """Return the answer to a program."""
    body = json.dumps(as_document(problem), ensure_ascii=False) + "\n"
    answer = Response(body, status=problem.status, content_type="application/problem+json")
    answer.headers.update(problem.headers)
    return answer


def _as_page(problem: Problem) -> Response:
    typed = typed_texts.of_request(status=problem.status)
    try:
        page = render_template(
            "error.html",
            typed=typed,
            address=request.full_path.rstrip("?"),
            status=problem.status,
            title=problem.title,
            sentence=problem.detail,
            fields=[fault["detail"] for fault in problem.errors],
            trace=g.get("request_id", ""),
        )
    except Exception:
        # The cause of the error may break this page too (the database, a template), so it needs neither.
        log.exception("The error page failed [%s]", g.get("request_id", ""))
        texts = "".join(BARE_TEXT.format(text=escape(text)) for _, text in typed.texts) if typed else ""
        page = BARE_PAGE.format(title=escape(problem.title), sentence=escape(problem.detail), texts=texts)
    answer = Response(page, status=problem.status)
    answer.headers.update(problem.headers)
    return answer


def is_for_program() -> bool:
    """Return True for an API path, a request with a token, and a client that asks for JSON."""
    if _is_api(request.path) or access.is_token_request():
        return True
    accepted = request.accept_mimetypes
    best = accepted.best_match(["text/html", "application/json", "application/problem+json"])
    return best is not None and best != "text/html"


def _is_api(path: str) -> bool:
    return path.startswith("/api/") or any(path == root or path.startswith(root + "/") for root in API_PATHS)


def render(problem: Problem) -> Response:
    """Return the answer with a problem, as JSON or as a page."""
    return as_json(problem) if is_for_program() else _as_page(problem)


def _handle_own(error: BellwetherError) -> BaseResponse:
    if isinstance(error, NotSignedIn) and not is_for_program():
        if typed_texts.of_request(status=error.status):
            # The session ended while the person was writing: a redirect to the sign-in would lose their text.
            return render(of(error))
        back = request.full_path.rstrip("?") if request.method == "GET" else "/"
        return redirect(access.SIGN_IN_PATH + "?" + urlencode({"next": back}))
    if error.status >= 500:
        log.warning("%s %s: %s %s", request.method, request.path, error.code, dict(error.params))
    return render(of(error))


def _handle_http(error: HTTPException) -> BaseResponse:
    if error.code is not None and error.code < 400:
        return BaseResponse.force_type(error.get_response(), request.environ)
    return render(of_http(error))


def _handle_unexpected(error: Exception) -> Response:
    log.exception("%s %s failed [%s]", request.method, request.path, g.get("request_id", ""), exc_info=error)
    title, detail = problem_sentences.sentence("internal", {"request_id": g.get("request_id", "")})
    return render(Problem(code="internal", status=500, title=title, detail=detail))


def install(app: Flask) -> None:
    """Register the handlers of all errors."""
    app.register_error_handler(BellwetherError, _handle_own)
    app.register_error_handler(HTTPException, _handle_http)
    app.register_error_handler(Exception, _handle_unexpected)
