"""The body of POST /v1/annotate: read within limits, and checked.

It is read by hand. Pydantic would refuse a whole request for one bad text, and FastAPI's answers
repeat what they refuse.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..records import PARTS
from .annotate import NOT_UNICODE, TOO_LONG, Failed
from .batching import Key
from .errors import Answers
from .pipelines import Served, choose
from .settings import Limits

if TYPE_CHECKING:
    from starlette.requests import Request

FIELDS = ("text", "texts", "model", "what", "labels")
MOST_LABELS = 200
LONGEST_LABEL = 200  # characters


class Refused(Exception):
    """A request that is answered with an error.

    code: For programs. message: For people; it says nothing of what was sent.
    """

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None):
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}


@dataclass(frozen=True)
class AskedFor:
    """A request that was understood. Texts that cannot be annotated are in `failed`, by place."""

    key: Key
    texts: list[str]
    what: tuple[str, ...]
    failed: dict[int, Failed]


async def read_body(request: "Request", limits: Limits) -> bytes:
    """RAISES: Refused with 413 or 408, as soon as it is too large or too slow."""
    too_large = Refused(413, "too_large", Answers.BODY_TOO_LARGE.format(limit=limits.body))
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > limits.body:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(limits.seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limits.body:
                    raise too_large
    except TimeoutError:
        message = Answers.BODY_TOO_SLOW.format(seconds=limits.seconds)
        raise Refused(408, "too_slow", message, {"Connection": "close"}) from None
    return bytes(body)


def parse_body(
    body: bytes,
    limits: Limits,
    served: Sequence[Served],
    weights: dict[str, float],
    session: str | None,
) -> AskedFor:
    """What a body asks for.

    session: The X-Session header, if there is one.
    RAISES: Refused with 400 for what is no JSON, with 422 for what is not understood.
    """
    fields = _parse_json(body)
    if not isinstance(fields, dict):
        raise _wrong(Answers.NOT_AN_OBJECT)
    fields = {name: value for name, value in fields.items() if value is not None}
    if not fields.keys() <= set(FIELDS):
        raise _wrong(Answers.UNKNOWN_FIELD.format(fields=", ".join(FIELDS)))
    texts = _find_texts(fields, limits)
    model = _find_model(fields.get("model"), served) or choose(served, weights, session)
    key = Key(model, _find_labels(fields.get("labels"), model))
    failed = {}
    for place, text in enumerate(texts):
        if len(text) > limits.characters:
            message = Answers.TEXT_TOO_LONG.format(limit=limits.characters)
            failed[place] = Failed(TOO_LONG, message)
        elif not is_unicode(text):
            failed[place] = Failed(NOT_UNICODE, Answers.TEXT_NOT_UNICODE)
    return AskedFor(key, texts, _find_parts(fields.get("what")), failed)


def _refuse_constant(name: str) -> None:
    """NaN and Infinity, which Python reads and JSON has not."""
    raise ValueError(name)


DECODER = json.JSONDecoder(parse_constant=_refuse_constant)  # `json.loads` would make one a body


def _parse_json(body: bytes) -> Any:
    try:
        return DECODER.decode(body.decode("utf8"))
    except (ValueError, RecursionError):  # ValueErrors are those of numbers too long, too
        raise Refused(400, "not_json", Answers.NOT_JSON) from None


def _find_texts(fields: dict[str, Any], limits: Limits) -> list[str]:
    if ("text" in fields) == ("texts" in fields):
        raise _wrong(Answers.TEXT_OR_TEXTS)
    texts = fields["texts"] if "texts" in fields else [fields["text"]]
    if not _is_list_of_strings(texts):
        raise _wrong(Answers.TEXT_OR_TEXTS)
    if len(texts) > limits.texts:
        raise _wrong(Answers.TOO_MANY_TEXTS.format(limit=limits.texts))
    return texts


def _find_model(name: Any, served: Sequence[Served]) -> Served | None:
    if name is None:
        return None
    for one in served:
        if one.name == name:
            return one
    raise _wrong(Answers.MODEL.format(names=", ".join(one.name for one in served)))


def _find_parts(what: Any) -> tuple[str, ...]:
    if what is None:
        return PARTS
    if not _is_list_of_strings(what) or not set(what) <= set(PARTS):
        raise _wrong(Answers.WHAT.format(parts=", ".join(PARTS)))
    return tuple(dict.fromkeys(what))


def _find_labels(labels: Any, model: Served) -> tuple[str, ...] | None:
    if labels is None:
        if model.needs_labels:
            raise _wrong(Answers.LABELS_MISSING)
        return None
    if not model.zero_shot:
        raise _wrong(Answers.LABELS_NOT_TAKEN)
    is_fine = _is_list_of_strings(labels) and len(set(labels)) == len(labels) <= MOST_LABELS
    if not is_fine or not labels or not all(map(_is_label, labels)):
        raise _wrong(Answers.LABELS.format(most=MOST_LABELS, longest=LONGEST_LABEL))
    if len(labels) < model.least_labels:
        raise _wrong(Answers.LABELS_TOO_FEW)
    return tuple(labels)


def _is_label(label: str) -> bool:
    return bool(label.strip()) and len(label) <= LONGEST_LABEL and is_unicode(label)


def _is_list_of_strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def is_unicode(text: str) -> bool:
    """Whether it can be written as UTF-8: JSON can spell half of a surrogate pair."""
    try:
        text.encode("utf8")
    except UnicodeEncodeError:
        return False
    return True


def _wrong(message: str) -> Refused:
    return Refused(422, "invalid", message)
