"""conll18.py counts as the shared task's own evaluator does, on files that were perturbed by
seed."""

import random
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from spacy_pretrained.corpora.conllu_rows import UPOS_TAGS, read_sentences
from spacy_pretrained.scoring.conll18 import MEASURES, read_gold, score

SAMPLE = Path(__file__).parents[2] / "assets" / "sample" / "dev.conllu"
FEATS = ["_", "Number=Sing", "Number=Plur|Typo=Yes", "Case=Nom|Gender=Fem", "Style=Coll"]
RELATIONS = ["nsubj", "nsubj:pass", "obj", "aux", "case", "det", "conj", "advmod:neg", "punct"]


@dataclass(eq=False)
class Word:
    form: str
    lemma: str
    upos: str
    xpos: str
    feats: str
    head: "Word | None" = None  # None: the root
    deprel: str = "root"


@dataclass(eq=False)
class Token:
    """Of one word of the same form, or a multiword token."""

    form: str
    words: list[Word]


@dataclass(eq=False)
class Sentence:
    tokens: list[Token] = field(default_factory=list)

    @property
    def words(self) -> list[Word]:
        return [word for token in self.tokens for word in token.words]


def read(path: Path) -> list[Sentence]:
    found = []
    for sentence in read_sentences(path):
        rows = sentence.words
        words = [Word(r.form, r.lemma, r.upos, r.xpos, r.feats, None, r.deprel) for r in rows]
        for word, head in zip(words, sentence.heads):
            word.head = None if head < 0 else words[head]
        tokens, i = [], 0
        multiwords = {m.first: m for m in sentence.multiwords}
        while i < len(words):
            multiword = multiwords.get(i)
            end = multiword.last + 1 if multiword else i + 1
            form = multiword.row.form if multiword else words[i].form
            tokens.append(Token(form, words[i:end]))
            i = end
        found.append(Sentence(tokens))
    return found


def write(sentences: list[Sentence], path: Path) -> Path:
    lines = []
    for sentence in sentences:
        ids = {id(word): str(i) for i, word in enumerate(sentence.words, 1)}
        for token in sentence.tokens:
            if len(token.words) > 1 or token.form != token.words[0].form:
                first, last = ids[id(token.words[0])], ids[id(token.words[-1])]
                lines.append("\t".join([f"{first}-{last}", token.form, *"_" * 8]))
            for w in token.words:
                head = ids[id(w.head)] if w.head else "0"
                values = ids[id(w)], w.form, w.lemma, w.upos, w.xpos, w.feats, head, w.deprel
                lines.append("\t".join([*values, "_", "_"]))
        lines.append("")
    path.write_text("\n".join(lines) + "\n", encoding="utf8")
    return path


def random_word(form: str, rng: random.Random) -> Word:
    upos = rng.choice(UPOS_TAGS.split())
    return Word(form, rng.choice(["_", form.lower()]), upos, rng.choice("ABC"), rng.choice(FEATS))


def random_token(form: str, rng: random.Random) -> Token:
    """Sometimes a multiword token, sometimes one that its words do not spell."""
    if len(form) > 1 and rng.random() < 0.3:
        cut = rng.randrange(1, len(form))
        forms = [form[:cut], rng.choice(["", "x"]) + form[cut:]]
        forms += ["le"] * (rng.random() < 0.3)
        return Token(form, [random_word(part, rng) for part in forms])
    return Token(form, [random_word(form, rng)])


def random_text(seed: int) -> list[Sentence]:
    """Of two letters, so that forms repeat."""
    rng = random.Random(seed)
    sentences = [
        Sentence(
            [
                random_token("".join(rng.choices("abAB", k=rng.randint(1, 4))), rng)
                for _ in range(rng.randint(1, 9))
            ]
        )
        for _ in range(rng.randint(1, 6))
    ]
    for sentence in sentences:
        make_tree(sentence, rng)
    return sentences


def make_tree(sentence: Sentence, rng: random.Random) -> None:
    """Keep what arcs there are of a tree, and hang all other words on the root or a word of it."""
    words = sentence.words
    here = set(map(id, words))
    roots = [w for w in words if w.head is None and w.deprel == "root"]
    root = roots[0] if roots else rng.choice(words)
    root.head, root.deprel = None, "root"
    in_tree = {id(root)}
    for word in words:
        path = []
        while id(word) not in in_tree and id(word) not in map(id, path):
            path.append(word)
            if word.head is None or id(word.head) not in here:
                word.head = None
                break
            word = word.head
        if path and id(word) not in in_tree:  # no way to the root: a cycle, or a lost head
            path[-1].head = root
        in_tree |= set(map(id, path))
    for word in words:
        if word is not root and word.deprel == "root":
            word.deprel = rng.choice(RELATIONS)


