"""What tests/test_gpu.py runs: pipelines that train and annotate where spaCy is on a GPU, or on
what stands in for one, and the same on the CPU.

    python tests/gpu_worker.py cpu|gpu BERT NLI output.json

BERT, NLI: Folders of a tiny encoder and of a tiny model of entailment. They run on the CPU: torch
finds no GPU. What the output has of each scene is to be the same for both, within rounding.
"""

import json
import sys
import traceback
from pathlib import Path

import stand_in_cupy

DEVICE, BERT, NLI, OUTPUT = sys.argv[1:]
if DEVICE == "gpu":
    stand_in_cupy.install()

import spacy  # noqa: E402
from saved_pipelines import SAVED  # noqa: E402
from spacy.language import Language  # noqa: E402
from spacy.training import Example  # noqa: E402
from thinc.api import fix_random_seed, get_current_ops  # noqa: E402
from tiny_pipelines import (  # noqa: E402
    CNN,
    DOCUMENTS,
    ENCODER,
    annotations,
    as_blank,
    fast_optimizer,
    make_examples,
    make_nlp,
    make_reference,
    train,
)

from spacy_pretrained.annotation.confidence import confidence  # noqa: E402

HEADS = {
    "pretrained_tagger": {"confidence": True},
    "biaffine_parser": {"confidence": True},
    "pretrained_ner": {"confidence": True},
    "pretrained_lemmatizer": {"confidence": True},
    "pretrained_textcat": {"mixing_alpha": 0.4, "multi_label": True},
}
NEW_LABELS = {"pretrained_ner": "NEW", "pretrained_lemmatizer": "mice\tmouse"}
MORE_LABELS = {"pretrained_tagger": "tag=NEW", "biaffine_parser": "new"}
KINDS = ("tag", "pos", "morph", "lemma", "head", "dep", "sent_start")
TEXTS = ["The shells she sold were sea shells.", "A lazy dog jumps.", "", " "]
FEW = [("sea", TEXTS[0]), ("dogs", TEXTS[1]), ("sea", "The sea."), ("dogs", "Two dogs.")]


def make_all(**encoder: object) -> Language:
    return make_nlp(BERT, *HEADS.items(), device="cpu", **encoder)


def copy(nlp: Language) -> Language:
    return spacy.blank(nlp.lang, config=nlp.config).from_bytes(nlp.to_bytes())


def annotate(nlp: Language) -> list:
    docs = list(nlp.pipe(as_blank(make_reference(nlp.vocab, n)) for n in DOCUMENTS))
    docs += [nlp(nlp.make_doc(text)) for text in TEXTS]
    return [
        [annotations(doc) for doc in docs],
        [get_current_ops().to_numpy(doc.tensor).tolist() for doc in docs if doc.tensor.size],
        [[confidence(token, kind) for kind in KINDS] for doc in docs for token in doc],
        [confidence(span) for doc in docs for span in doc.ents],
    ]


def learn_and_annotate() -> list:
    nlp = make_all()
    losses = train(nlp, make_examples(nlp), 4, drop=0.1)
    loaded = copy(nlp)
    return [losses, annotate(nlp), annotate(loaded)]


def learn_more() -> list:
    nlp = make_all()
    examples = make_examples(nlp)
    train(nlp, examples, 2)
    optimizer = nlp.resume_training(sgd=fast_optimizer())
    for name, label in NEW_LABELS.items():
        nlp.get_pipe(name).add_label(label)
    losses = [nlp.rehearse(examples, losses={})]
    for name, label in MORE_LABELS.items():
        nlp.get_pipe(name).add_label(label)
    return [*losses, nlp.update(examples, sgd=optimizer, losses={}), annotate(nlp)]


def learn_from_a_teacher() -> list:
    teacher = make_all()
    examples = make_examples(teacher)
    train(teacher, examples, 2)
    weights = ("pretrained_tagger", "biaffine_parser", "pretrained_ner")
    for name in weights:
        teacher.get_pipe(name).distill_weight = 0.5
    docs = [teacher.make_doc(example.text) for example in examples]
    said = [teacher.get_pipe(name).teach(list(teacher.pipe(docs)), 2.0, 3) for name in weights]
    for i, example in enumerate(examples):
        example.reference.user_data["pretrained_taught"] = {
            "temperature": 2.0,
            **said[0][i],
            **said[1][i],
            **said[2][i],
        }
    return [teacher.update(examples, losses={}), annotate(teacher)]


