"""What GET /openapi.json says of requests and answers."""

from typing import Any

from ..records import PARTS
from .annotate import ANNOTATION, NOT_UNICODE, TOO_LONG, WAITED
from .asked import LONGEST_LABEL, MOST_LABELS
from .settings import Limits

Schema = dict[str, Any]

STRING: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer"}
PROBABILITY: Schema = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
SPAN = {
    "start": NUMBER | {"description": "Its first character (code points)"},
    "end": NUMBER | {"description": "The one behind its last"},
}
LABELLED = {**SPAN, "label": STRING, "kb_id": STRING, "confidence": PROBABILITY}


def an_object(properties: Schema, *required: str) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        **({"required": list(required)} if required else {}),
    }


def a_list(items: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": items, **more}


TOKEN = {
    **SPAN,
    "space": {"type": "boolean", "description": "Whether a space follows"},
    **dict.fromkeys(("lemma", "pos", "tag"), STRING),
    "feats": {"type": ["string", "null"]},
    "confidence": PROBABILITY,
    "head": NUMBER | {"description": "Index of its head, its own for a root; with deps"},
    "dep": STRING | {"description": "Its relation to the head; with deps"},
}
RECORD = an_object(
    {
        "text": STRING,
        "tokens": a_list(an_object(TOKEN)),
        "sents": a_list(an_object(SPAN)),
        "ents": a_list(an_object(LABELLED)),
        "spans": a_list(an_object({"key": STRING, **LABELLED})),
        "cats": a_list(an_object({"label": STRING, "score": PROBABILITY})),
        "truncated": {"type": "boolean"},
    },
    "text",
    "truncated",
)
ERROR = an_object(
    {"error": an_object({"code": STRING, "message": STRING}, "code", "message")}, "error"
)
FAILED = an_object(
    {
        "error": an_object(
            {
                "code": STRING | {"enum": [TOO_LONG, NOT_UNICODE, WAITED, ANNOTATION]},
                "message": STRING,
            },
            "code",
            "message",
        )
    },
    "error",
)
ANSWER = an_object(
    {"model": STRING, "version": STRING, "docs": a_list({"oneOf": [RECORD, FAILED]})},
    *("model", "version", "docs"),
)
MODELS = an_object(
    {
        "models": a_list(
            an_object(
                {
                    **dict.fromkeys(("name", "version", "language", "digest"), STRING),
                    "pipeline": a_list(STRING),
                    "labels": {"type": "object", "additionalProperties": a_list(STRING)},
                    "takes_labels": {"type": "boolean"},
                }
            )
        )
    },
    "models",
)


def describe_request(names: list[str], limits: Limits) -> Schema:
    text = STRING | {"maxLength": limits.characters}
    properties = {
        "text": text,
        "texts": a_list(text, maxItems=limits.texts),
        "model": STRING | {"enum": names},
        "what": a_list(STRING | {"enum": list(PARTS)}),
        "labels": a_list(
            STRING | {"minLength": 1, "maxLength": LONGEST_LABEL},
            maxItems=MOST_LABELS,
            uniqueItems=True,
        ),
    }
    schema = an_object(properties) | {"additionalProperties": False}
    return schema | {"oneOf": [{"required": ["text"]}, {"required": ["texts"]}]}


def as_request(schema: Schema) -> Schema:
    """For `openapi_extra` of an endpoint."""
    return {"requestBody": {"required": True, "content": as_json(schema)}}


def as_responses(schema: Schema, **others: str) -> dict[int | str, Schema]:
    """For `responses` of an endpoint.

    others: Descriptions of errors, by their status: `s404="…"`.
    """
    errors = {
        int(status[1:]): {"description": text, "content": as_json(ERROR)}
        for status, text in others.items()
    }
    return {200: {"description": "OK", "content": as_json(schema)}, **errors}


def as_json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}