def perturb(sentences: list[Sentence], seed: int) -> list[Sentence]:
    """The same characters with other tokens, sentences, trees and labels."""
    rng = random.Random(seed)
    rate = rng.choice([0.02, 0.1, 0.3])
    tokens: list[Token] = []
    breaks: list[bool] = []  # whether a sentence ends behind each token
    for sentence in deepcopy(sentences):
        tokens += sentence.tokens
        breaks += [False] * (len(sentence.tokens) - 1) + [True]
    i = 0
    while i < len(tokens):
        chance = rng.random() / rate
        form = tokens[i].form
        if chance < 0.5 and len(form) > 1:
            cut = rng.randrange(1, len(form))
            tokens[i : i + 1] = [random_token(part, rng) for part in (form[:cut], form[cut:])]
            breaks.insert(i, False)
        elif 0.5 <= chance < 1 and i + 1 < len(tokens):
            tokens[i : i + 2] = [random_token(form + tokens[i + 1].form, rng)]
            del breaks[i]
        elif 1 <= chance < 1.5:
            tokens[i] = random_token(form, rng)
        elif 1.5 <= chance < 2 and len(tokens[i].words) > 1:
            del tokens[i].words[rng.randrange(len(tokens[i].words))]
        i += 1
    for i in range(len(breaks) - 1):
        breaks[i] ^= rng.random() < rate / 2
    breaks[-1] = True
    found = [Sentence()]
    for token, is_last in zip(tokens, breaks):
        found[-1].tokens.append(token)
        if is_last:
            found.append(Sentence())
    found = [sentence for sentence in found if sentence.tokens]
    for sentence in found:
        for word in sentence.words:
            relabel(word, sentence, rate, rng)
        make_tree(sentence, rng)
    return found


def relabel(word: Word, sentence: Sentence, rate: float, rng: random.Random) -> None:
    if rng.random() < rate:
        word.upos = rng.choice([*UPOS_TAGS.split(), "_"])
    if rng.random() < rate:
        word.xpos = rng.choice(["NN", "_"])
    if rng.random() < rate:
        word.feats = rng.choice(FEATS)
    if rng.random() < rate:
        word.lemma = rng.choice(["_", "a"])
    if rng.random() < rate and word.head is not None:
        word.deprel = rng.choice(RELATIONS)
    if rng.random() < rate:
        word.head = rng.choice(sentence.words)
        word.deprel = rng.choice(RELATIONS) if word.deprel == "root" else word.deprel


def official_counts(gold: Path, system: Path) -> dict[str, tuple]:
    udeval = pytest.importorskip("udtools.udeval")
    found = udeval.evaluate(udeval.load_conllu_file(gold), udeval.load_conllu_file(system))
    return {
        name: (s.correct, s.gold_total, s.system_total, s.aligned_total)
        for name, s in found.items()
        if name in MEASURES
    }


def our_counts(gold: Path, system: Path) -> dict[str, tuple]:
    found = score(read_gold(gold), read_gold(system))
    return {name: (s.correct, s.gold, s.system, s.aligned) for name, s in found.items()}


@pytest.mark.parametrize("seed", range(60))
def test_random_texts(seed, tmp_path):
    text = random_text(seed)
    gold = write(text, tmp_path / "gold.conllu")
    system = write(perturb(text, seed), tmp_path / "system.conllu")
    assert our_counts(gold, system) == official_counts(gold, system)
    assert our_counts(system, gold) == official_counts(system, gold)


def test_the_sample_corpus(tmp_path):
    """Perturbed more and less; each measure differs from all others and from 100 % somewhere."""
    text = read(SAMPLE)
    gold = write(text, tmp_path / "gold.conllu")
    found = []
    for seed in range(6):
        system = write(perturb(text, seed), tmp_path / f"system-{seed}.conllu")
        counts = our_counts(gold, system)
        assert counts == official_counts(gold, system)
        found.append(tuple(counts[name][0] for name in MEASURES))
    columns = list(zip(*found))
    assert len(set(columns)) == len(MEASURES)
    perfect = our_counts(gold, gold)
    assert all(n < perfect[name][0] for name, column in zip(MEASURES, columns) for n in column)


def test_official_evaluator_has_our_measures():
    udeval = pytest.importorskip("udtools.udeval")
    ud = udeval.load_conllu_file(SAMPLE)
    names = list(udeval.evaluate(ud, ud))
    assert [name for name in names if name in MEASURES] == list(MEASURES)
