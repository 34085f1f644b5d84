"""A Doc without its annotation: what a pipeline is given where it is to be scored or measured."""

from spacy.tokens import Doc
from spacy.vocab import Vocab

from .gold import sentence_starts


def bare_copy(doc: Doc, *, keep_sentences: bool = False, vocab: Vocab | None = None) -> Doc:
    """A Doc of the same tokens and spaces, without annotation.

    keep_sentences: Keep what is known of sentence starts.
    vocab: Of another pipeline; by default that of the Doc.
    """
    bare = Doc(
        vocab or doc.vocab,
        words=[token.text for token in doc],
        spaces=[bool(token.whitespace_) for token in doc],
        sent_starts=sentence_starts(doc).tolist() if keep_sentences else None,
    )
    bare.has_unknown_spaces = doc.has_unknown_spaces
    return bare
