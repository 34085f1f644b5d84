"""One record of a Doc, the same in files, in batches and over HTTP: `to_record`, `from_record`, and
`schema`, its type in Arrow.

    {"text": "Ada sleeps.",
     "tokens": [{"start": 0, "end": 3, "space": True, "lemma": "Ada", "pos": "PROPN", "tag": "NNP",
                 "feats": "Number=Sing", "confidence": 0.998, "head": 1, "dep": "nsubj"}, …],
     "sents": [{"start": 0, "end": 11}],
     "ents": [{"start": 0, "end": 3, "label": "PERSON", "kb_id": "", "confidence": 0.97}],
     "spans": [{"key": "sc", "start": 0, "end": 3, "label": …, "kb_id": …, "confidence": …}],
     "cats": [{"label": "sport", "score": 0.2}],
     "truncated": False}

Offsets count characters of `text`, as Python does (code points), and `head` is an index of a token.
Parts that were not asked for are absent. Of what nobody annotated, strings are "", `confidence` and
`feats` are None; "" in `feats` says that a word has no features. An empty list may mean that
nothing was found, or that nobody looked for it.
"""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from spacy.attrs import DEP, HEAD, IDX, LEMMA, LENGTH, MORPH, POS, SENT_START, SPACY, TAG
from spacy.morphology import Morphology
from spacy.tokens import Doc, Span, SpanGroup
from spacy.vocab import Vocab
from thinc.types import Floats1d

from .annotation.span_confidence import read_span, store_spans
from .annotation.token_confidence import read_all, store_tokens
from .errors import Errors

if TYPE_CHECKING:
    import pyarrow

VERSION = 1
# "deps" puts `head` and `dep` into the tokens, so it brings these along.
PARTS = ("tokens", "deps", "sents", "ents", "spans", "cats")
# In the user data of a Doc: whether it holds only the beginning of its text.
TRUNCATED = "truncated"
DIGITS = 6  # of probabilities: what 32 bits hold

Record = dict[str, Any]


def to_record(doc: Doc, what: Collection[str] = PARTS) -> Record:
    """The record of a Doc.

    what: The parts of it, of PARTS.
    RAISES: ValueError for a part that there is not.
    """
    check_parts(what)
    record: Record = {"text": doc.text}
    if "tokens" in what or "deps" in what:
        record["tokens"] = _tokens(doc, with_deps="deps" in what)
    if "sents" in what:
        record["sents"] = _sentences(doc)
    if "ents" in what:
        record["ents"] = [_span(ent) | {"confidence": _round(read_span(ent))} for ent in doc.ents]
    if "spans" in what:
        record["spans"] = [
            {"key": key, **_span(span), "confidence": _round(confidence)}
            for key, group in doc.spans.items()
            for span, confidence in zip(group, _confidences(group))
        ]
    if "cats" in what:
        record["cats"] = [
            {"label": label, "score": _round(score)} for label, score in doc.cats.items()
        ]
    record["truncated"] = bool(doc.user_data.get(TRUNCATED, False))
    return record


