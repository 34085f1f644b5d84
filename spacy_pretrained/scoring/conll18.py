"""The measures of the CoNLL 2018 shared task, for spaCy's Docs.

Definition: https://universaldependencies.org/conll18/evaluation.html (Zeman et al. 2018, "CoNLL
2018 Shared Task: Multilingual Parsing from Raw Text to Universal Dependencies", section 4).
Gold and system hold the same characters once whitespace is left out. Their words are aligned by the
characters they stand on, inside multiword tokens (*don't* = *do* + *n't*) by their forms. A word of
the system is right about a measure where the gold word aligned with it says the same.

Other than spaCy's own scorer: punctuation counts, subtypes of relations (`nmod:poss`) do not, and
of the morphological features only the universal ones are compared.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

from spacy.attrs import SENT_START
from spacy.tokens import Doc, Token

from ..corpora.conllu_rows import ROOT, Sentence, read_sentences
from ..corpora.multiword import AS_TOKEN, BESIDE, words_of
from ..corpora.multiword import Word as Part
from .errors import Errors

# All that `score` measures, in the shared task's order.
MEASURES = ("Tokens", "Sentences", "Words", "UPOS", "XPOS", "UFeats", "Lemmas", "UAS", "LAS")
# The features of version 2 of the guidelines, in 2018: what the shared task compared.
UNIVERSAL_FEATURES = {
    *("Abbr", "Animacy", "Aspect", "Case", "Definite", "Degree", "Evident", "Foreign", "Gender"),
    *("Mood", "NumType", "Number", "Person", "Polarity", "Polite", "Poss", "PronType", "Reflex"),
    *("Tense", "VerbForm", "Voice"),
}
Span = tuple[int, int]


@dataclass
class Word:
    """A syntactic word. Words of one multiword token share the token's span."""

    form: str
    span: Span = (0, 0)  # in characters without whitespace, end exclusive
    in_multiword: bool = False
    upos: str = "_"
    xpos: str = "_"
    feats: str = ""  # universal features only, sorted
    lemma: str = "_"
    head: int | None = None  # index of a word of the same text, or ROOT; None: not annotated
    deprel: str = ""  # without its subtype


@dataclass
class Annotation:
    """A text, of one document or many, with the analysis of a treebank or of a system."""

    characters: str  # without whitespace
    tokens: list[Span]
    words: list[Word]
    first_words: list[int]  # of each sentence

    @property
    def sentences(self) -> list[Span]:
        last_words = [first - 1 for first in self.first_words[1:]] + [len(self.words) - 1]
        return [
            (self.words[first].span[0], self.words[last].span[1])
            for first, last in zip(self.first_words, last_words)
        ]


@dataclass(frozen=True)
class Score:
    """The counts behind one measure, and what follows from them in percent."""

    correct: int
    gold: int
    system: int
    aligned: int | None = None  # aligned words; None where alignment itself is measured

    @property
    def precision(self) -> float:
        return _percent(self.correct, self.system)

    @property
    def recall(self) -> float:
        return _percent(self.correct, self.gold)

    @property
    def f1(self) -> float:
        return _percent(2 * self.correct, self.gold + self.system)

    @property
    def aligned_accuracy(self) -> float | None:
        return None if self.aligned is None else _percent(self.correct, self.aligned)


