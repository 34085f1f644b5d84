"""CoNLL-U files of Universal Dependencies to Docs (`read_conllu`) and back (`write_conllu`).

Format: https://universaldependencies.org/format.html. The tokens of a Doc are the syntactic
words, or multiword tokens that stand for several (see multiword.py); these are written as both. A
Doc holds no empty nodes, enhanced dependencies and comments; what is left out or changed on the way
in is counted in a `ConversionReport`, what is malformed is a ValueError with file and line.
`conllu_rows.py` reads and checks lines, `conllu_doc.py` makes Docs of them.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TextIO

from spacy.tokens import Doc, Token
from spacy.vocab import Vocab

from .conllu_doc import (
    ROOT,
    ConversionReport,
    DocSentence,
    add_newlines,
    make_doc,
    to_doc_sentence,
)
from .conllu_rows import read_sentences
from .errors import Errors
from .faults import Faults
from .lines import UTF8, check_file
from .multiword import AS_TOKEN, BESIDE, MODES, Word, words_of
from .tag_schemes import MISSING, OUTSIDE, detect_scheme, to_spans, to_tags

UNSPECIFIED = "dep"  # the relation of Universal Dependencies for what has no better one


def read_conllu(
    path: str | Path,
    vocab: Vocab,
    *,
    max_sentences: int = 10,
    multiword: str = "split",
    encoding: str = UTF8,
    report: ConversionReport | None = None,
) -> Iterator[Doc]:
    """Read a file document by document: TAG (XPOS), POS (UPOS), MORPH, LEMMA, HEAD, DEP, SENT_START
    and the spaces.

    max_sentences: the length of a Doc where the file does not say where documents begin (newdoc).
    multiword: what becomes of multiword tokens. "split": their words are tokens, with spaces
        between them where they do not spell the token (French *du*: *de le*). "merge": they are
        tokens, annotated as spaCy's converter does with --merge-subtokens; `multiword.words_of`
        knows their words. "auto": words that spell the token are tokens, others are merged, so
        that the text of a Doc is always the text.
    encoding: of the file, by its name in Python.
    report: is added to while the Docs are taken.

    "_" is a missing value, but "no features" in FEATS if any word of the file has some. A paragraph
    (newpar) inside a Doc begins behind a whitespace token of two newlines, the last token of the
    sentence before, without tag, features and lemma.

    Entities stand in MISC, as spaCy's own converter has them: NE=B-PER, NE=I-PER; or as Tag=B-PER,
    or B-PER alone. Where a word of the file has such a tag, those without are outside of entities;
    else all of them are missing.

    A .spacy file keeps sentence starts through roots alone as soon as any word of the Doc has a
    relation. So a word without head, in a sentence with a root, gets the root as head with an empty
    relation (that is what makes it missing); a Doc never mixes sentences with a root and sentences
    without any head; and a sentence with some heads but no root is a Doc of its own.

    ValueError, with file and line, where the file is malformed; also if it has no sentences. It
    tells all faults of the file, up to 20, before the first Doc.
    """
    if max_sentences < 1:
        raise ValueError(Errors.CONLLU_MAX_SENTENCES.format(max_sentences=max_sentences))
    if multiword not in MODES:
        raise ValueError(
            Errors.CONLLU_MULTIWORD.format(multiword=multiword, known=", ".join(MODES))
        )
    check_file(path)
    report = ConversionReport() if report is None else report
    has_feats, scheme = _survey(path, encoding)
    all_sentences = (
        to_doc_sentence(sentence, report, multiword) for sentence in read_sentences(path, encoding)
    )
    for sentences in _documents(all_sentences, max_sentences):
        report.documents += 1
        for left, right in pairwise(sentences):
            if right.is_newpar:
                report.paragraphs += 1
                add_newlines(left)
        yield make_doc(vocab, sentences, has_feats, _read_entities(sentences, scheme, report))


def _survey(path: str | Path, encoding: str) -> tuple[bool, str | None]:
    """Whether any word has features, and the scheme of the entities, None if there are none."""
    has_feats = False
    tags: list[list[str]] = []
    faults = Faults()
    for rows in read_sentences(path, encoding, faults):
        try:
            sentence = to_doc_sentence(rows, ConversionReport())
        except ValueError as error:  # an entity that is no tag
            faults.add(error)
            continue
        has_feats = has_feats or any(feats != "_" for feats in sentence.feats)
        if any(tag != OUTSIDE for tag in sentence.entities):
            tags.append(sentence.entities)
    faults.check()
    return has_feats, detect_scheme(tags) if tags else None


def _read_entities(
    sentences: list[DocSentence], scheme: str | None, report: ConversionReport
) -> list[str] | None:
    """The tags of all words, as a Doc takes them."""
    if scheme is None:
        return None
    tags = []
    for sentence in sentences:
        found = to_spans(sentence.entities, scheme)
        report.entities += len(found.spans)
        report.entity_repairs += found.repairs
        tags += to_tags(found.spans, len(sentence.words), "iob2", found.missing)
    return ["" if tag == MISSING[0] else tag for tag in tags]


def _documents(sentences: Iterator[DocSentence], max_sentences: int) -> Iterator[list[DocSentence]]:
    document: list[DocSentence] = []
    in_newdoc = False
    for sentence in sentences:
        is_full = len(document) == max_sentences and not in_newdoc
        if document and (sentence.is_newdoc or is_full or not _fit(document[-1], sentence)):
            yield document
            document = []
        in_newdoc = in_newdoc or sentence.is_newdoc
        document.append(sentence)
    yield document


def _fit(left: DocSentence, right: DocSentence) -> bool:
    return (left.is_parsed and right.is_parsed) or (left.is_bare and right.is_bare)


def write_conllu(docs: Iterable[Doc], stream: TextIO) -> None:
    """Write Docs, such as a pipeline's predictions; `read_conllu` reads the same annotation."""
    docs = list(docs)
    # An empty Doc has every annotation, as spaCy sees it.
    has_entities = any(len(doc) and doc.has_annotation("ENT_IOB") for doc in docs)
    for number, doc in enumerate(docs, 1):
        stream.write(to_conllu(doc, f"doc{number}", has_entities))


