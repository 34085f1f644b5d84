"""Score a pipeline on a CoNLL-U file by the measures of the CoNLL 2018 shared task and spaCy's own,
and by the entities of a .spacy file.

    python scripts/evaluate.py training/ewt/model-best assets/ewt/test.conllu \\
        --entities corpus/ewt/dev.spacy --output metrics/ewt/test.json

Several sets may follow each other, each with its own --entities and --output.

A treebank has three protocols: gold tokens and gold sentences; gold tokens, sentences predicted;
raw text. The shared task counts punctuation and leaves out subtypes of relations, spaCy's scorer
does the opposite. What the pipeline does not predict is null. Entities are found in Docs of the
gold tokens; only exact matches count. All figures are percent.
"""

import json
from itertools import zip_longest
from numbers import Real
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import spacy
import typer
from spacy.language import Language
from spacy.scorer import Scorer, get_ner_prf
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from wasabi import msg

import spacy_pretrained
from spacy_pretrained.corpora.conllu import read_conllu
from spacy_pretrained.scoring.conll18 import Annotation, annotation_of, read_gold, score

PROTOCOLS = {
    "gold_tokens_gold_sentences": "gold tokens, gold sentences",
    "gold_tokens": "gold tokens",
    "raw_text": "raw text",
}
# The annotation of a Doc without which a measure says nothing.
NEEDS = {
    "Sentences": "SENT_START",
    "UPOS": "POS",
    "XPOS": "TAG",
    "UFeats": "MORPH",
    "Lemmas": "LEMMA",
    "UAS": "DEP",
    "LAS": "DEP",
}
# Those of spaCy's scores that the table shows; the file has all.
SPACY_SCORES = ["pos_acc", "tag_acc", "morph_acc", "lemma_acc", "sents_f", "dep_uas", "dep_las"]


def main(
    model: Annotated[str, typer.Argument(help="Pipeline: a folder or an installed package")],
    treebanks: Annotated[
        list[Path],
        typer.Argument(metavar="TREEBANK", help="Gold annotation: .conllu files", exists=True),
    ] = [],  # noqa: B006
    entities: Annotated[
        list[Path],
        typer.Option(help="Gold entities: a .spacy file; one for each treebank", exists=True),
    ] = [],  # noqa: B006
    output: Annotated[
        list[Path], typer.Option(help="JSON file for all scores; one for each treebank")
    ] = [],  # noqa: B006
    gpu_id: Annotated[int, typer.Option(help="GPU for spaCy, -1: none")] = -1,
) -> None:
    n_sets = max(len(treebanks), len(entities))
    if not n_sets:
        msg.fail("Nothing to evaluate on: give a .conllu file, --entities, or both.", exits=1)
    for name, paths in {"treebanks": treebanks, "--entities": entities, "--output": output}.items():
        if len(paths) not in (0, n_sets):
            msg.fail(f"{name}: {len(paths)} files for {n_sets} sets to evaluate on.", exits=1)
    if gpu_id >= 0:
        spacy.require_gpu(gpu_id)
    nlp = spacy.load(model)
    for treebank, entity_file, path in zip_longest(treebanks, entities, output):
        evaluate_set(nlp, model, treebank, entity_file, path, gpu_id)


def evaluate_set(
    nlp: Language,
    model: str,
    treebank: Path | None,
    entities: Path | None,
    output: Path | None,
    gpu_id: int,
) -> None:
    """Score on one set, and write and show what was found."""
    results: dict[str, Any] = {
        "model": model,
        "pipeline": nlp.pipe_names,
        "pipeline_version": nlp.meta["version"],
        "gpu_id": gpu_id,
        "spacy": spacy.__version__,
        "spacy_pretrained": spacy_pretrained.__version__,
    }
    if treebank:
        results |= evaluate_treebank(nlp, treebank)
        show_treebank(results)
    if entities and (scores := evaluate_entities(nlp, entities)):
        results["entities"] = scores
        show_entities(scores)
    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(json.dumps(results, indent=2, sort_keys=True) + "\n", encoding="utf8")


def evaluate_treebank(nlp: Language, data: Path) -> dict[str, Any]:
    """Scores by protocol, and what they are of."""
    gold = read_gold(data)
    gold_docs = list(read_conllu(data, nlp.vocab))
    return {
        "file": str(data),
        "documents": len(gold_docs),
        "sentences": len(gold.sentences),
        "words": len(gold.words),
        "protocols": {name: run_protocol(nlp, gold, gold_docs, name) for name in PROTOCOLS},
    }


def evaluate_entities(nlp: Language, data: Path) -> dict[str, Any]:
    """Scores of exact matches; empty if the file or the pipeline has no entities."""
    docs = DocBin().from_disk(data).get_docs(nlp.vocab)
    gold = [doc for doc in docs if doc.has_annotation("ENT_IOB")]
    found = list(nlp.pipe(bare(doc, keep_sentences=False) for doc in gold))
    if not any(doc.has_annotation("ENT_IOB") for doc in found):
        return {}
    scores = get_ner_prf([Example(doc, gold_doc) for doc, gold_doc in zip(found, gold)])
    return {
        "file": str(data),
        "documents": len(gold),
        "words": sum(map(len, gold)),
        "entities": sum(len(doc.ents) for doc in gold),
        "all": percents(scores, "ents_"),
        "by_label": {k: percents(v) for k, v in sorted((scores["ents_per_type"] or {}).items())},
    }


