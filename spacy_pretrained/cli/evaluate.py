"""`python -m spacy pretrained evaluate`."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from wasabi import msg

from ..errors import count_of
from .clear_errors import clear_errors
from .interrupts import ends_when_interrupted
from .outputs import check_writable

# Those of spaCy's scores that the table shows; the file has all.
SPACY_SCORES = ["pos_acc", "tag_acc", "morph_acc", "lemma_acc", "sents_f", "dep_uas", "dep_las"]


def evaluate(
    pipeline: Annotated[str, typer.Argument(help="Trained pipeline: a folder or a package")],
    gold: Annotated[
        list[Path],
        typer.Argument(
            metavar="GOLD...",
            help="Gold annotation: .conllu or .conllu.gz (treebank), .spacy (entities, categories)",
            exists=True,
            dir_okay=False,
        ),
    ],
    output: Annotated[Path | None, typer.Option("--json", help="JSON file for all scores")] = None,
    gpu_id: Annotated[int, typer.Option(help="GPU for spaCy, or -1 for the CPU")] = -1,
) -> None:
    """Score a pipeline on gold annotation that it was not trained on.

    A treebank is scored by the measures of the CoNLL 2018 shared task and by spaCy's, on gold
    tokens and sentences, on gold tokens, on raw text and, if that has line breaks, on raw text with
    spaces in their place. Entities and categories are scored on gold tokens. Scores are in percent.
    What the pipeline does not predict is shown as "-" (null in the file).

    Example: python -m spacy pretrained evaluate my_pipeline test.conllu test.spacy --json test.json
    """
    with clear_errors(), ends_when_interrupted():
        import spacy

        import spacy_pretrained

        from ..scoring.evaluate import check_formats
        from ..scoring.evaluate import evaluate as score_on

        check_formats(gold)
        if output is not None:
            check_writable(output)
        if gpu_id >= 0:
            spacy.require_gpu(gpu_id)
        nlp = spacy.load(pipeline)
        scores = score_on(nlp, gold, report=msg.info)
    for treebank in scores["treebanks"]:
        show_treebank(treebank)
    for entities in scores["entities"]:
        show_entities(entities)
    for categories in scores["categories"]:
        show_categories(categories)
    scored = {found["file"] for kind in scores.values() for found in kind}
    for path in gold:
        if str(path) not in scored:
            msg.warn(f"{path}: no entities or categories that both the file and the pipeline have")
    if not scored:
        msg.fail("Nothing was scored.", exits=1)
    if output is not None:
        about = {
            "model": pipeline,
            "pipeline": nlp.pipe_names,
            "pipeline_version": nlp.meta["version"],
            "gpu_id": gpu_id,
            "spacy": spacy.__version__,
            "spacy_pretrained": spacy_pretrained.__version__,
        }
        write(about | scores, output)


def write(results: dict[str, Any], path: Path) -> None:
    with clear_errors():
        path.write_text(json.dumps(results, indent=2, sort_keys=True) + "\n", encoding="utf8")
    msg.good(f"Written to {path}")


def show_treebank(results: dict[str, Any]) -> None:
    from ..scoring.evaluate import PROTOCOLS

    protocols = results["protocols"]
    msg.divider(
        f"{results['file']}: {count_of(results['sentences'], 'sentence')}, "
        f"{count_of(results['words'], 'word')}"
    )
    if results["empty_nodes"]:
        msg.text(f"Empty nodes left out, as the shared task does: {results['empty_nodes']:,}")
    rows: list[list[str]] = []
    for name in protocols["raw_text"]["conll18"]:
        found = [protocol["conll18"][name] for protocol in protocols.values()]
        rows.append([name, *(cell(measure and measure["f1"]) for measure in found)])
    for name in SPACY_SCORES:
        found = [protocol["spacy"].get(name) for protocol in protocols.values()]
        if any(value is not None for value in found):
            rows.append([f"spaCy {name}", *map(cell, found)])
    speeds = (f"{protocol['words_per_second']:,.0f}" for protocol in protocols.values())
    rows.append(["words/s", *speeds])
    header = ["CoNLL-18 F1", *(PROTOCOLS[name] for name in protocols)]
    msg.table(rows, header=header, divider=True, aligns=["l", *"r" * len(protocols)])
    sentences = results["protocols"]["gold_tokens_gold_sentences"]["conll18"]["Sentences"]
    if sentences is not None and sentences["f1"] < 100:
        msg.warn(
            "The pipeline changed given sentence starts: its first column is not for gold sentences"
        )


def show_categories(scores: dict[str, Any]) -> None:
    component = f", {scores['component']}" if "component" in scores else ""
    documents = count_of(scores["documents"], "document")
    msg.divider(f"{scores['file']}{component}: categories of {documents}")
    rows = [(label, *map(cell, s.values())) for label, s in scores["by_label"].items()]
    rows += [(name, *map(cell, scores[name].values())) for name in ("micro", "macro")]
    header = ["", *scores["micro"]]
    msg.table(rows, header=header, divider=True, aligns=["l", "r", "r", "r"])
    msg.text(f"{scores['score_of']}: {cell(scores['score'])}")


def show_entities(scores: dict[str, Any]) -> None:
    entities = count_of(scores["entities"], "entity", "entities")
    msg.divider(f"{scores['file']}: {entities}, {count_of(scores['words'], 'word')}")
    rows = [(label, *map(cell, s.values())) for label, s in scores["by_label"].items()]
    rows.append(("all", *map(cell, scores["all"].values())))
    msg.table(rows, header=["", *scores["all"]], divider=True, aligns=["l", "r", "r", "r"])


def cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