def to_conllu(doc: Doc, name: str = "doc1", has_entities: bool | None = None) -> str:
    """A Doc as a document `name` of a CoNLL-U file; "" for a Doc without words.

    Whitespace tokens are left out; with two newlines between sentences they make a paragraph, and
    words that depend on them go to their heads. If that leaves several roots, the first stays one
    and the others depend on it. A Doc without sentence starts is one sentence. An entity over
    several sentences is written as one in each.

    has_entities: Whether the file has entities, so that where they are missing has to be said; by
        default if the Doc has some.
    RAISES: ValueError if a head is in another sentence, a word has a tab or newline in it, or an
        entity's label white space or "|".
    """
    if has_entities is None:
        has_entities = doc.has_annotation("ENT_IOB")
    lines: list[str] = []
    number = end = 0  # of the sentence before; behind its last word
    for sentence in doc.sents if doc.has_annotation("SENT_START") else [doc[:]]:
        words = [token for token in sentence if not token.text.isspace()]
        if not words:
            continue
        number += 1
        if number == 1:
            lines.append(f"# newdoc id = {name}")
        elif any(token.text.count("\n") > 1 for token in doc[end : words[0].i]):
            lines.append("# newpar")
        lines += [f"# sent_id = {name}-{number}", *_sentence_lines(words, has_entities), ""]
        end = words[-1].i + 1
    return "".join(line + "\n" for line in lines)


