"""Text classification of long documents by encoders of different kinds, trained on few documents.

    python benchmarks/long_documents.py data/textcat_sentence_polarity

The folder holds the Sentence Polarity Dataset 1.0, rt-polarity.pos and rt-polarity.neg. A document
is snippets of one label, put together to 250 words; no snippet is in two documents. Each encoder is
trained with three seeds, for a number of epochs that was fixed beforehand. Each result is written
at once, and results that the output has already are not computed again; delete it to begin anew.
"""

import json
import random
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import Annotated, Any

import spacy
import typer
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import minibatch
from thinc.api import Adam, Optimizer, fix_random_seed
from wasabi import msg

from spacy_pretrained.checkpoints.learn_wordpieces import learn_wordpieces
from spacy_pretrained.training.schedules import warmup_linear

ROOT = Path(__file__).parent.parent
LABELS = ("pos", "neg")
N_WORDS = 250
N_DOCUMENTS = {"train": 120, "dev": 60, "test": 120}
SHARES = {"train": 0.4, "dev": 0.2, "test": 0.4}  # of the snippets
SEPARATOR = ";"  # in place of a full stop: a window would end there, whatever its size
FINAL = ".!?"
BATCH = 8
VOCABULARY = 4000

ENCODER = "pretrained_encoder"
BAG = {"@architectures": "spacy.TextCatBOW.v3", "exclusive_classes": True, "ngram_size": 1}
BAG |= {"no_output_layer": False, "length": 262144}
TORCH = {"@architectures": "spacy-pretrained.TorchEncoder.v1", "orth_width": 0}
RANDOM = 1.0  # the learn_rate_factor of random weights; pretrained ones have that of their size
MINILM = TORCH | {"mixed_precision": True}
SCRATCH = {
    "@architectures": "spacy-pretrained.TransformerFromScratch.v1",
    "layers": 2,
    "width": 128,
    "heads": 4,
    "orth_width": 0,
    "learn_rate_factor": RANDOM,
}
LONGFORMER = {"num_hidden_layers": 2, "hidden_size": 128, "num_attention_heads": 4}
LONGFORMER |= {"intermediate_size": 512, "attention_window": [64, 64]}
OF_MINILM, OF_SCRATCH = {"source": "minilm-l6"}, {"vocabulary_size": VOCABULARY}


@dataclass(frozen=True)
class Run:
    """An encoder, and how long it is trained."""

    epochs: int
    model: dict[str, Any] | None = None  # of the encoder; None for a bag of words
    initialize: dict[str, Any] = field(default_factory=dict)
    every: int = 3  # epochs between evaluations


RUNS = {
    "bag of words (spaCy's)": Run(12),
    "from scratch, windows of 64": Run(12, SCRATCH | {"window": 64}, OF_SCRATCH),
    "from scratch, windows of 512": Run(12, SCRATCH | {"window": 512}, OF_SCRATCH),
    "random Longformer": Run(12, TORCH | {"window": 512, "learn_rate_factor": RANDOM}),
    "MiniLM, frozen": Run(12, MINILM | {"frozen": True}, OF_MINILM),
    "from scratch and frozen MiniLM": Run(
        12,
        {
            "@architectures": "spacy-pretrained.ConcatEncoder.v1",
            "encoders": {"minilm": MINILM | {"frozen": True}, "own": SCRATCH | {"window": 64}},
        },
        {"encoders": {"minilm": OF_MINILM, "own": OF_SCRATCH}},
    ),
    "MiniLM, fine-tuned": Run(2, MINILM, OF_MINILM, every=1),
}
Split = list[tuple[str, str]]  # texts, and their labels


def main(
    data: Annotated[Path, typer.Argument(help="Folder of the Sentence Polarity Dataset")],
    output: Annotated[Path, typer.Option()] = ROOT / "metrics" / "long-documents.json",
    folder: Annotated[Path, typer.Option(help="For vectors and the Longformer")] = ROOT
    / "training"
    / "long_documents",
    seeds: Annotated[int, typer.Option(min=1)] = 3,
) -> None:
    """Text classification of long documents by encoders of different kinds."""
    splits = make_splits(data)
    report = read_known(output, splits)
    for seed in range(seeds):
        for name, run in RUNS.items():
            known = report["runs"].setdefault(name, {})
            if str(seed) not in known:
                known[str(seed)] = train(run, seed, splits, folder)
                msg.text(f"{name}, seed {seed}: {known[str(seed)]}")
                output.parent.mkdir(parents=True, exist_ok=True)
                output.write_text(json.dumps(report, indent=2) + "\n", "utf8")
    for name, found in report["runs"].items():
        msg.good(f"{name}: {mean(result['test'] for result in found.values()):.1f}")


