"""The sentences that speeds are measured on."""

from pathlib import Path

import spacy
from spacy.tokens import DocBin
from wasabi import msg

from spacy_pretrained.corpora.conllu import read_conllu


def read_sentences(path: Path) -> list[tuple[str, int]]:
    """The sentences of a DocBin or a CoNLL-U file, each with its number of words."""
    vocab = spacy.blank("xx").vocab
    if path.suffix == ".conllu":
        docs = read_conllu(path, vocab, multiword="auto")
    else:
        docs = DocBin().from_disk(path).get_docs(vocab)
    found = [sent for doc in docs if doc.has_annotation("SENT_START") for sent in doc.sents]
    sentences = [(sent.text.strip(), len(sent)) for sent in found if sent.text.strip()]
    if not sentences:
        msg.fail(f"{path} has no sentences.", exits=1)
    return sentences