def _sentence_lines(tokens: list[Token], has_entities: bool) -> Iterator[str]:
    spaces = [_is_before_space(token) for token in tokens]
    text = "".join(token.text + " " * space for token, space in zip(tokens, spaces))
    yield f"# text = {text.strip()}"
    words = [words_of(token) for token in tokens]
    ids = _ids(tokens, words)
    for token, parts, space, (head, dep) in zip(tokens, words, spaces, _arcs(tokens, ids)):
        if "\t" in token.text or "\n" in token.text:
            raise ValueError(Errors.CONLLU_UNWRITABLE.format(word=token.text, i=token.i))
        misc = [] if space else ["SpaceAfter=No"]
        entity = _entity(token, is_first=token.i == tokens[0].i) if has_entities else ""
        first = int(ids[token.i]) - _top(parts)
        if parts:
            yield _line(f"{first}-{first + len(parts) - 1}", token.text, *[""] * 6, misc)
            misc = []
        for i, word in enumerate(parts or [_as_word(token)]):
            values = word.form, word.lemma, word.pos, word.tag, _sorted_feats(word.feats)
            arc = head, dep
            if word.head != AS_TOKEN and not word.dep:
                arc = "", ""  # unknown
            elif word.head == BESIDE:
                # Of the root there is no other: what stands beside it depends on it.
                arc = (ids[token.i] if head == "0" else head), word.dep
            elif word.head != AS_TOKEN:
                arc = str(first + word.head), word.dep
            named = [f"NE={entity}"] if entity else []
            yield _line(str(first + i), *values, *arc, [*named, *misc])
            entity = entity.replace("B-", "I-", 1)


def _line(number: str, *columns: str | list[str]) -> str:
    *values, misc = columns
    return "\t".join([number, *(value or "_" for value in [*values, "", "|".join(misc)])])


def _as_word(token: Token) -> Word:
    feats = str(token.morph)
    return Word(token.text, token.lemma_, token.pos_, token.tag_, feats, AS_TOKEN, "")


def _ids(tokens: list[Token], words: list[tuple[Word, ...]]) -> dict[int, str]:
    """The ID of each token by its index: that of the word that takes the token's head."""
    ids, number = {}, 1
    for token, parts in zip(tokens, words):
        ids[token.i] = str(number + _top(parts))
        number += len(parts) or 1
    return ids


def _top(parts: tuple[Word, ...]) -> int:
    return next((i for i, word in enumerate(parts) if word.head == AS_TOKEN), 0)


def _entity(word: Token, *, is_first: bool) -> str:
    """The tag of a word, "" for no entity. is_first: Of a sentence, where entities begin anew."""
    label = word.ent_type_
    if not label:
        return "" if word.ent_iob else MISSING[0]
    if "|" in label or label.split() != [label]:
        raise ValueError(Errors.CONLLU_LABEL.format(label=label, word=word.text, i=word.i))
    return f"B-{label}" if is_first else f"{word.ent_iob_}-{label}"


def _is_before_space(word: Token) -> bool:
    is_last = word.i + 1 == len(word.doc)
    return bool(word.whitespace_) or (not is_last and word.nbor().text.isspace())


def _arcs(words: list[Token], ids: dict[int, str]) -> Iterator[tuple[str, str]]:
    """HEAD and DEPREL of each token of a sentence."""
    root = ""
    for word in words:
        head = word.head
        while head.text.isspace() and head.head.i != head.i:
            head = head.head
        if not word.dep:
            yield "", ""
        elif head.i == word.i or head.text.isspace():
            dep = UNSPECIFIED if word.dep_ == ROOT else word.dep_
            yield (root, dep) if root else ("0", "root")
            root = root or ids[word.i]
        elif head.i in ids:
            yield ids[head.i], word.dep_
        else:
            raise ValueError(
                Errors.CONLLU_HEAD_OUTSIDE.format(
                    word=word.text, i=word.i, head=head.text, head_i=head.i
                )
            )


@lru_cache(maxsize=10_000)
def _sorted_feats(feats: str) -> str:
    # The format sorts features without regard to case, spaCy with regard to it.
    return "|".join(sorted(feats.split("|"), key=str.lower))
