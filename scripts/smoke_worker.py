"""What scripts/smoke.py runs in the environment of a pipeline: annotate texts, write all of it.

Needs spaCy and the pipeline, nothing else.
"""

import importlib.util
import json
import sys
from pathlib import Path
from time import perf_counter

start = perf_counter()
import spacy  # noqa: E402

MODULES = ("torch", "transformers", "nncf", "openvino", "spacy_transformers")


def main(name: str, texts: str, output: str) -> None:
    nlp = spacy.load(name)
    lines = json.loads(Path(texts).read_text("utf8"))
    first = nlp(lines[0])
    seconds = perf_counter() - start
    list(nlp.pipe(lines))  # engines compile a kernel for each shape: warm
    start_pipe = perf_counter()
    docs = list(nlp.pipe(lines))
    rate = sum(map(len, docs)) / (perf_counter() - start_pipe)
    assert [token.text for token in first] == [token.text for token in docs[0]]
    found = {
        "docs": [describe(doc) for doc in docs],
        "words": sum(map(len, docs)),
        "load_seconds": round(seconds, 2),
        "words_per_second": round(rate, 1),
        "modules": [name for name in MODULES if importlib.util.find_spec(name)],
    }
    Path(output).write_text(json.dumps(found), encoding="utf8")


def describe(doc) -> dict[str, list]:
    confidence = spacy.tokens.Span.has_extension("confidence")
    return {
        "tokens": [token.text for token in doc],
        "tags": [token.tag_ for token in doc],
        "pos": [token.pos_ for token in doc],
        "morphs": [str(token.morph) for token in doc],
        "lemmas": [token.lemma_ for token in doc],
        "heads": [token.head.i for token in doc],
        "deps": [token.dep_ for token in doc],
        "sentences": [token.i for token in doc if token.is_sent_start],
        "entities": [f"{ent.start}-{ent.end} {ent.label_}" for ent in doc.ents],
        "confidences": [ent._.confidence or 0.0 for ent in doc.ents] if confidence else [],
        "cats": [f"{label} {score:.3f}" for label, score in sorted(doc.cats.items())],
        "spans": [
            f"{key} {span.start}-{span.end} {span.label_}"
            for key, group in sorted(doc.spans.items())
            for span in group
        ],
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
