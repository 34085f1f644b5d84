"""Small pipelines with stock transformers, weakly trained, for the tests of what converts them."""

import json
import shutil
from pathlib import Path

import numpy as np
import spacy
from hard_texts import HARD_TEXTS
from numpy.testing import assert_allclose
from spacy.language import Language
from spacy.tokens import Doc
from stock_heads import HEADS, make_heads
from thinc.api import Adam
from tiny_pipelines import annotations, make_examples

LONGEST = 64  # wordpieces of a tiny model
LONG = "She sold sea shells by the sea shore.  “Isn't it?” she said, and naïve 😀 foxes came.\n" * 5
TEXTS = [
    *HARD_TEXTS,
    LONG,
    "Hello   world",
    "Ada sees the old river. A hearing is scheduled on the issue today. Yes!",
    "Robots never sleep in Zürich. " * 20,
]
WIDTH = 32


def add_heads(nlp: Language, listener: dict, factories: tuple[str, ...] = HEADS) -> None:
    models = make_heads(listener, parser_width=16, ner_width=16, maxout_pieces=2)
    for factory in factories:
        settings = {"min_action_freq": 1} if factory == "parser" else {}  # of so few documents
        nlp.add_pipe(factory, config={"model": models[factory], **settings})


def train(nlp: Language, name: str, steps: int = 8) -> None:
    """Initialize and update; the transformer, the component of this name, at a lower rate."""
    examples = make_examples(nlp)
    nlp.initialize(lambda: examples)
    optimizers = {n: Adam(0.001 if n == name else 0.01, L2=0.0) for n in nlp.pipe_names}
    annotates = [n for n in nlp.pipe_names if n == "sentencizer"]  # windows may need sentences
    for _ in range(steps):
        nlp.update(examples, sgd=False, drop=0.0, annotates=annotates)
        for pipe_name, pipe in nlp.pipeline:
            if hasattr(pipe, "finish_update"):
                pipe.finish_update(optimizers[pipe_name])


def short_source(source: str, folder: Path) -> str:
    """A tiny model whose tokenizer says how much it takes: spacy-transformers cuts there."""
    shutil.copytree(source, folder)
    model_type = json.loads((folder / "config.json").read_text("utf8"))["model_type"]
    settings = {"model_max_length": LONGEST} | TOKENIZERS.get(model_type, {})
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), "utf8")
    return str(folder)


# Where transformers 4 has classes that want a sentencepiece model beside tokenizer.json.
FAST = {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "<pad>", "unk_token": "<unk>"}
TOKENIZERS = {
    "xlm-roberta": FAST | {"cls_token": "<s>", "sep_token": "</s>"},
    "albert": FAST | {"cls_token": "[CLS]", "sep_token": "[SEP]"},
}


def stock_vectors(nlp: Language, name: str, texts: list[str]) -> list[np.ndarray]:
    """What the components of a stock pipeline get for the tokens of each text."""
    component = next(n for n in nlp.get_pipe(name).listening_components)
    model = nlp.get_pipe(component).model
    node = next(
        node
        for node in model.walk()
        if node.name == "last_transformer_layer_listener"
        or (len(node.layers) == 2 and node.layers[1].name == "trfs2arrays")
    )
    docs = list(nlp.pipe(texts))
    found = [node.predict([doc])[0] if len(doc) else np.zeros((0, WIDTH)) for doc in docs]
    # White space alone has no width in spacy-curated-transformers.
    return [v if v.size else np.zeros((len(v), WIDTH)) for v in found]


def assert_alike(nlp: Language, new: Language, name: str, texts: list[str] = TEXTS) -> None:
    """The same annotation of all texts, alone and in a stream, and the same vectors."""
    for text, one, two in zip(texts, nlp.pipe(texts), new.pipe(texts)):
        assert annotations(one) == annotations(two), text
    vectors = stock_vectors(nlp, name, texts)
    largest = max(np.abs(v).max(initial=0.0) for v in vectors)
    for text, expected, found in zip(texts, vectors, vectors_of(new, texts)):
        assert_allclose(found, expected, atol=1e-3 * largest, err_msg=text)


def vectors_of(nlp: Language, texts: list[str]) -> list[np.ndarray]:
    docs: list[Doc] = list(nlp.pipe(texts))
    return [doc.tensor if len(doc) else np.zeros((0, WIDTH)) for doc in docs]


BLOCK = """
import importlib.metadata as metadata
import sys

BLOCKED = {"torch", "transformers", "nncf", "safetensors", "spacy_transformers",
    "spacy_curated_transformers", "curated_transformers", "curated_tokenizers"}

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"No module named {name!r} (blocked)", name=name)

sys.meta_path.insert(0, Block())

# spaCy imports what is registered, so that must not be there either.
kept = metadata.EntryPoints(
    entry for found in metadata.distributions() for entry in found.entry_points
    if entry.value.partition(":")[0].partition(".")[0] not in BLOCKED
)
metadata.entry_points = lambda **kwargs: kept.select(**kwargs) if kwargs else kept
"""

RUN = """
import json, spacy
nlp = spacy.load(sys.argv[1])
docs = list(nlp.pipe([sys.argv[2]] * 3))
print(json.dumps([[[t.tag_, t.head.i, t.dep_, t.ent_type_] for t in doc] for doc in docs]))
print(docs[0]._.trf_data.last_hidden_layer_state.dataXd.shape)
"""


def assert_runs_without_torch(folder: Path, text: str) -> None:
    """A saved pipeline annotates as it does here, where neither torch nor a stock package can be
    imported, and has `trf_data` there."""
    import subprocess
    import sys

    doc = spacy.load(folder)(text)
    here = [[t.tag_, t.head.i, t.dep_, t.ent_type_] for t in doc]
    command = [sys.executable, "-c", BLOCK + RUN, str(folder), text]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    found, shape = result.stdout.splitlines()
    assert json.loads(found) == [here] * 3
    assert shape == str((len(doc), WIDTH))
