"""The native reading of texts: every role at once, with confidence bands, targets and reasons."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import Any, ClassVar, cast, get_args

from marshmallow import fields

from app.core.errors import FieldError, InputError, TooLarge
from app.core.prediction import OUT_OF_SCOPE, Prediction, Reading, Role
from app.model.flows import answer_request, read_text
from app.model.flows.answer_request import ROLES, Question
from app.web import access, problem_sentences
from app.web.api import request_body
from app.web.api.api_shapes import Json, OneOf, Shape, Size, field_error
from app.web.api.openapi import blueprint, route

group = blueprint("analyze", about="The native reading of texts: every role at once.")

MOST_EXPLAINED = 16
EXPLANATIONS = ("none", "tokens")


class Text(fields.Raw):
    """A text that is judged by itself: one that cannot be read does not keep the others from being read."""

    described: ClassVar[Json] = {
        "description": "A text with something in it; an item with anything else carries an error of its own.",
        "example": "My card was stolen",
    }


class Target(fields.Raw):
    """A part of a text."""

    described: ClassVar[Json] = {
        "description": "A part of the text, as it stands there or as an object of `start` and `end`.",
        "example": {"start": 3, "end": 7},
    }


class ItemShape(Shape):
    """A text to read; `targets` are parts of it that market sentiment is asked about, as text or start and end."""

    id = fields.Raw(allow_none=True)
    text = Text(required=True)
    targets = fields.List(Target(), load_default=list, validate=Size(max=50))


class AnalyzeShape(Shape):
    """Texts to read."""

    items = fields.List(fields.Nested(ItemShape), required=True, validate=Size(min=1))
    roles = fields.List(fields.String(validate=OneOf(ROLES)), load_default=None, allow_none=True)
    heads = fields.List(fields.String(validate=OneOf(ROLES)), metadata={"description": "Another name of `roles`."})
    intent_task = fields.String(load_default=None, allow_none=True)
    explain = fields.String(load_default="none", validate=OneOf(EXPLANATIONS))


PREDICTION = {
    "type": "object",
    "properties": {
        "task": {"type": "string"},
        "label": {"type": "string"},
        "score": {"type": "number", "description": "Calibrated probability."},
        "value": {"type": "number", "description": "P(positive) − P(negative), where the task has these labels."},
        "band": {"type": "string", "enum": ["high", "medium", "low"]},
        "band_precision": {"type": ["number", "null"], "description": "Measured on validation data."},
        "abstained": {"type": "boolean", "description": "Nobody should act on this without a person."},
        "set": {"type": "array", "items": {"type": "string"}},
        "ranking": {"type": "array", "items": {"type": "object"}},
    },
}
ITEM = {
    "type": "object",
    "properties": {
        "id": {},
        "lang": {"type": "object"},
        "tokens": {"type": "object"},
        **dict.fromkeys(ROLES, PREDICTION),
        "targets": {"type": "array", "items": {"type": "object"}},
        "explanations": {"type": "object"},
        "error": {"type": "object"},
    },
}
ANSWER = {
    "type": "object",
    "properties": {
        "model": {"type": "object"},
        "items": {"type": "array", "items": ITEM},
        "timing_ms": {"type": "object"},
    },
}


@route(group, "/analyze", method="POST", needs="predictions:make", reads=AnalyzeShape, returns=ANSWER)
def analyze(payload: Json) -> Any:
    """Read texts; a text that cannot be read carries its own error, and the call fails only when all do."""
    started = perf_counter()
    services, items = access.services(), payload["items"]
    _check(payload, services_batch=access.settings().max_batch)
    faults = {number: fault for number, item in enumerate(items) if (fault := _fault(item, number=number))}
    if len(faults) == len(items):
        raise InputError(fields=tuple(faults.values()))
    sound = [number for number in range(len(items)) if number not in faults]
    texts = [items[number]["text"] for number in sound]
    readings = read_text.read(
        services,
        texts,
        intent_task=payload["intent_task"],
        roles=_roles(payload),
        lane=answer_request.lane_of(texts),
        is_patient=False,
    )
    answers: dict[int, Json] = {number: {"error": _error(fault)} for number, fault in faults.items()}
    for number, found in zip(sound, readings, strict=True):
        answers[number] = _reading(found) | _extras(items[number], found=found, explain=payload["explain"])
    return request_body.answer(
        {
            "model": _model(),
            "items": [_named(items[number]) | answers[number] for number in range(len(items))],
            "timing_ms": {"total": round((perf_counter() - started) * 1000, 2)},
        }
    )


def _check(payload: Json, *, services_batch: int) -> None:
    n_items = len(payload["items"])
    if n_items > services_batch:
        raise TooLarge("too_many_items", size=n_items, limit=services_batch)
    if payload["explain"] != "none" and n_items > MOST_EXPLAINED:
        raise TooLarge("too_many_items", size=n_items, limit=MOST_EXPLAINED)


def _roles(payload: Json) -> list[Role]:
    asked = payload.get("heads") or payload["roles"]
    if asked:
        return cast("list[Role]", asked)
    found = {task.role for task in access.services().engine.tasks.values()}
    return [role for role in get_args(Role) if role in found]


def _model() -> dict[str, str]:
    model = access.services().engine.model()
    manifest = model.artifact.manifest
    return {"id": manifest.name, "version": manifest.version, "sha256": model.artifact.sha256, "dtype": "int8"}


def _named(item: Json) -> Json:
    return {"id": item["id"]} if "id" in item else {}


def _fault(item: Json, *, number: int) -> FieldError | None:
    text = item["text"]
    pointer = f"/items/{number}/text"
    if not isinstance(text, str):
        return field_error(pointer, "not_text")
    if not text.strip():
        return field_error(pointer, "empty")
    for place, target in enumerate(item["targets"]):
        if span(target, text=text) is None:
            return field_error(f"/items/{number}/targets/{place}", "bad_target")
    return None


def _error(fault: FieldError) -> dict[str, str]:
    detail = problem_sentences.sentence(fault.code, dict(fault.params))[1]
    return {"pointer": fault.pointer, "code": fault.code, "detail": detail}


def span(target: Any, *, text: str) -> tuple[int, int] | None:
    """The characters of a target, given as its text or as start and end; None when it is no part of the text."""
    if isinstance(target, str):
        found = text.find(target) if target.strip() else -1
        return None if found < 0 else (found, found + len(target))
    if not isinstance(target, dict):
        return None
    start, end = target.get("start"), target.get("end")
    if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(text):
        return None
    return (start, end) if text[start:end].strip() else None


def _reading(found: Reading) -> Json:
    shown: Json = {
        "lang": {"code": found.language, "supported": found.is_supported},
        "tokens": {
            "used": found.n_tokens_used,
            "total": found.n_tokens,
            "truncated": found.n_tokens_used < found.n_tokens,
        },
    }
    return shown | {one.role: _prediction(one) for one in found.predictions if not one.is_shadow}


def _prediction(found: Prediction) -> Json:
    shown: Json = {
        "task": found.task,
        "label": found.label,
        "score": round(found.probability, 6),
        "band": found.band,
        "band_precision": found.band_precision,
        "abstained": found.abstained,
        "set": list(found.labels),
        "ranking": [{"label": one.label, "score": round(one.probability, 6)} for one in found.top],
    }
    if found.sentiment_score is not None:
        shown["value"] = round(found.sentiment_score, 6)
    if found.role == "intent":
        shown["out_of_scope"] = found.label == OUT_OF_SCOPE
    return shown


def _extras(item: Json, *, found: Reading, explain: str) -> Json:
    extras: Json = {}
    if item["targets"]:
        extras["targets"] = _targets(item["text"], targets=item["targets"])
    if explain == "tokens":
        extras["explanations"] = {
            one.role: _explained(item["text"], task=one.task) for one in found.predictions if not one.is_shadow
        }
    return extras


def _targets(text: str, *, targets: Sequence[Any]) -> list[Json]:
    services = access.services()
    task = answer_request.task_named(services, "market_sentiment")
    spans = [found for target in targets if (found := span(target, text=text))]
    answers = answer_request.ask(services, [Question(text=text, target=where) for where in spans], tasks=(task,))
    return [
        {"start": start, "end": end, "text": text[start:end], "market_sentiment": _prediction(answer.predictions[0])}
        for (start, end), answer in zip(spans, answers, strict=True)
    ]


def _explained(text: str, *, task: str) -> Json:
    found = read_text.explain(access.services(), text, task=task)
    return {
        "label": found.label,
        "fidelity": round(found.fidelity, 4),
        "tokens": [
            {"start": one.start, "end": one.end, "text": text[one.start : one.end], "weight": round(one.weight, 5)}
            for one in found.words
        ],
        "read_as": [{"typed": typed, "meant": meant} for typed, meant in found.slips],
    }
