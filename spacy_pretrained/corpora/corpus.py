"""A corpus reader that gives gold tokens and cuts long documents where sentences end."""

from collections.abc import Callable, Iterator
from itertools import islice
from os.path import expanduser
from pathlib import Path

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Corpus, Example
from spacy.training.corpus import FILE_TYPE, walk_corpus
from spacy.vocab import Vocab

from ..annotation.bare import bare_copy
from ..annotation.sentences import passed_over
from .errors import Errors
from .line_breaks import without_line_breaks
from .multiword import copy_words


def build_corpus(
    path: Path | None,
    gold_tokens: bool = True,
    gold_sentences: float = 0.0,
    max_tokens: int = 0,
    lost_line_breaks: float = 0.0,
    limit: int = 0,
) -> Callable[[Language], Iterator[Example]]:
    """Build a reader of `.spacy` files, over spaCy's own. Empty documents are left out, as there.

    path: A file or a folder of files.
    gold_tokens: Take the tokens of the annotation, rather than the pipeline's tokenizer's, whose
        tokens can only learn where the two agree.
    gold_sentences: The share of examples, evenly spread, whose sentence starts are given as well,
        so that a pipeline learns to work with and without. Only with `gold_tokens`.
    max_tokens: Cut documents into parts of at most this many tokens, in between sentences (a
        sentence is never cut). Batches then mix more documents. 0: never.
    lost_line_breaks: The share of examples, evenly spread over those with and without sentence
        starts, whose line breaks are made spaces, so that a pipeline learns to find sentences
        where they do not show.
    limit: Read this many documents only; 0 means all.
    """
    if not 0 <= gold_sentences <= (1 if gold_tokens else 0):
        raise ValueError(
            Errors.CORPUS_SENTENCES.format(gold_sentences=gold_sentences, gold_tokens=gold_tokens)
        )
    if not 0 <= lost_line_breaks <= 1:
        raise ValueError(Errors.CORPUS_LINE_BREAKS.format(lost_line_breaks=lost_line_breaks))
    corpus = Corpus(path and Path(expanduser(path)))

    def read(nlp: Language) -> Iterator[Example]:
        if corpus.path is None:
            raise ValueError(Errors.CORPUS_PATH)
        if not corpus.path.exists():
            raise ValueError(Errors.CORPUS_NOT_THERE.format(path=corpus.path))
        with_sentences = EvenShare(gold_sentences)
        flat = {given: EvenShare(lost_line_breaks) for given in (True, False)}
        documents = corpus.read_docbin(nlp.vocab, walk_corpus(corpus.path, FILE_TYPE))
        for document in islice(documents, limit or None):
            for reference in cut(document, max_tokens):
                if len(reference):
                    given = with_sentences.take()
                    if flat[given].take():
                        reference = without_line_breaks(reference)
                    yield make_example(nlp, reference, gold_tokens, gold_sentences=given)

    return read


class EvenShare:
    """Takes a share of what comes, evenly spread: of 0.25, every fourth."""

    def __init__(self, share: float) -> None:
        self.share = share
        self._due = 0.0

    def take(self) -> bool:
        self._due += self.share
        is_due = self._due >= 1
        self._due %= 1
        return is_due


def read_documents(path: str | Path, vocab: Vocab) -> Iterator[Doc]:
    """The documents of a `.spacy` file, or of a folder's, empty ones too.

    RAISES: ValueError if the path is not there, or a file is no such file.
    """
    path = Path(path)
    _check_path(path)
    for file in walk_corpus(path, FILE_TYPE):
        try:
            yield from DocBin().from_disk(file).get_docs(vocab)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ValueError(Errors.CORPUS_BROKEN.format(path=file, error=error)) from error


def read_examples(path: str | Path, nlp: Language) -> list[Example]:
    """The documents of a `.spacy` file, or of a folder's, to be annotated: only tokens are given.

    RAISES: ValueError if there are none, or a file is no such file.
    """
    path = Path(path)
    _check_path(path)
    try:
        examples = list(build_corpus(path)(nlp))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(Errors.CORPUS_BROKEN.format(path=path, error=error)) from error
    if not examples:
        raise ValueError(Errors.CORPUS_EMPTY.format(path=path))
    return examples


def _check_path(path: Path) -> None:
    if not path.exists():
        raise ValueError(Errors.CORPUS_NOT_THERE.format(path=path))
    if path.is_file() and path.suffix != FILE_TYPE:
        raise ValueError(Errors.CORPUS_FORMAT.format(path=path))


def cut(doc: Doc, max_tokens: int) -> Iterator[Doc]:
    """Cut a Doc into parts of whole sentences, as many as fit `max_tokens`, at least one.

    Entities, spans and arcs are never cut either. A Doc with categories stays whole, for they are
    said of all of it. Of user data it keeps the words of multiword
    tokens.
    """
    if not 0 < max_tokens < len(doc) or doc.cats or not doc.has_annotation("SENT_START"):
        yield doc
        return
    start = end = 0
    for place in [*_places_to_cut(doc).tolist(), len(doc)]:
        if end > start and place - start > max_tokens:
            yield _part(doc, start, end)
            start = end
        end = place
    yield _part(doc, start, end)


def _places_to_cut(doc: Doc) -> np.ndarray:
    """The sentence starts, but for the first token, that no entity, span or arc passes over."""
    starts = doc.to_array("SENT_START").astype("int64").ravel() == 1
    starts[:1] = False
    numbers = np.arange(len(doc))
    heads = numbers + doc.to_array("HEAD").astype("int32").ravel()
    spans = [span for group in (doc.ents, *doc.spans.values()) for span in group]
    firsts = np.concatenate([numbers, [span.start for span in spans]]).astype("int64")
    lasts = np.concatenate([heads, [span.end - 1 for span in spans]]).astype("int64")
    return np.flatnonzero(starts & ~passed_over(firsts, lasts, len(doc)))


def _part(doc: Doc, start: int, end: int) -> Doc:
    part = doc[start:end].as_doc()
    part.has_unknown_spaces = doc.has_unknown_spaces
    copy_words(doc, part, range(start, end))
    for name, group in doc.spans.items():
        part.spans[name] = [
            Span(part, s.start - start, s.end - start, s.label, kb_id=s.kb_id, span_id=s.id)
            for s in group
            if start <= s.start < end
        ]
    return part


def make_example(
    nlp: Language, reference: Doc, gold_tokens: bool, *, gold_sentences: bool = False
) -> Example:
    """An example to learn from: with the tokens of the annotation, or those of the tokenizer where
    it is known which text the tokens make up.

    gold_sentences: Whether sentence starts are given, too; only with gold tokens.
    """
    if not gold_tokens and not reference.has_unknown_spaces:
        return Example(nlp.make_doc(reference.text), reference)
    return Example(bare_copy(reference, keep_sentences=gold_sentences), reference)