def percents(scores: dict[str, Any], prefix: str = "") -> dict[str, float | None]:
    """Null where there is nothing to find, and nothing was found."""
    names = {"precision": "p", "recall": "r", "f1": "f"}
    found = {name: scores[prefix + short] for name, short in names.items()}
    return {name: None if value is None else round(100 * value, 4) for name, value in found.items()}


def run_protocol(
    nlp: Language, gold: Annotation, gold_docs: list[Doc], protocol: str
) -> dict[str, Any]:
    if protocol == "raw_text":
        inputs: list[str | Doc] = surface_texts(gold_docs, gold)
    else:
        inputs = [bare(doc, keep_sentences="sentences" in protocol) for doc in gold_docs]
    list(nlp.pipe([inputs[0] if isinstance(inputs[0], str) else inputs[0].copy()]))  # warm up
    start = perf_counter()
    docs = list(nlp.pipe(inputs))
    seconds = perf_counter() - start
    system = annotation_of(docs, tokens_of=None if protocol == "raw_text" else gold)
    return {
        "words_per_second": round(len(gold.words) / seconds, 1),
        "conll18": conll18_scores(gold, system, docs),
        "spacy": spacy_scores(nlp, gold_docs, docs),
    }


def bare(doc: Doc, *, keep_sentences: bool) -> Doc:
    """The tokens alone, or with their sentence starts: 1 or -1, where 0 would be unknown."""
    starts = [1 if token.is_sent_start else -1 for token in doc]
    tokens = Doc(
        doc.vocab,
        words=[token.text for token in doc],
        spaces=[bool(token.whitespace_) for token in doc],
        sent_starts=starts if keep_sentences else None,
    )
    tokens.has_unknown_spaces = doc.has_unknown_spaces
    return tokens


def surface_texts(gold_docs: list[Doc], gold: Annotation) -> list[str]:
    """The documents' texts. Docs are made of words; the text has multiword tokens as one."""
    texts = []
    words = iter(gold.words)
    for doc in gold_docs:
        parts: list[str] = []
        last_multiword = None
        for token in doc:
            word = None if token.is_space else next(words)
            if word is None or not word.in_multiword:
                last_multiword = None
                parts.append(token.text_with_ws)
                continue
            if word.span == last_multiword:
                parts.pop()
            last_multiword = word.span
            parts.append(gold.characters[slice(*word.span)] + token.whitespace_)
        texts.append("".join(parts))
    return texts


def conll18_scores(
    gold: Annotation, system: Annotation, docs: list[Doc]
) -> dict[str, dict[str, float | None] | None]:
    def is_annotated(attribute: str) -> bool:
        # The only token of a Doc begins a sentence without anyone's prediction.
        return any(doc.has_annotation(attribute) for doc in docs if len(doc) > 1)

    return {
        name: {
            "precision": round(measure.precision, 4),
            "recall": round(measure.recall, 4),
            "f1": round(measure.f1, 4),
            "aligned_accuracy": rounded(measure.aligned_accuracy),
        }
        if name not in NEEDS or is_annotated(NEEDS[name])
        else None
        for name, measure in score(gold, system).items()
    }


def spacy_scores(nlp: Language, gold_docs: list[Doc], docs: list[Doc]) -> dict[str, float | None]:
    """Percent. Empty where multiword tokens are spelt otherwise than their words: spaCy can only
    compare Docs of the same text."""
    pairs = list(zip(docs, gold_docs))
    if any("".join(doc.text.split()) != "".join(g.text.split()) for doc, g in pairs):
        return {}
    scores = Scorer(nlp).score([Example(doc, gold_doc) for doc, gold_doc in pairs])
    return {
        name: None if value is None else rounded(100 * float(value))
        for name, value in scores.items()
        if value is None or isinstance(value, Real)
    }


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def show_treebank(results: dict[str, Any]) -> None:
    protocols = results["protocols"].values()
    msg.divider(
        f"{results['file']}: {results['sentences']:,} sentences, {results['words']:,} words"
    )
    rows: list[list[str]] = []
    for name in next(iter(protocols))["conll18"]:
        found = [protocol["conll18"][name] for protocol in protocols]
        rows.append([name, *(cell(measure and measure["f1"]) for measure in found)])
    for name in SPACY_SCORES:
        found = [protocol["spacy"].get(name) for protocol in protocols]
        if any(found):
            rows.append([f"spaCy {name}", *map(cell, found)])
    speeds = (f"{protocol['words_per_second']:,.0f}" for protocol in protocols)
    rows.append(["words/s", *speeds])
    header = ["CoNLL-18 F1", *PROTOCOLS.values()]
    msg.table(rows, header=header, divider=True, aligns=["l", "r", "r", "r"])
    sentences = results["protocols"]["gold_tokens_gold_sentences"]["conll18"]["Sentences"]
    if sentences["f1"] < 100:
        msg.warn(
            "The pipeline changed given sentence starts: its first column is not for gold sentences"
        )


def show_entities(scores: dict[str, Any]) -> None:
    msg.divider(f"{scores['file']}: {scores['entities']:,} entities, {scores['words']:,} words")
    rows = [(label, *map(cell, s.values())) for label, s in scores["by_label"].items()]
    rows.append(("all", *map(cell, scores["all"].values())))
    msg.table(rows, header=["", *scores["all"]], divider=True, aligns=["l", "r", "r", "r"])


def cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


if __name__ == "__main__":
    typer.run(main)
