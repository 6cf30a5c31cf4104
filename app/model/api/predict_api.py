"""Predictions in the shapes that other tools speak: Hugging Face and TEI, Rasa."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from marshmallow import fields

from app.core.errors import FieldError, InputError, TooLarge
from app.core.prediction import Prediction
from app.model.flows import answer_request
from app.model.flows.answer_request import Question
from app.web import access
from app.web.api import request_body
from app.web.api.api_shapes import Between, Flag, Json, Number, Shape, Size, Whole, field_error
from app.web.api.openapi import blueprint, route

group = blueprint("predict", about="Predictions in the shapes that other tools speak.", prefix="")


SCORES = {
    "type": "array",
    "items": {"type": "object", "properties": {"label": {"type": "string"}, "score": {"type": "number"}}},
    "example": [{"label": "track_order", "score": 0.94}, {"label": "get_refund", "score": 0.03}],
}


class ParametersShape(Shape):
    """The task that answers, by name or role, and the number of labels."""

    task = fields.String(validate=Size(min=1))
    top_k = Whole(validate=Between(1, 1000))


class Texts(fields.Raw):
    """A text or several."""

    TEXT: ClassVar[Json] = {"type": "string", "minLength": 1}
    described: ClassVar[Json] = {
        "anyOf": [
            TEXT,
            {
                "type": "array",
                "minItems": 1,
                "items": {"anyOf": [TEXT, {"type": "array", "minItems": 1, "maxItems": 1, "items": TEXT}]},
            },
        ]
    }


class PredictShape(Shape):
    """Texts to classify; Text Embeddings Inference and Hugging Face pipelines send the same."""

    inputs = Texts(
        required=True,
        metadata={
            "description": 'A text, an array of texts, or an array of one-text arrays. `["a", "b"]` is a batch of two.'
        },
    )
    task = fields.String(load_default=None)
    parameters = fields.Nested(ParametersShape, load_default=dict)
    truncate = Flag(
        load_default=True, metadata={"description": "false: refuse a text that is too long to be read whole."}
    )
    raw_scores = Flag(
        load_default=False,
        metadata={"enum": [False], "description": "Scores are calibrated probabilities; raw ones are not given."},
    )


class ParseShape(Shape):
    """A message to parse."""

    text = fields.String(required=True, validate=Size(min=1))


class ParsedIntentShape(Shape):
    """An intent with its confidence."""

    name = fields.String()
    confidence = Number()


class ParsedShape(Shape):
    """Rasa's answer."""

    text = fields.String()
    intent = fields.Nested(ParsedIntentShape, allow_none=True)
    intent_ranking = fields.List(fields.Nested(ParsedIntentShape))
    entities = fields.List(fields.Dict())


class RerankShape(Shape):
    """Texts to order by their nearness to a query."""

    query = fields.String(required=True, validate=Size(min=1))
    texts = fields.List(fields.String(), required=True, validate=Size(min=1))
    return_text = Flag(load_default=False)
    truncate = Flag(load_default=True)


class RerankedShape(Shape):
    """A text's place."""

    index = Whole()
    score = Number()
    text = fields.String()


@route(
    group,
    "/predict",
    method="POST",
    needs="predictions:make",
    reads=PredictShape,
    returns={"oneOf": [SCORES, {"type": "array", "items": SCORES}]},
)
def predict(payload: Json) -> Any:
    """Every label of one task with its probability, for one text or many."""
    services = access.services()
    if payload["raw_scores"]:
        raise InputError(fields=(field_error("/raw_scores", "no_raw_scores"),))
    texts, is_single = _texts(payload["inputs"])
    task = answer_request.task_named(services, payload["parameters"].get("task") or payload["task"])
    found = answer_request.ask(
        services,
        [Question(text=text) for text in texts],
        tasks=(task,),
        n_top=payload["parameters"].get("top_k", answer_request.ALL_LABELS),
    )
    if not payload["truncate"]:
        _refuse_cut(found, is_single=is_single)
    answers = [_scores(result.predictions[0], payload["parameters"].get("top_k")) for result in found]
    return request_body.answer(answers[0] if is_single else answers)


