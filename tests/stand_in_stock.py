"""What stands in for spacy-transformers and spacy-curated-transformers where neither is installed:
components with those attributes that this package reads of the real ones, and the registered names
of their listeners. Their transformer computes what that of `numpy_backend.py` does, but tokenizes,
cuts and aligns by code of its own, as the real ones do.
"""

import unicodedata
from collections.abc import Callable
from functools import partial
from pathlib import Path
from string import punctuation
from types import SimpleNamespace

import numpy as np
from numpy_backend import TABLE, WIDTH
from spacy import registry
from spacy.language import Language
from spacy.tokens import Doc, Span
from stand_in_torch import SAVED
from tensor_files import dump_tensor
from thinc.api import Model, chain
from thinc.types import Floats2d, Ragged
from tiny_models import KINDS, TOKENIZERS, make_wordpiece, write_json
from tokenizers import Tokenizer

TRF, CURATED = "spacy_transformers.stand_in", "spacy_curated_transformers.stand_in"
LONGEST = 64  # wordpieces; those of a span beyond it are cut
PIECES = "vectors of wordpieces"  # in `doc.user_data`, a Ragged by tokens


def is_of(module: str) -> Callable:
    """Lets a class or a function be one of another module, by which the package knows it."""

    def rename(thing):
        thing.__module__ = module
        return thing

    return rename


class Table:
    """The transformer: a vector for each wordpiece, and the mean of all in the window."""

    def __init__(self, kind: str, seed: int):
        self.kind = kind
        self.tokenizer: Tokenizer = TOKENIZERS[KINDS[kind][0]]()
        size = self.tokenizer.get_vocab_size(), WIDTH
        self.values = np.random.default_rng(seed).normal(size=size).astype("float32")

    def encode(self, ids: list[int]) -> Floats2d:
        vectors = self.values[ids]
        return vectors + vectors.mean(axis=0)

    def save_pretrained(self, folder: Path) -> None:
        size = {"vocab_size": len(self.values)}
        write_json(folder / "config.json", KINDS[self.kind][2] | {"model_type": "bert"} | size)
        (folder / SAVED).write_bytes(dump_tensor(TABLE, self.values))


def as_ragged(rows: list[list[np.ndarray]]) -> Ragged:
    """The vectors of the pieces of each token."""
    flat = [vector for row in rows for vector in row]
    data = np.array(flat, dtype="float32").reshape(-1, WIDTH)
    return Ragged(data, np.array([len(row) for row in rows], dtype="int32"))


class StockComponent:
    """What both have in common. They write vectors of wordpieces, on which listeners draw."""

    def __init__(self, nlp: Language, name: str, model: Model, annotate: Callable[[Doc], Ragged]):
        self._nlp = nlp
        self.name = name
        self.model = model
        self.listener_map = {}
        self._annotate = annotate

    def __call__(self, doc: Doc) -> Doc:
        doc.user_data[PIECES] = self._annotate(doc)
        return doc

    def to_disk(self, path: Path, **kwargs) -> None:
        """Only for the size of what is saved: weights are drawn anew, the same each time."""
        path.mkdir()
        (path / "model").write_bytes(bytes(100_000))

    def from_disk(self, path: Path, **kwargs) -> "StockComponent":
        return self

    @property
    def listening_components(self) -> list[str]:
        kinds = TransformerListener | LayerListener
        models = {name: pipe.model for name, pipe in self._nlp.components if hasattr(pipe, "model")}
        return [n for n, m in models.items() if any(isinstance(node, kinds) for node in m.walk())]


def read_pieces(docs: list[Doc]) -> list[Ragged]:
    return [doc.user_data.get(PIECES) or as_ragged([[] for _ in doc]) for doc in docs]


def pool(pooling: Model, pieces: Ragged) -> Floats2d:
    """The vectors of tokens. Of no wordpiece at all, Thinc's layers do not know the width."""
    if not pieces.data.size:
        return np.zeros((len(pieces.lengths), WIDTH), dtype="float32")
    return pooling.predict(pieces)


# spacy-transformers


@is_of(TRF)
class Transformer(StockComponent):
    pass


@is_of(TRF)
def null_annotation_setter(docs, data) -> None:
    pass