def keep_a_frozen_encoder() -> list:
    nlp = make_all(frozen=True, mixed_precision=True, stride=5, window=12)
    return [train(nlp, make_examples(nlp), 3), annotate(nlp)]


def use_another_encoder() -> list:
    found = []
    for model in (
        {
            "@architectures": "spacy-pretrained.ConcatEncoder.v1",
            "encoders": {
                name: {
                    "@architectures": "spacy-pretrained.TransformerFromScratch.v1",
                    "layers": 1,
                    "width": width,
                    "heads": 2,
                    "device": "cpu",
                }
                for name, width in (("wide", 16), ("narrow", 8))
            },
        },
        {
            "@architectures": "spacy-pretrained.TransformerFromScratch.v1",
            "layers": 1,
            "width": 16,
            "heads": 2,
            "device": "cpu",
            "gradient_checkpointing": True,
        },
    ):
        nlp = spacy.blank("en")
        nlp.add_pipe(ENCODER, config={"model": model})
        nlp.add_pipe("pretrained_tagger")
        found += [train(nlp, make_examples(nlp), 2), annotate(nlp)]
    nlp = spacy.blank("en")
    nlp.add_pipe("biaffine_parser", config={"model": {"tok2vec": CNN}})
    nlp.add_pipe("pretrained_ner", config={"model": {"tok2vec": CNN}})
    return [*found, train(nlp, make_examples(nlp), 2), annotate(nlp)]


def classify_from_few_examples() -> list:
    found = []
    for multi_label in (False, True):
        nlp = spacy.blank("en")
        encoder = {"device": "cpu"}
        settings = {"labels": ["sea", "dogs"], "multi_label": multi_label}
        nlp.add_pipe("few_shot_textcat", config=settings | {"model": {"encoder": encoder}})
        nlp.config["initialize"]["components"]["few_shot_textcat"] = {"source": BERT}
        nlp.initialize()
        cats = [{name: float(name == label) for name in ("sea", "dogs")} for label, _ in FEW]
        texts = [nlp.make_doc(text) for _, text in FEW]
        examples = [Example.from_dict(doc, {"cats": c}) for doc, c in zip(texts, cats)]
        nlp.get_pipe("few_shot_textcat").fit(examples, n_steps=2, progress=False)
        nlp.get_pipe("few_shot_textcat").add_label("rivers")
        loaded = copy(nlp)
        found += [[doc.cats for doc in one.pipe(TEXTS)] for one in (nlp, loaded)]
    return found


def classify_without_examples() -> list:
    found = []
    entailment = {"@architectures": "spacy-pretrained.EntailmentClassifier.v1", "device": "cpu"}
    for source, model in ((BERT, {"encoder": {"device": "cpu"}}), (NLI, entailment)):
        nlp = spacy.blank("en")
        nlp.add_pipe("zero_shot_textcat", config={"labels": ["sea", "dogs"], "model": model})
        nlp.config["initialize"]["components"]["zero_shot_textcat"] = {"source": source}
        nlp.initialize()
        found.append([doc.cats for doc in nlp.pipe(TEXTS)])
        if source == BERT:
            nlp.get_pipe("zero_shot_textcat").calibrate(TEXTS[:2])
            found.append([doc.cats for doc in nlp.pipe(TEXTS)])
    return found


def run_quantized() -> list:
    """On OpenVINO, which has no GPU here."""
    folders = sorted(SAVED.glob("v0.2.0/*_int8"))
    return [annotate(spacy.load(folder / "pipeline")) for folder in folders]


SCENES = (
    learn_and_annotate,
    learn_more,
    learn_from_a_teacher,
    keep_a_frozen_encoder,
    use_another_encoder,
    classify_from_few_examples,
    classify_without_examples,
    run_quantized,
)


def main() -> None:
    if DEVICE == "gpu":
        spacy.require_gpu()
    found = {}
    for scene in SCENES:
        fix_random_seed(0)
        try:
            found[scene.__name__] = scene()
        except Exception:
            found[scene.__name__] = traceback.format_exc()
    Path(OUTPUT).write_text(json.dumps(found), "utf8")


if __name__ == "__main__":
    main()