def score(gold: Annotation, system: Annotation) -> dict[str, Score]:
    """All MEASURES by name. ValueError where the two texts differ.

    EXAMPLE: score(read_gold("test.conllu"), annotation_of(nlp.pipe(texts)))["LAS"].f1
    """
    check_same_text(gold, system)
    pairs = align(gold.words, system.words)
    gold_of: dict[int | None, int] = {s: g for g, s in pairs}
    gold_of[ROOT] = ROOT

    def spans(of_gold: list[Span], of_system: list[Span]) -> Score:
        return Score(len(set(of_gold) & set(of_system)), len(of_gold), len(of_system))

    def words(agree: Callable[[Word, Word], bool]) -> Score:
        correct = sum(agree(gold.words[g], system.words[s]) for g, s in pairs)
        return Score(correct, len(gold.words), len(system.words), len(pairs))

    def same_head(g: Word, s: Word) -> bool:
        return g.head == gold_of.get(s.head)

    scores = {
        "Tokens": spans(gold.tokens, system.tokens),
        "Sentences": spans(gold.sentences, system.sentences),
        "Words": Score(len(pairs), len(gold.words), len(system.words)),
        "UPOS": words(lambda g, s: g.upos == s.upos),
        "XPOS": words(lambda g, s: g.xpos == s.xpos),
        "UFeats": words(lambda g, s: g.feats == s.feats),
        # Where gold has no lemma, the shared task forgives whatever the system says.
        "Lemmas": words(lambda g, s: g.lemma in ("_", s.lemma)),
        "UAS": words(same_head),
        "LAS": words(lambda g, s: same_head(g, s) and g.deprel == s.deprel),
    }
    return {name: scores[name] for name in MEASURES}


def check_same_text(gold: Annotation, system: Annotation, context: int = 20) -> None:
    """Raise ValueError where the texts differ, showing `context` characters on either side."""
    if gold.characters == system.characters:
        return
    pairs = enumerate(zip(gold.characters, system.characters))
    shorter = min(len(gold.characters), len(system.characters))
    at = next((i for i, (g, s) in pairs if g != s), shorter)
    around = slice(max(0, at - context), at + context)
    raise ValueError(
        Errors.CONLL18_TEXTS_DIFFER.format(
            at=at, gold=gold.characters[around], system=system.characters[around]
        )
    )


def align(gold: list[Word], system: list[Word]) -> list[tuple[int, int]]:
    """Pairs of indices (gold, system) of words that are the same; both rise.

    Outside multiword tokens, words are the same that stand on the same characters. The words of a
    multiword token all stand on the same ones, so there the longest common subsequence of their
    lowercased forms decides.
    """
    pairs = []
    g = s = 0
    while g < len(gold) and s < len(system):
        if gold[g].in_multiword or system[s].in_multiword:
            g_region, s_region = _multiword_region(gold, system, g, s)
            g_forms = [gold[i].form.lower() for i in g_region]
            s_forms = [system[i].form.lower() for i in s_region]
            common = _common_subsequence(g_forms, s_forms)
            pairs.extend((g_region[i], s_region[j]) for i, j in common)
            g, s = g_region.stop, s_region.stop
        elif gold[g].span == system[s].span:
            pairs.append((g, s))
            g, s = g + 1, s + 1
        elif gold[g].span[0] <= system[s].span[0]:
            g += 1
        else:
            s += 1
    return pairs


def _multiword_region(gold: list[Word], system: list[Word], g: int, s: int) -> tuple[range, range]:
    """The words from g and s on that stand on a multiword token of either side, and on those of the
    other side that overlap with it.

    Which words that stand on it in part belong to it is an accident of the shared task's script,
    kept here so that figures can be compared: of the words before, one is left out.
    """
    if gold[g].in_multiword:
        end = gold[g].span[1]
        if not system[s].in_multiword and system[s].span[0] < gold[g].span[0]:
            s += 1
    else:
        end = system[s].span[1]
        if gold[g].span[0] < system[s].span[0]:
            g += 1
    first_g, first_s = g, s

    def is_over(words: list[Word], i: int) -> bool:
        if i == len(words):
            return True
        return words[i].span[0] >= end if words[i].in_multiword else words[i].span[1] > end

    while not (is_over(gold, g) and is_over(system, s)):
        if s == len(system) or (g < len(gold) and gold[g].span[0] <= system[s].span[0]):
            word, g = gold[g], g + 1
        else:
            word, s = system[s], s + 1
        if word.in_multiword:
            end = max(end, word.span[1])
    return range(first_g, g), range(first_s, s)