@is_of(TRF)
def get_strided_spans(docs: list[Doc], window: int, stride: int) -> list[list[Span]]:
    spans = []
    for doc in docs:
        starts = range(0, max(len(doc) - window, 0) + stride, stride)
        spans.append([doc[start : start + window] for start in starts if start < len(doc)])
    return spans


@is_of(TRF)
def get_sent_spans(docs: list[Doc]) -> list[list[Span]]:
    return [list(doc.sents) for doc in docs]


@is_of(TRF)
def get_doc_spans(docs: list[Doc]) -> list[list[Span]]:
    return [[doc[:]] for doc in docs]


SPANS = {
    "strided": partial(get_strided_spans, window=16, stride=12),
    "apart": partial(get_strided_spans, window=16, stride=16),
    "sentences": get_sent_spans,
    "docs": get_doc_spans,
}


@Language.factory("transformer_for_tests", default_config={"kind": "bert", "spans": "strided"})
def make_transformer(nlp: Language, name: str, kind: str, spans: str) -> Transformer:
    table = Table(kind, seed=1)
    tokenizer = SimpleNamespace(
        is_fast=True, backend_tokenizer=table.tokenizer, model_max_length=LONGEST
    )
    shim = SimpleNamespace(_hfmodel=SimpleNamespace(transformer=table, tokenizer=tokenizer))
    layer = Model("transformer", predict_nothing, shims=[shim])
    attrs = {"get_spans": SPANS[spans]}
    model = Model("model", predict_nothing, layers=[layer], dims={"nO": WIDTH}, attrs=attrs)

    def annotate(doc: Doc) -> Ragged:
        rows = [[] for _ in doc]
        for span in model.attrs["get_spans"]([doc])[0]:
            encoded = table.tokenizer.encode(span.text)
            vectors = table.encode(encoded.ids[:LONGEST])
            for (start, end), vector in zip(encoded.offsets, vectors):
                for token in span:
                    place = token.idx - span.start_char
                    if start < place + len(token) and place < end and start < end:
                        rows[token.i].append(vector)
        return as_ragged(rows)

    pipe = Transformer(nlp, name, model, annotate)
    pipe.set_extra_annotations = null_annotation_setter
    return pipe


def predict_nothing(model: Model, X, is_train: bool):
    raise NotImplementedError


@is_of(TRF)
class TransformerListener(Model):
    def __init__(self, upstream_name: str):
        super().__init__("listener", self.listen, dims={"nO": WIDTH})
        self.upstream_name = upstream_name

    @staticmethod
    def listen(model: Model, docs: list[Doc], is_train: bool):
        return read_pieces(docs), lambda d_vectors: docs


def pool_each(model: Model, pieces: list[Ragged], is_train: bool):
    return [pool(model.layers[0], ragged) for ragged in pieces], lambda d_vectors: d_vectors


@registry.architectures("spacy-transformers.TransformerListener.v1")
def build_transformer_listener(grad_factor: float, pooling: Model, upstream: str = "*") -> Model:
    factor = {"grad_factor": grad_factor}
    pooled = Model("trfs2arrays", pool_each, layers=[pooling], dims={"nO": WIDTH}, attrs=factor)
    return chain(TransformerListener(upstream), pooled)


# spacy-curated-transformers


@is_of(CURATED)
class CuratedTransformer(StockComponent):
    pass


class BertEncoder:
    """Known by the name of its class."""

    max_seq_len = LONGEST

    def __init__(self, table: Table):
        self.table = table


def save_encoder(encoder: BertEncoder, folder: Path) -> None:
    """What `stock/torch_curated.py` does with a real one."""
    encoder.table.save_pretrained(folder)


def _bert_preprocess(token: str) -> list[str]:
    is_mark = [char in punctuation or unicodedata.category(char)[0] == "P" for char in token]
    parts = "".join(f" {char} " if mark else char for char, mark in zip(token, is_mark))
    return parts.split()


def find_pieces(word: str, vocabulary: dict[str, int]) -> list[int]:
    """The longest ones from the left; the unknown one for the rest, where none fits."""
    found, start = [], 0
    while start < len(word):
        ends = range(len(word), start, -1)
        pieces = ("##" * (start > 0) + word[start:end] for end in ends)
        piece = next((piece for piece in pieces if piece in vocabulary), None)
        if piece is None:
            return [*found, vocabulary["[UNK]"]]
        found.append(vocabulary[piece])
        start += len(piece) - 2 * (start > 0)
    return found