def from_record(vocab: Vocab, record: Record) -> Doc:
    """The Doc of a record, without what the record has no part of. The confidences of spans in
    groups are in `group.attrs["scores"]`. An empty `ents` says that there are no entities; if no
    component looked for them, leave it out of `what`.

    record: Its lists may be arrays, as pandas reads them from Parquet.

    RAISES: ValueError if the record has no tokens, or they do not fit its text or spans.
    """
    if record.get("tokens") is None:
        raise ValueError(Errors.RECORD_TOKENS)
    text, tokens = record["text"], _list(record, "tokens")
    _check_text(text, tokens)
    places = _Places(tokens)
    has_deps = any(token.get("dep") for token in tokens)
    starts = [0] * len(tokens)
    if sentences := _list(record, "sents"):
        starts = [-1] * len(tokens)
        for sentence in sentences:
            starts[places.find(sentence)[0]] = 1
    feats = [token["feats"] for token in tokens]
    doc = Doc(
        vocab,
        words=[text[token["start"] : token["end"]] for token in tokens],
        spaces=[token["space"] for token in tokens],
        lemmas=_column(tokens, "lemma"),
        pos=_column(tokens, "pos"),
        tags=_column(tokens, "tag"),
        morphs=[value or "" for value in feats] if set(feats) - {None} else None,
        heads=[token["head"] for token in tokens] if has_deps else None,
        deps=[token["dep"] for token in tokens] if has_deps else None,
        sent_starts=starts if any(starts) else None,
    )
    for i in [i for i, value in enumerate(feats) if value is None and doc[i].has_morph()]:
        doc[i].set_morph(None)
    probable = np.asarray([token["confidence"] for token in tokens], dtype="float32")
    if not np.isnan(probable).all():
        store_tokens(doc, {"tag" if _column(tokens, "tag") else "pos": probable})
    if record.get("ents") is not None:
        ents = [(_to_span(doc, places, ent), ent["confidence"]) for ent in record["ents"]]
        doc.set_ents([span for span, _ in ents])
        known = [(span, value) for span, value in ents if value is not None]
        store_spans(doc, "", [span for span, _ in known], [value for _, value in known], "")
    grouped = _list(record, "spans")
    for key in dict.fromkeys(span["key"] for span in grouped):
        spans = [span for span in grouped if span["key"] == key]
        scores = np.asarray([span["confidence"] for span in spans], dtype="float32")
        attrs = {} if np.isnan(scores).all() else {"scores": scores}
        members = [_to_span(doc, places, span) for span in spans]
        doc.spans[key] = SpanGroup(doc, name=key, attrs=attrs, spans=members)
    doc.cats = {cat["label"]: cat["score"] for cat in _list(record, "cats")}
    if record.get("truncated"):
        doc.user_data[TRUNCATED] = True
    return doc


def schema(what: Collection[str] = PARTS) -> "pyarrow.Schema":
    """The Arrow schema of records with these parts; its metadata has the version.

    RAISES: ValueError for a part that there is not; ImportError without pyarrow.
    """
    check_parts(what)
    try:
        import pyarrow as pa
    except ImportError as error:
        raise ImportError(Errors.PYARROW_MISSING) from error
    string, number, probability = pa.string(), pa.int32(), pa.float32()
    span = {
        "start": number,
        "end": number,
        "label": string,
        "kb_id": string,
        "confidence": probability,
    }
    tokens = {
        "start": number,
        "end": number,
        "space": pa.bool_(),
        **dict.fromkeys(("lemma", "pos", "tag", "feats"), string),
        "confidence": probability,
    }
    fields = {
        "tokens": tokens | ({"head": number, "dep": string} if "deps" in what else {}),
        "sents": {"start": number, "end": number},
        "ents": span,
        "spans": {"key": string, **span},
        "cats": {"label": string, "score": probability},
    }
    wanted = {*what, "tokens"} if "deps" in what else set(what)
    lists = [
        (name, pa.list_(pa.struct(list(types.items()))))
        for name, types in fields.items()
        if name in wanted
    ]
    metadata = {"spacy_pretrained.record": str(VERSION)}
    return pa.schema([("text", string), *lists, ("truncated", pa.bool_())], metadata)


def check_parts(what: Iterable[str]) -> None:
    """ValueError if there is no such part."""
    if unknown := sorted(set(what) - set(PARTS)):
        raise ValueError(Errors.RECORD_PARTS.format(unknown=unknown[0], known=", ".join(PARTS)))