def read_known(output: Path, splits: dict[str, Split]) -> dict[str, Any]:
    """What an earlier command found, if it was about documents of the same number and size."""
    settings = {
        "words": N_WORDS,
        "documents": {name: len(split) for name, split in splits.items()},
        "batch": BATCH,
        "epochs": {name: run.epochs for name, run in RUNS.items()},
    }
    if output.is_file():
        report = json.loads(output.read_text("utf8"))
        if report["settings"] == settings:
            return report
        msg.fail(f"{output} is of other settings. Delete it to begin anew.", exits=1)
    command = shlex.join(["python", *sys.argv])
    return {"command": command, "settings": settings, "runs": {}}


# Documents


def make_splits(folder: Path) -> dict[str, Split]:
    """Documents of each split, as many of either label, in a random order that is always the same.
    Snippets that a file has twice count once."""
    draw = random.Random(0)
    splits: dict[str, Split] = {name: [] for name in SHARES}
    for label in LABELS:
        lines = (folder / f"rt-polarity.{label}").read_text("utf8").splitlines()
        snippets = list(dict.fromkeys(filter(None, map(str.strip, lines))))
        draw.shuffle(snippets)
        start = 0
        for name, share in SHARES.items():
            end = start + round(share * len(snippets))
            documents = list(put_together(snippets[start:end]))[: N_DOCUMENTS[name] // len(LABELS)]
            splits[name] += [(text, label) for text in documents]
            start = end
    for split in splits.values():
        draw.shuffle(split)
    return splits


def put_together(snippets: list[str]) -> Iterator[str]:
    """Documents of N_WORDS words or a few more; what is left over is not used."""
    words: list[str] = []
    for snippet in snippets:
        words += [word.rstrip(FINAL) or SEPARATOR for word in snippet.split()]
        if words[-1] != SEPARATOR:
            words.append(SEPARATOR)
        if len(words) >= N_WORDS:
            yield " ".join(words)
            words = []


# Training


def train(run: Run, seed: int, splits: dict[str, Split], folder: Path) -> dict[str, Any]:
    """Train a pipeline. RETURNS: Its accuracy in percent on the development set after some epochs,
    as pairs, and on the test set at the end."""
    fix_random_seed(seed)
    nlp = make_pipeline(run, splits["train"], folder)
    examples = {
        name: [make_example(nlp.make_doc(text), label) for text, label in split]
        for name, split in splits.items()
    }
    nlp.initialize(lambda: examples["train"])
    n_steps = run.epochs * -(-len(examples["train"]) // BATCH)
    optimizer, draw, dev = make_optimizer(n_steps), random.Random(seed), []
    for epoch in range(1, run.epochs + 1):
        draw.shuffle(examples["train"])
        for batch in minibatch(examples["train"], BATCH):
            nlp.update(batch, sgd=optimizer, drop=0.2)
            optimizer.step_schedules()
        if epoch % run.every == 0:
            dev.append((epoch, score(nlp, examples["dev"])))
    return {"dev": dev, "test": score(nlp, examples["test"])}


def make_pipeline(run: Run, texts: Split, folder: Path) -> Language:
    nlp = spacy.blank("en")
    if run.model is None:
        nlp.add_pipe("textcat", config={"model": BAG})
        return nlp
    initialize = dict(run.initialize)
    if not initialize:
        initialize["source"] = str(make_longformer([text for text, _ in texts], folder))
    if "frozen" in json.dumps(run.model):
        initialize["cache_folder"] = str(folder / "vectors")  # the same for all seeds
    nlp.add_pipe(ENCODER, config={"model": run.model})
    nlp.config["initialize"]["components"][ENCODER] = initialize
    nlp.add_pipe("pretrained_textcat")
    return nlp


def make_longformer(texts: list[str], folder: Path) -> Path:
    """A folder with a Longformer of random weights, and a vocabulary of these texts."""
    from transformers import AutoModel, LongformerConfig

    tokenizer = learn_wordpieces(texts, VOCABULARY)
    n_pieces = len(tokenizer.vocabulary())
    config = LongformerConfig(
        vocab_size=n_pieces,
        pad_token_id=0,
        max_position_embeddings=513,  # places begin behind the padding's
        type_vocab_size=1,
        **LONGFORMER,
    )
    path = folder / "longformer"
    AutoModel.from_config(config).save_pretrained(path)
    (path / "tokenizer.json").write_text(tokenizer.definition, "utf8")
    return path


def make_optimizer(n_steps: int) -> Optimizer:
    return Adam(
        warmup_linear(0.001, n_steps // 10, n_steps),
        beta2=0.999,
        L2=0.01,
        L2_is_weight_decay=True,
        grad_clip=1.0,
    )


def make_example(doc: Doc, label: str) -> Example:
    return Example.from_dict(doc, {"cats": {other: float(other == label) for other in LABELS}})


def score(nlp: Language, examples: list[Example]) -> float:
    """Accuracy, percent."""
    docs = nlp.pipe(example.reference.text for example in examples)
    hits = [
        max(doc.cats, key=doc.cats.get) == max(e.reference.cats, key=e.reference.cats.get)
        for doc, e in zip(docs, examples)
    ]
    return 100 * mean(hits)


if __name__ == "__main__":
    typer.run(main)