def make_wordpiece_encoder(lowercase: bool = True) -> Model:
    tokenizer = make_wordpiece()
    pieces = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().get)
    return Model(
        "wordpiece_encoder",
        encode_wordpieces,
        attrs={
            "wordpiece_processor": SimpleNamespace(to_list=lambda: pieces),
            "unk_piece": "[UNK]",
            "bos_piece": "[CLS]",
            "eos_piece": "[SEP]",
            "lowercase": lowercase,
            "strip_accents": lowercase,
            "preprocess": _bert_preprocess,
        },
    )


def encode_wordpieces(model: Model, docs: list[Doc], is_train: bool):
    """The ids of each Doc's tokens, between those of special pieces."""
    attrs, encoded = model.attrs, []
    pieces = attrs["wordpiece_processor"].to_list()
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    for doc in docs:
        rows = [[vocabulary[attrs["bos_piece"]]]]
        for token in doc:
            text = token.text.lower() if attrs["lowercase"] else token.text
            if attrs["strip_accents"]:
                chars = unicodedata.normalize("NFD", text)
                text = "".join(char for char in chars if unicodedata.category(char) != "Mn")
            words = attrs["preprocess"](text)
            rows.append([number for word in words for number in find_pieces(word, vocabulary)])
        rows.append([vocabulary[attrs["eos_piece"]]])
        flat = np.array([number for row in rows for number in row])
        encoded.append(Ragged(flat, np.array([len(row) for row in rows])))
    return encoded, lambda d_pieces: docs


@Language.factory("curated_for_tests", default_config={"window": 20, "stride": 14})
def make_curated(nlp: Language, name: str, window: int, stride: int) -> CuratedTransformer:
    table = Table("bert", seed=2)
    encoder = make_wordpiece_encoder()
    shim = SimpleNamespace(_model=SimpleNamespace(curated_encoder=BertEncoder(table)))
    transformer = Model("transformer", predict_nothing, shims=[shim])
    sizes = {"window": window, "stride": stride}
    spans = Model("with_strided_spans", predict_nothing, layers=[transformer], attrs=sizes)
    model = Model(
        "model",
        predict_nothing,
        layers=[encoder, spans],
        dims={"nO": WIDTH},
        refs={"piece_encoder": encoder, "transformer": transformer},
    )

    def annotate(doc: Doc) -> Ragged:
        (pieces,) = encoder.predict([doc])
        ids = pieces.data.ravel().tolist()
        total, counts = np.zeros((len(ids), WIDTH)), np.zeros((len(ids), 1))
        for start in range(0, len(ids), stride):
            shown = slice(start, start + window)
            total[shown] += table.encode(ids[shown])
            counts[shown] += 1
        vectors = iter(total / counts)
        rows = [[next(vectors) for _ in range(length)] for length in pieces.lengths]
        return as_ragged(rows[1:-1])

    return CuratedTransformer(nlp, name, model, annotate)


@is_of(CURATED)
class LayerListener(Model):
    def __init__(self, name: str, upstream: str, pooling: Model, grad_factor: float):
        super().__init__(
            name,
            self.listen,
            layers=[pooling],
            refs={"pooling": pooling},
            dims={"nO": WIDTH},
            attrs={"_upstream_name": upstream, "grad_factor": grad_factor},
        )

    @staticmethod
    def listen(model: Model, docs: list[Doc], is_train: bool):
        pooling = model.get_ref("pooling")
        return [pool(pooling, pieces) for pieces in read_pieces(docs)], lambda d_vectors: docs


@registry.architectures("spacy-curated-transformers.LastTransformerLayerListener.v1")
def build_last_layer_listener(
    pooling: Model, width: int = WIDTH, upstream: str = "*", grad_factor: float = 1.0
) -> Model:
    return LayerListener("last_transformer_layer_listener", upstream, pooling, grad_factor)


@registry.architectures("spacy-curated-transformers.ScalarWeightingListener.v1")
def build_weighting_listener(pooling: Model) -> Model:
    return LayerListener("scalar_weighting_listener", "*", pooling, 1.0)