def _common_subsequence(left: list[str], right: list[str]) -> Iterator[tuple[int, int]]:
    """Pairs of indices of a longest common subsequence. Of several, the shared task's choice:
    equal heads are taken at once, and a left item is dropped before a right one."""
    # longest[i][j]: of left[i:] and right[j:]
    longest = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i in reversed(range(len(left))):
        for j in reversed(range(len(right))):
            if left[i] == right[j]:
                longest[i][j] = 1 + longest[i + 1][j + 1]
            else:
                longest[i][j] = max(longest[i + 1][j], longest[i][j + 1])
    i = j = 0
    while i < len(left) and j < len(right):
        if left[i] == right[j]:
            yield i, j
            i, j = i + 1, j + 1
        elif longest[i][j] == longest[i + 1][j]:
            i += 1
        else:
            j += 1


def annotation_of(docs: Iterable[Doc], tokens_of: Annotation | None = None) -> Annotation:
    """What a pipeline said. Whitespace tokens are skipped, their children go to their heads.

    Tokens that stand for several words (`multiword.words_of`) are multiword tokens; the others are
    a word each.

    tokens_of: the gold annotation, if the Docs were made of its words or tokens. It knows what is a
        multiword token: else *do* and *n't* are two tokens. Where the words of a multiword token do
        not spell it (French *du* = *de* + *le*) and are tokens of the Doc, the text would be
        another without it.
    A Doc without sentence starts is one sentence. A token that is its own head without a relation
    is a word without head. Where a whitespace token was the root, its first child is, and the
    others depend on that one, as in the files of `write_conllu`.
    """
    found = _Found()
    for doc in docs:
        _add_doc(doc, found)
    forms, words = found.forms, found.words
    if tokens_of is None or "".join(forms) == tokens_of.characters:
        spans = tokens = _spans(forms)
        if tokens_of is not None:
            tokens = tokens_of.tokens
            spans = _tokens_around(spans, tokens)
        n_words = Counter(spans[token] for token in found.token_of)
        for word, token in zip(words, found.token_of):
            word.span = spans[token]
            word.in_multiword = n_words[word.span] > 1
        return Annotation("".join(forms), tokens, words, found.first_words)
    _check_same_words(tokens_of.words, words)
    for word, gold in zip(words, tokens_of.words):
        word.form, word.span, word.in_multiword = gold.form, gold.span, gold.in_multiword
    return Annotation(tokens_of.characters, tokens_of.tokens, words, found.first_words)


@dataclass
class _Found:
    """The words of Docs, and the tokens that they are of."""

    forms: list[str] = field(default_factory=list)  # of tokens
    token_of: list[int] = field(default_factory=list)  # of each word
    words: list[Word] = field(default_factory=list)
    first_words: list[int] = field(default_factory=list)


def _tokens_around(spans: list[Span], tokens: list[Span]) -> list[Span]:
    """For each span the token that it is inside of, or itself."""
    ends = [end for _, end in tokens]
    around = []
    for start, end in spans:
        token = tokens[bisect_left(ends, end)]
        around.append(token if token[0] <= start else (start, end))
    return around


def _add_doc(doc: Doc, found: _Found) -> None:
    words = found.words
    parts_of = {token.i: words_of(token) for token in doc if not token.is_space}
    indices = {}  # token.i to index of the word that takes its head
    n_words = len(words)
    for i, parts in parts_of.items():
        top = next((k for k, part in enumerate(parts) if part.head == AS_TOKEN), 0)
        indices[i] = n_words + top
        n_words += len(parts) or 1
    is_new_sentence = False
    root = None  # of the sentence
    for token, start in zip(doc, doc.to_array([SENT_START]).tolist() if len(doc) else []):
        # A sentence may begin with a whitespace token: then its first word does.
        is_new_sentence = is_new_sentence or start == 1 or token.i == 0
        if token.is_space:
            continue
        if is_new_sentence:
            found.first_words.append(len(words))
            is_new_sentence = False
            root = None
        word = _word_of(token, indices)
        if word.head == ROOT and root is None:
            root = indices[token.i]
            word.deprel = "root"
        elif word.head == ROOT:
            word.head = root
            word.deprel = "dep" if word.deprel == "root" else word.deprel
        parts = parts_of[token.i]
        found.token_of += [len(found.forms)] * (len(parts) or 1)
        found.forms.append(_compact(token.text))
        words += _words_of_multiword(parts, word, len(words), indices[token.i]) or [word]


