"""Write the figures of pipelines/README.md, the model card of what is shipped.

    python scripts/pipelines_card.py

Takes them from the wheels in pipelines/ and from what the commands of `make pipelines` wrote to
metrics/. What was not measured is left out.
"""

import json
from pathlib import Path
from typing import Any

from ship import name_of, read_meta
from try_pipeline import PIPELINES, ROOT

METRICS = ROOT / "metrics"
FOLDERS = {"en_ewt_minilm_int8": "ewt", "en_ewt_tiny_int8": "ewt-tiny"}  # in metrics/
START, END = "<!-- figures -->", "<!-- end figures -->"
NO_WHEEL = "No wheel is here yet: `make pipelines` makes it."
# Of `spacy pretrained evaluate`; words are found by the tokenizer, which gold tokens leave out.
MEASURES = ["Words", "Sentences", "UPOS", "XPOS", "UFeats", "Lemmas", "UAS", "LAS"]
PROTOCOLS = {"raw_text": "raw text", "gold_tokens_gold_sentences": "gold tokens and sentences"}


def main() -> None:
    page = PIPELINES / "README.md"
    page.write_text(fill(page.read_text("utf8")), encoding="utf8")


def fill(page: str, folder: Path = PIPELINES, metrics: Path = METRICS) -> str:
    """The page with the figures of the wheels in a folder."""
    before, rest = page.split(START)
    after = rest.split(END)[1]
    parts = [
        part
        for wheel in sorted(folder.glob("*.whl"))
        for part in describe(wheel, metrics / FOLDERS[name_of(wheel)])
    ]
    return f"{before}{START}\n\n" + "\n\n".join(parts or [NO_WHEEL]) + f"\n\n{END}{after}"


def describe(wheel: Path, metrics: Path) -> list[str]:
    meta = read_meta(wheel)
    components = ", ".join(f"`{name}`" for name in meta["pipeline"])
    parts = [
        f"## {name_of(wheel)}",
        f"{meta['description']} Version {meta['version']}, license: {meta['license']}. "
        f"Components: {components}.",
        *data_parts(meta, read(metrics / "training-data.json")),
        *score_parts(read(metrics / "test-int8.json")),
        *speed_parts(wheel, read(metrics / "smoke-int8.json"), read(metrics / "quantization.json")),
    ]
    return parts


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text("utf8")) if path.exists() else {}


def table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def data_parts(meta: dict[str, Any], data: dict[str, Any]) -> list[str]:
    """What it was trained on, each source with its licence and share of the training tokens."""
    total = sum(found["tokens"] for found in data.values())
    rows = []
    for source in meta["sources"]:
        name, found = source["name"], data.get(source["name"])
        linked = f"[{name}]({source['url']})" if source.get("url") else name
        cells = [f"{found['tokens']:,}", f"{found['tokens'] / total:.0%}"] if found else ["–", "–"]
        author = source.get("author") or "–"
        gives = source.get("gives", "weights of the encoder")  # which `package` adds by itself
        rows.append([linked, author, gives, source["license"], *cells])
    header = ["source", "authors", "what is from it", "license", "training tokens", "share"]
    parts = ["### Data", table(header, rows)]
    if data:
        whole = {
            kind: sum(found[kind] for found in data.values())
            for kind in ("texts", "sentences", "tokens", "entities")
        }
        parts.append("In all: " + ", ".join(f"{n:,} {kind}" for kind, n in whole.items()) + ".")
    return parts


def score_parts(results: dict[str, Any]) -> list[str]:
    if not results:
        return []
    parts = ["### Scores"]
    for treebank in results["treebanks"][:1]:
        columns = [treebank["protocols"][key]["conll18"] for key in PROTOCOLS]
        rows = [[name, *(show(scores.get(name)) for scores in columns)] for name in MEASURES]
        parts.append(
            f"The test set, `{treebank['file']}`, which nothing was chosen by. CoNLL-18 F1, with "
            "punctuation:"
        )
        parts.append(table(["", *PROTOCOLS.values()], rows))
    for entities in results["entities"][:1]:
        scores = {"all": entities["all"], **entities["by_label"]}
        keys = ("precision", "recall", "f1")
        rows = [[label, *(f"{found[key]:.2f}" for key in keys)] for label, found in scores.items()]
        parts.append(
            f"Entities, exact matches, on {entities['entities']:,} entities of "
            f"{entities['words']:,} words (`{entities['file']}`): documents that were held out of "
            "the training of entities, and that the best of its checkpoints was chosen by."
        )
        parts.append(table(["", "precision", "recall", "F1"], rows))
    return parts


def show(score: dict[str, float] | None) -> str:
    return f"{score['f1']:.2f}" if score else "–"


def speed_parts(wheel: Path, smoke: dict[str, Any], quantization: dict[str, Any]) -> list[str]:
    lines = [f"- The wheel has {wheel.stat().st_size / 1e6:.1f} MB."]
    if smoke:
        lines += [
            f"- Installed with all that it needs, without PyTorch: {smoke['environment_mb']:,} MB.",
            f"- Loaded, and a first text annotated, in {smoke['load_seconds']:.1f} s.",
            f"- All components together annotate {smoke['words_per_second']:,.0f} words a second "
            f"there ({smoke['words']:,} words of the test set, `nlp.pipe`).",
        ]
    speed = quantization.get("words_per_second")
    if speed:
        lines.append(
            f"- Beside the same pipeline on PyTorch, in one run: {speed['ratio']:.2f} times the "
            f"words a second ({speed['after']:,.0f} and {speed['before']:,.0f})."
        )
    return ["### Speed and size", "\n".join(lines)]


if __name__ == "__main__":
    main()