@route(group, "/model/parse", method="POST", needs="predictions:make", reads=ParseShape, returns=ParsedShape)
def parse(payload: Json) -> Json:
    """The intent of a message, as Rasa answers; a message nobody should guess at has no intent."""
    services = access.services()
    task = answer_request.task_named(services, None)
    found = answer_request.ask(services, [Question(text=payload["text"])], tasks=(task,))[0].predictions[0]
    ranking = [{"name": one.label, "confidence": one.probability} for one in found.top]
    return {
        "text": payload["text"],
        "intent": None if found.abstained else ranking[0],
        "intent_ranking": ranking,
        "entities": [],
    }


@route(group, "/rerank", method="POST", needs="predictions:make", reads=RerankShape, returns=RerankedShape(many=True))
def rerank(payload: Json) -> Any:
    """Texts by their nearness to a query, nearest first, as TEI answers."""
    texts = payload["texts"]
    _check_count(len(texts))
    ranked = []
    for place, score in answer_request.rerank(access.services(), payload["query"], texts):
        entry = {"index": place, "score": score}
        ranked.append(entry | {"text": texts[place]} if payload["return_text"] else entry)
    return request_body.answer(ranked)


@route(group, "/info", needs="models:read", returns={"type": "object"})
def info() -> Any:
    """Show the model in force: its version, the hash of its files, its limits and labels."""
    services = access.services()
    model = services.engine.model()
    manifest = model.artifact.manifest
    labels = [label.id for label in services.engine.tasks[answer_request.task_named(services, None)].labels]
    return request_body.answer(
        {
            "model_id": manifest.id,
            "model_sha256": model.artifact.sha256,
            "dtype": "int8",
            "version": manifest.version,
            "max_input_length": manifest.max_length,
            "max_client_batch_size": access.settings().max_batch,
            "tasks": {task.name: [label.id for label in task.labels] for task in services.engine.tasks.values()},
            "model_type": {
                "classifier": {
                    "id2label": {str(number): label for number, label in enumerate(labels)},
                    "label2id": {label: number for number, label in enumerate(labels)},
                }
            },
        }
    )


def _texts(inputs: Any) -> tuple[list[str], bool]:
    """The texts, and whether a single one was asked for."""
    is_single = isinstance(inputs, str)
    given = [inputs] if is_single else inputs
    if not isinstance(given, list):
        raise InputError(fields=(field_error("/inputs", "not_text"),))
    _check_count(len(given))
    pairs = [number for number, item in enumerate(given) if isinstance(item, list) and len(item) > 1]
    if pairs:
        raise InputError(fields=tuple(field_error(f"/inputs/{number}", "text_pairs") for number in pairs))
    texts = [item[0] if isinstance(item, list) and item else item for item in given]
    faults = [fault for number, text in enumerate(texts) if (fault := _fault(text, _pointer(number, is_single)))]
    if faults or not texts:
        raise InputError(fields=faults or (field_error("/inputs", "empty"),))
    return cast("list[str]", texts), is_single


def _pointer(number: int, is_single: bool) -> str:
    return "/inputs" if is_single else f"/inputs/{number}"


def _fault(text: Any, pointer: str) -> FieldError | None:
    if not isinstance(text, str):
        return field_error(pointer, "not_text")
    return None if text.strip() else field_error(pointer, "empty")


def _check_count(n_texts: int) -> None:
    limit = access.settings().max_batch
    if n_texts > limit:
        raise TooLarge("too_many_items", size=n_texts, limit=limit)


def _refuse_cut(found: list[Any], *, is_single: bool) -> None:
    faults = [
        field_error(_pointer(number, is_single), "text_too_long", size=result.n_tokens, limit=result.n_tokens_used)
        for number, result in enumerate(found)
        if result.is_truncated
    ]
    if faults:
        raise InputError(fields=faults)


def _scores(prediction: Prediction, top_k: int | None) -> list[Json]:
    return [{"label": one.label, "score": round(one.probability, 6)} for one in prediction.top[:top_k]]
