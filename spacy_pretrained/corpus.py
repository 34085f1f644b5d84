"""A corpus reader that gives gold tokens and cuts long documents where sentences end."""

from collections.abc import Callable, Iterator
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Corpus, Example
from spacy.training.corpus import FILE_TYPE, walk_corpus


def build_corpus(
    path: Path | None, gold_tokens: bool = True, max_tokens: int = 0, limit: int = 0
) -> Callable[[Language], Iterator[Example]]:
    """Build a reader of `.spacy` files, over spaCy's own.

    path: A file or a folder of files.
    gold_tokens: Take the tokens of the annotation, rather than the pipeline's tokenizer's, whose
        tokens can only learn where the two agree.
    max_tokens: Cut documents into parts of at most this many tokens, in between sentences (a
        sentence is never cut). Batches then mix more documents. 0: never.
    limit: Read this many documents only; 0 means all.
    """
    corpus = Corpus(path, limit=limit)

    def read(nlp: Language) -> Iterator[Example]:
        for document in corpus.read_docbin(nlp.vocab, walk_corpus(corpus.path, FILE_TYPE)):
            for reference in cut(document, max_tokens):
                yield _example(nlp, reference, gold_tokens)

    return read


def cut(doc: Doc, max_tokens: int) -> Iterator[Doc]:
    """Cut a Doc into parts of whole sentences, as many as fit `max_tokens`, at least one."""
    if not 0 < max_tokens < len(doc) or not doc.has_annotation("SENT_START"):
        yield doc
        return
    start = end = 0
    for sentence in doc.sents:
        if end > start and sentence.end - start > max_tokens:
            yield doc[start:end].as_doc()
            start = end
        end = sentence.end
    yield doc[start:end].as_doc()


def _example(nlp: Language, reference: Doc, gold_tokens: bool) -> Example:
    if not gold_tokens and not reference.has_unknown_spaces:
        return Example(nlp.make_doc(reference.text), reference)
    words = [token.text for token in reference]
    spaces = [bool(token.whitespace_) for token in reference]
    return Example(Doc(nlp.vocab, words=words, spaces=spaces), reference)