def _words_of_multiword(parts: tuple[Part, ...], token: Word, first: int, top: int) -> list[Word]:
    """The words of a token, from index `first` on; `top` takes the token's head."""
    words = []
    for part in parts:
        word = Word(
            form=part.form,
            upos=part.pos or "_",
            xpos=part.tag or "_",
            feats=_universal(part.feats),
            lemma=part.lemma or "_",
            head=first + part.head,
            deprel=part.dep.partition(":")[0],
        )
        if part.head == AS_TOKEN:
            word.head, word.deprel = token.head, token.deprel
        elif part.head == BESIDE:
            word.head = top if token.head == ROOT else token.head
        words.append(word)
    return words


def _word_of(token: Token, indices: dict[int, int]) -> Word:
    head = token.head
    while head.is_space and head.head.i != head.i:
        head = head.head
    if token.head.i == token.i:
        index = ROOT if token.dep else None
    else:
        index = indices.get(head.i, ROOT)  # a whitespace token can be the root of its sentence
    return Word(
        form=token.text,
        upos=token.pos_ or "_",
        xpos=token.tag_ or "_",
        feats=_universal(str(token.morph)),
        lemma=token.lemma_ or "_",
        head=index,
        deprel="root" if token.dep_ == "ROOT" else token.dep_.partition(":")[0],
    )


def _check_same_words(gold: list[Word], system: list[Word]) -> None:
    # The parts of a multiword token may be spelt otherwise in a Doc; all other words may not.
    for i, (g, s) in enumerate(zip(gold, system)):
        if not g.in_multiword and _compact(g.form) != _compact(s.form):
            message = Errors.CONLL18_WORDS_DIFFER.format(at=i, gold=g.form, system=s.form)
            raise ValueError(message)
    if len(gold) != len(system):
        message = Errors.CONLL18_WORD_COUNT.format(gold=len(gold), system=len(system))
        raise ValueError(message)


def read_gold(path: str | Path) -> Annotation:
    """The annotation of a CoNLL-U file. Empty nodes are left out, as the shared task does.

    RAISES: ValueError, with file and line, where the file is malformed (see
        corpora/conllu_rows.py) or a word has no head: a parse can be scored only against a whole
        one. OSError if the file cannot be opened.
    """
    forms: list[str] = []  # of tokens
    token_of: list[int] = []  # of each word
    words: list[Word] = []
    first_words: list[int] = []
    for sentence in read_sentences(path):
        first_words.append(len(words))
        _add_sentence(sentence, forms, token_of, words)
    tokens = _spans(forms)
    for word, token in zip(words, token_of):
        word.span = tokens[token]
    return Annotation("".join(forms), tokens, words, first_words)


def _add_sentence(
    sentence: Sentence, forms: list[str], token_of: list[int], words: list[Word]
) -> None:
    first = len(words)
    multiwords = {number: m for m in sentence.multiwords for number in range(m.first, m.last + 1)}
    for number, (row, head) in enumerate(zip(sentence.words, sentence.heads)):
        if head is None:
            raise ValueError(Errors.CONLL18_HEAD.format(at=row.at, form=row.form))
        multiword = multiwords.get(number)
        if multiword is None or multiword.first == number:
            forms.append(_compact(multiword.row.form if multiword else row.form))
        token_of.append(len(forms) - 1)
        words.append(
            Word(
                form=row.form,
                in_multiword=multiword is not None,
                upos=row.upos,
                xpos=row.xpos,
                feats=_universal(row.feats),
                lemma=row.lemma,
                head=ROOT if head == ROOT else first + head,
                deprel=row.deprel.partition(":")[0],
            )
        )


def _compact(form: str) -> str:
    """Without whitespace, which words with spaces (*10 000*) and their text may hold otherwise."""
    return "".join(form.split())


def _spans(forms: list[str]) -> list[Span]:
    ends = list(accumulate(map(len, forms)))
    return list(zip([0, *ends], ends))


def _universal(feats: str) -> str:
    parts = feats.split("|")
    return "|".join(sorted(p for p in parts if p.partition("=")[0] in UNIVERSAL_FEATURES))


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0
