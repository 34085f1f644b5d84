"""Small pipelines and a corpus of four documents, for the tests of components."""

from collections.abc import Iterable

import numpy as np
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Adam, Model, Optimizer
from thinc.types import Floats2d

from spacy_pretrained.encoder.token_encoder import get_shim

RATE = 0.01
ENCODER = "pretrained_encoder"
LISTENER = {"@architectures": "spacy-pretrained.EncoderListener.v1"}
CNN_WIDTH = 16
CNN = {  # a stock encoder
    "@architectures": "spacy.HashEmbedCNN.v2",
    "width": CNN_WIDTH,
    "depth": 1,
    "embed_size": 100,
    "window_size": 1,
    "maxout_pieces": 2,
    "subword_features": True,
    "pretrained_vectors": None,
}

# word, XPOS, UPOS, FEATS, head (in the sentence), relation
SENTENCES = [
    # Non-projective: "issue" depends on "hearing", and the arc passes over the root.
    """
    A DT DET Definite=Ind 1 det
    hearing NN NOUN Number=Sing 3 nsubj
    is VBZ AUX _ 3 aux
    scheduled VBN VERB Tense=Past 3 ROOT
    on IN ADP _ 6 case
    the DT DET Definite=Def 6 det
    issue NN NOUN Number=Sing 1 nmod
    today NN NOUN Number=Sing 3 obl
    . . PUNCT _ 3 punct
    """,
    """
    Ada NNP PROPN Number=Sing 1 nsubj
    sees VBZ VERB Tense=Pres 1 ROOT
    the DT DET Definite=Def 4 det
    old JJ ADJ Degree=Pos 4 amod
    river NN NOUN Number=Sing 1 obj
    . . PUNCT _ 1 punct
    """,
    """
    Yes UH INTJ _ 0 ROOT
    ! . PUNCT _ 0 punct
    """,
    """
    Robots NNS NOUN Number=Plur 2 nsubj
    never RB ADV _ 2 advmod
    sleep VBP VERB Tense=Pres 2 ROOT
    in IN ADP _ 4 case
    Zürich NNP PROPN Number=Sing 2 obl
    . . PUNCT _ 2 punct
    """,
]
DOCUMENTS = [[0, 1], [2, 3], [3], [1, 2, 0]]
PLACES = {"Ada": "PERSON", "Zürich": "GPE"}


def make_reference(vocab: Vocab, numbers: Iterable[int], *, parsed: bool = True) -> Doc:
    """A Doc of some of the SENTENCES, with all annotation there is; entities, spans, categories
    and lemmas too. With `parsed=False` heads and sentence starts are missing."""
    rows, heads = [], []
    for number in numbers:
        first = len(rows)
        sentence = [line.split() for line in SENTENCES[number].strip().splitlines()]
        rows += sentence
        heads += [first + int(row[4]) for row in sentence]
    words = [row[0] for row in rows]
    parse = {"heads": heads, "deps": [row[5] for row in rows]} if parsed else {}
    doc = Doc(
        vocab,
        words=words,
        spaces=[word not in "Yes river today Zürich" for word in words],
        tags=[row[1] for row in rows],
        pos=[row[2] for row in rows],
        morphs=["" if row[3] == "_" else row[3] for row in rows],
        lemmas=[word.lower().removesuffix("s") for word in words],
        ents=[f"B-{PLACES[word]}" if word in PLACES else "O" for word in words],
        **parse,
    )
    doc.spans["sc"] = list(doc.ents)
    doc.cats = {"question": 0.0, "robots": float("Robots" in words)}
    return doc


def make_examples(nlp: Language, documents: Iterable[Iterable[int]] = DOCUMENTS) -> list[Example]:
    return [as_example(make_reference(nlp.vocab, numbers)) for numbers in documents]


def as_example(reference: Doc) -> Example:
    return Example(as_blank(reference), reference)


def as_blank(doc: Doc) -> Doc:
    """A Doc with the same tokens and nothing else."""
    words = [token.text for token in doc]
    spaces = [bool(token.whitespace_) for token in doc]
    return Doc(doc.vocab, words=words, spaces=spaces)


def make_cnn() -> Model[list[Doc], list[Floats2d]]:
    return spacy.registry.resolve({"model": CNN})["model"]


def make_nlp(
    source: str, *pipes: str | tuple[str, dict], lang: str = "xx", **encoder: object
) -> Language:
    """A blank pipeline of an encoder, with settings of its model, and components: factories, or
    pairs of a factory and its config. English has 1,347 special cases of its tokenizer, which take
    longer to make than all else."""
    nlp = spacy.blank(lang)
    # Random weights learn at a higher rate than pretrained ones of their size.
    rate = {"learn_rate_factor": 0.3}
    architecture = {"@architectures": "spacy-pretrained.TorchEncoder.v1", "orth_width": 8}
    nlp.add_pipe(ENCODER, config={"model": architecture | rate | encoder})
    nlp.config["initialize"]["components"][ENCODER] = {"source": source}
    for pipe in pipes:
        factory, config = (pipe, {}) if isinstance(pipe, str) else pipe
        nlp.add_pipe(factory, config=config)
    return nlp


def train(nlp: Language, examples: list[Example], steps: int, **kwargs) -> list[dict[str, float]]:
    """Initialize and update: the losses of each step. The rate falls to 0 in the second half: at a
    steady one Adam breaks out again, sooner or later, once gradients have vanished."""
    nlp.initialize(lambda: examples)
    optimizer, losses = fast_optimizer(), []
    for step in range(steps):
        optimizer.learn_rate = RATE * min(1.0, 2 - 2 * step / steps)
        losses.append(nlp.update(examples, sgd=optimizer, **kwargs))
    return losses


def fast_optimizer(**kwargs) -> Optimizer:
    return Adam(RATE, L2=0.0, use_averages=False, **kwargs)


def backbone_weights(nlp: Language, name: str = ENCODER) -> dict[str, np.ndarray]:
    module = get_shim(nlp.get_pipe(name).model).module
    return {name: tensor.numpy(force=True).copy() for name, tensor in module.state_dict().items()}


def are_equal(weights: dict[str, np.ndarray], others: dict[str, np.ndarray]) -> bool:
    assert weights.keys() == others.keys()
    return all(np.array_equal(weights[name], others[name]) for name in weights)


def annotations(doc: Doc) -> list[tuple]:
    """All that a component may have said of a Doc."""
    tokens = [
        (t.tag_, t.pos_, str(t.morph), t.lemma_, t.head.i, t.dep_, t.is_sent_start, t.ent_iob)
        for t in doc
    ]
    spans = [
        (span.start, span.end, span.label_, round(float(score), 4))
        for group in doc.spans.values()
        for span, score in zip(group, group.attrs.get("scores", [0.0] * len(group)))
    ]
    return tokens + spans + [(name, round(cat, 4)) for name, cat in sorted(doc.cats.items())]
