"""Annotate texts with a pipeline, as CoNLL-U: the first step of a treebank of your own, which is to
correct the result by hand.

    python scripts/annotate.py training/ewt/model-best texts.txt texts.conllu

The texts have a sentence a line, an empty line between documents, and may name a document in a
line "# newdoc id = NAME" before it. Lemmas, tags, features, heads, relations and entities (NE= in
MISC) are what the pipeline says; the sentences are the lines. Words that are written as one (do +
n't, Ada + 's) get the line of a multiword token, as Universal Dependencies has it for English.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import spacy
import typer
from spacy.language import Language
from spacy.tokens import Doc
from wasabi import msg

from spacy_pretrained.corpora.conllu import to_conllu
from spacy_pretrained.corpora.conllu_rows import NEWDOC
from spacy_pretrained.errors import count_of

NAME = re.compile(r"#\s*newdoc\s+id\s*=\s*(\S+)")
# What English writes together with the word before it.
CLITICS = ("n't", "'s", "'", "'re", "'ve", "'ll", "'d", "'m")


def main(
    model: Annotated[str, typer.Argument(help="Pipeline: a folder or an installed package")],
    texts: Annotated[Path, typer.Argument(help="Text file: a sentence a line", exists=True)],
    output: Annotated[Path, typer.Argument(help="CoNLL-U file to write")],
) -> None:
    nlp = spacy.load(model)
    documents = list(read_documents(texts.read_text(encoding="utf8").splitlines()))
    if not documents:
        msg.fail(f"{texts} has no sentences: write a sentence a line.", exits=1)
    docs = nlp.pipe(make_doc(nlp, sentences) for _, sentences in documents)
    lines = [
        line
        for (name, _), doc in zip(documents, docs)
        for line in join_clitics(to_conllu(doc, name).splitlines())
    ]
    output.write_text("".join(line + "\n" for line in lines), encoding="utf8")
    n_sentences = sum(len(sentences) for _, sentences in documents)
    msg.good(
        f"{output}: {count_of(len(documents), 'document')}, {count_of(n_sentences, 'sentence')}"
    )


def read_documents(lines: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """The name of each document and its sentences."""
    number, name, sentences = 0, "", []
    for line in [*lines, ""]:
        line = line.strip()
        if NEWDOC.match(line):
            match = NAME.match(line)
            name = match[1] if match else ""
        elif line:
            sentences.append(line)
        elif sentences:
            number += 1
            yield name or f"doc{number}", sentences
            name, sentences = "", []


def make_doc(nlp: Language, sentences: list[str]) -> Doc:
    """One Doc of sentences whose starts are known."""
    parts = [nlp.make_doc(sentence) for sentence in sentences]
    words, spaces, starts = [], [], []
    for part in parts:
        words += [token.text for token in part]
        spaces += [*(bool(token.whitespace_) for token in part[:-1]), True]
        starts += [1] + [-1] * (len(part) - 1)
    return Doc(nlp.vocab, words=words, spaces=spaces, sent_starts=starts)


def join_clitics(lines: list[str]) -> Iterator[str]:
    """Put the line of a multiword token before words that are written as one."""
    rows = [line.split("\t") for line in lines]
    for i, row in enumerate(rows):
        end = i
        while end + 1 < len(rows) and is_clitic(rows[end], rows[end + 1]):
            end += 1
        goes_on = i > 0 and is_clitic(rows[i - 1], row)
        if end > i and not goes_on:
            form = "".join(r[1] for r in rows[i : end + 1])
            misc = "SpaceAfter=No" if "SpaceAfter=No" in rows[end][-1] else "_"
            yield "\t".join([f"{row[0]}-{rows[end][0]}", form, *"_" * 7, misc])
        # The spaces behind words of a multiword token are those of its line.
        yield without_space(row) if end > i or goes_on else lines[i]


def without_space(row: list[str]) -> str:
    values = [value for value in row[-1].split("|") if value != "SpaceAfter=No"]
    return "\t".join([*row[:-1], "|".join(values) or "_"])


def is_clitic(left: list[str], right: list[str]) -> bool:
    """Whether a row goes on with the written word of the row before."""
    if len(left) < 10 or len(right) < 10 or "SpaceAfter=No" not in left[-1]:
        return False
    together = left[1].lower() == "can" and right[1].lower() == "not"
    return together or (right[1].lower() in CLITICS and right[3] != "PUNCT")


if __name__ == "__main__":
    typer.run(main)
