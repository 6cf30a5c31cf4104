"""The meaning of error codes, at the address in the `type` of a problem."""

from __future__ import annotations

from marshmallow import fields

from app.core.errors import NotFound
from app.web import access, problem_sentences
from app.web.api.api_shapes import Shape
from app.web.api.openapi import blueprint, route

group = blueprint("problems", about="What the `type` of a problem means.", prefix="/problems")


class CodeShape(Shape):
    """A code with its sentence; `%(name)s` stands for a parameter of the single case."""

    code = fields.String()
    title = fields.String()
    detail = fields.String()


@route(group, "/<code>", needs=access.PUBLIC, returns=CodeShape)
def show_code(code: str) -> dict[str, str]:
    """The meaning of an error code."""
    if code not in problem_sentences.TABLE:
        raise NotFound(noun="code", id=code)
    title, detail = problem_sentences.TABLE[code]
    return {"code": code, "title": str(title), "detail": str(detail)}