def _tokens(doc: Doc, *, with_deps: bool) -> list[Record]:
    if not len(doc):
        return []
    attributes = [IDX, LENGTH, SPACY, LEMMA, POS, TAG, MORPH, *([HEAD, DEP] if with_deps else [])]
    starts, lengths, spaces, lemmas, pos, tags, morphs, *arcs = doc.to_array(attributes).T
    text = doc.vocab.strings.__getitem__
    columns = zip(
        starts.tolist(),
        (starts + lengths).tolist(),
        spaces.astype(bool).tolist(),
        map(text, lemmas.tolist()),
        map(text, pos.tolist()),
        map(text, tags.tolist()),
        map(text, morphs.tolist()),
        _token_confidences(doc),
    )
    tokens = [
        {
            "start": start,
            "end": end,
            "space": space,
            "lemma": lemma,
            "pos": upos,
            "tag": tag,
            # spaCy keeps an empty analysis as "_", and none at all as "".
            "feats": (feats if feats != Morphology.EMPTY_MORPH else "") if feats else None,
            "confidence": confidence,
        }
        for start, end, space, lemma, upos, tag, feats, confidence in columns
    ]
    if with_deps:
        heads = np.arange(len(doc)) + arcs[0].astype("int32")
        for token, head, dep in zip(tokens, heads.tolist(), arcs[1].tolist()):
            token["head"], token["dep"] = head, text(dep)
    return tokens


def _token_confidences(doc: Doc) -> list[float | None]:
    """Of the tag, or of the part of speech where there is none of a tag."""
    found = read_all(doc, "tag")
    if np.isnan(found).any():
        found = np.where(np.isnan(found), read_all(doc, "pos"), found)
    return _round_all(found)


def _sentences(doc: Doc) -> list[Record]:
    if not len(doc) or not doc.has_annotation("SENT_START"):
        return []
    starts, lengths, begins = doc.to_array([IDX, LENGTH, SENT_START]).T
    first = begins == 1
    first[0] = True
    last = np.append(first[1:], True)
    ends = (starts + lengths)[last]
    pairs = zip(starts[first].tolist(), ends.tolist())
    return [{"start": start, "end": end} for start, end in pairs]


def _span(span: Span) -> Record:
    return {
        "start": span.start_char,
        "end": span.end_char,
        "label": span.label_,
        "kb_id": span.kb_id_,
    }


def _confidences(group: SpanGroup) -> list[float | None]:
    """Of its spans: the group's own scores, such as `spancat` keeps, or else ours. An entity at the
    same place may have one of ours, which is not that of the span."""
    scores = group.attrs.get("scores")
    own = [None] * len(group) if scores is None or len(scores) != len(group) else scores
    return [
        read_span(span) if score is None or score != score else score
        for score, span in zip(own, group)
    ]


def _list(record: Record, name: str) -> list[Record]:
    found = record.get(name)
    return [] if found is None else list(found)


def _round(value: float | None) -> float | None:
    return None if value is None or value != value else round(float(value), DIGITS)


def _round_all(values: Floats1d) -> list[float | None]:
    """Of NaN, which JSON has not, None."""
    rounded = np.round(values.astype("float64"), DIGITS)
    return [None if value != value else value for value in rounded.tolist()]


def _column(tokens: list[Record], name: str) -> list[str] | None:
    values = [token[name] for token in tokens]
    return values if any(values) else None


def _check_text(text: str, tokens: list[Record]) -> None:
    end = 0
    for token in tokens:
        space = bool(token["space"])
        is_next = token["start"] == end and end < token["end"] <= len(text)
        if not is_next or (space and text[token["end"] : token["end"] + 1] != " "):
            raise ValueError(Errors.RECORD_TEXT.format(at=end))
        end = token["end"] + space
    if end != len(text):
        raise ValueError(Errors.RECORD_TEXT.format(at=end))


class _Places:
    """Which tokens spans of characters begin and end with."""

    def __init__(self, tokens: list[Record]):
        self._starts = {token["start"]: i for i, token in enumerate(tokens)}
        self._ends = {token["end"]: i + 1 for i, token in enumerate(tokens)}

    def find(self, span: Record) -> tuple[int, int]:
        """The first token of a span, and the one behind its last."""
        try:
            return self._starts[span["start"]], self._ends[span["end"]]
        except KeyError as error:
            raise ValueError(
                Errors.RECORD_SPAN.format(start=span["start"], end=span["end"])
            ) from error


def _to_span(doc: Doc, places: _Places, span: Record) -> Span:
    return Span(doc, *places.find(span), label=span["label"], kb_id=span["kb_id"])
