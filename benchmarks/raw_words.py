"""How well TreebankTokenizer.v1 finds the words of raw text, after few sentences of a language.

    python benchmarks/raw_words.py de=de_pud-ud-test.conllu.gz fr=fr_pud-ud-test.conllu.gz

Each treebank is cut: the tokenizer and the table of multiword tokens are learnt from its first
sentences, and words are looked for in the raw text of the others. Three rows a language: the F1 of
words with the rules of spaCy alone; with what was learnt; and its ceiling, the F1 of *gold* tokens
whose words are those of the learnt table. The figures go to metrics/raw-words.json.
"""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import spacy
import typer
from spacy.language import Language
from spacy.training import Example
from wasabi import msg

from spacy_pretrained.annotation.bare import bare_copy
from spacy_pretrained.corpora.conllu import read_conllu
from spacy_pretrained.scoring.conll18 import annotation_of, read_gold, score
from spacy_pretrained.scoring.evaluate import surface_texts

LEARNING = {"nlp": {"tokenizer": {"@tokenizers": "spacy-pretrained.TreebankTokenizer.v1"}}}
COLUMNS = {"rules": "spaCy's rules", "learnt": "learnt", "ceiling": "ceiling"}


def main(
    treebanks: Annotated[list[str], typer.Argument(help="LANG=FILE, .conllu or .conllu.gz")],
    sentences: Annotated[int, typer.Option(help="Those to learn from, the first ones")] = 800,
    output: Annotated[Path, typer.Option(help="JSON file")] = Path("metrics/raw-words.json"),
) -> None:
    found = {}
    for entry in treebanks:
        lang, _, file = entry.partition("=")
        with TemporaryDirectory() as folder:
            train, test = cut(Path(file), sentences, Path(folder))
            found[lang] = {"file": Path(file).name, "learnt_from": sentences}
            found[lang] |= score_words(lang, train, test)
    rows = [[lang, *(f"{row[name]:.2f}" for name in COLUMNS)] for lang, row in found.items()]
    msg.table(rows, header=["words, F1", *COLUMNS.values()], divider=True, aligns=list("lrrr"))
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(found, indent=2) + "\n", encoding="utf8")
    msg.good(str(output))


def cut(treebank: Path, sentences: int, folder: Path) -> tuple[Path, Path]:
    """Files of the first sentences, and of the others."""
    with (gzip.open if treebank.suffix == ".gz" else open)(treebank, "rt", encoding="utf8") as file:
        blocks = [block for block in file.read().split("\n\n") if block.strip()]
    if len(blocks) <= sentences:
        msg.fail(f"{treebank} has {len(blocks)} sentences, no more than --sentences", exits=1)
    paths = folder / "train.conllu", folder / "test.conllu"
    for path, part in zip(paths, (blocks[:sentences], blocks[sentences:])):
        path.write_text("\n\n".join(part).strip("\n") + "\n\n", encoding="utf8")
    return paths


def score_words(lang: str, train: Path, test: Path) -> dict[str, float | int]:
    nlp = spacy.blank(lang, config=LEARNING)
    gold = read_gold(test)
    docs = list(read_conllu(test, nlp.vocab, multiword="auto"))
    texts = surface_texts(docs, gold)
    rules = spacy.blank(lang)

    def f1(nlp: Language, inputs: list) -> float:
        return round(score(gold, annotation_of(map(nlp, inputs)))["Words"].f1, 2)

    def examples() -> Iterator[Example]:
        for doc in read_conllu(train, nlp.vocab, multiword="auto"):
            yield Example(nlp.make_doc(doc.text), doc)

    nlp.initialize(examples)
    return {
        "scored_words": len(gold.words),
        "rules": f1(rules, texts),
        "learnt": f1(nlp, texts),
        "ceiling": f1(nlp, [bare_copy(doc) for doc in docs]),
    }


if __name__ == "__main__":
    typer.run(main)
