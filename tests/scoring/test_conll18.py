"""The shared task's measures: hand-computed cases, and what must hold of any text."""

import random
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc

from spacy_pretrained.scoring.conll18 import (
    MEASURES,
    Annotation,
    Word,
    align,
    annotation_of,
    read_gold,
    score,
)

EWT_TEST = Path(__file__).parents[3] / "shared/data/ud_en_ewt/en_ewt-ud-test.conllu"

TEXT = """\
# text = Dogs don't bark. So what?
1	Dogs	dog	NOUN	NNS	Number=Plur	4	nsubj	_	_
2-3	don't	_	_	_	_	_	_	_	_
2	do	do	AUX	VBP	Mood=Ind|Typo=Yes	4	aux	_	_
3	n't	not	PART	RB	Polarity=Neg	4	advmod:neg	_	_
3.1	ever	_	_	_	_	_	_	_	_
4	bark	bark	VERB	VB	VerbForm=Inf	0	root	_	SpaceAfter=No
5	.	.	PUNCT	.	_	4	punct	_	_

1	So	so	ADV	RB	_	2	advmod	_	_
2	what	what	PRON	WP	PronType=Int	0	root	_	SpaceAfter=No
3	?	_	PUNCT	.	_	2	punct	_	_
"""
WORDS = ["Dogs", "do", "n't", "bark", ".", "So", "what", "?"]
POS = ["NOUN", "AUX", "PART", "VERB", "PUNCT", "ADV", "PRON", "PUNCT"]


@pytest.fixture
def gold(tmp_path) -> Annotation:
    return read_text(TEXT, tmp_path)


@pytest.fixture(scope="module")
def vocab():
    return spacy.blank("xx").vocab


def read_text(text: str, folder: Path) -> Annotation:
    path = folder / "text.conllu"
    path.write_bytes(text.encode("utf8"))
    return read_gold(path)


def gold_doc(vocab, **changes) -> Doc:
    annotation = {
        "words": WORDS,
        "spaces": [True, False, True, False, True, True, False, False],
        "pos": POS,
        "tags": ["NNS", "VBP", "RB", "VB", ".", "RB", "WP", "."],
        "morphs": [
            *("Number=Plur", "Mood=Ind", "Polarity=Neg", "VerbForm=Inf"),
            *("", "", "PronType=Int", ""),
        ],
        "lemmas": ["dog", "do", "not", "bark", ".", "so", "what", "?"],
        "heads": [3, 3, 3, 3, 3, 6, 6, 6],
        "deps": ["nsubj", "aux", "advmod", "ROOT", "punct", "advmod", "ROOT", "punct"],
    }
    return Doc(vocab, **{**annotation, **changes})


def f1(gold: Annotation, system: Annotation) -> dict:
    return {name: round(measure.f1, 2) for name, measure in score(gold, system).items()}


def all_but(changed: dict, tokens: float = 100.0) -> dict:
    return {**dict.fromkeys(MEASURES, 100.0), "Tokens": tokens, **changed}


def test_reads_tokens_words_and_sentences(gold):
    assert gold.characters == "Dogsdon'tbark.Sowhat?"
    assert gold.tokens == [(0, 4), (4, 9), (9, 13), (13, 14), (14, 16), (16, 20), (20, 21)]
    assert gold.sentences == [(0, 14), (14, 21)]
    assert [word.form for word in gold.words] == WORDS
    assert [word.span for word in gold.words[1:3]] == [(4, 9), (4, 9)]
    assert [word.head for word in gold.words] == [3, 3, 3, -1, 3, 6, -1, 6]
    assert gold.words[1].feats == "Mood=Ind"
    assert gold.words[2].deprel == "advmod"


def test_gold_against_itself_is_100(gold):
    assert f1(gold, gold) == all_but({})


def test_doc_with_gold_annotation(gold, vocab):
    doc = gold_doc(vocab)
    assert f1(gold, annotation_of([doc], tokens_of=gold)) == all_but({})
    # Without the gold tokens, don't is two tokens: 6 of gold's 7 are found, among 8.
    assert f1(gold, annotation_of([doc])) == all_but({}, tokens=80.0)


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({"pos": ["NOUN"] * 8}, {"UPOS": 12.5}),
        ({"tags": ["RB"] * 8}, {"XPOS": 25.0}),
        ({"morphs": ["Number=Sing"] + [""] * 7}, {"UFeats": 37.5}),
        # Gold has no lemma for the last word, so that any is right.
        ({"lemmas": [""] * 8}, {"Lemmas": 12.5}),
        # Subtypes do not count.
        (
            {"deps": ["nsubj:pass", "aux", "obl", "ROOT", "punct", "advmod", "ROOT", "punct"]},
            {"LAS": 87.5},
        ),
        ({"heads": [1, 3, 3, 3, 3, 6, 6, 6]}, {"UAS": 87.5, "LAS": 87.5}),
        # A second root: its sentence is split, and no other word's head is touched.
        ({"heads": [0, 3, 3, 3, 3, 6, 6, 6]}, {"UAS": 87.5, "LAS": 87.5, "Sentences": 40.0}),
    ],
)
def test_an_error_lowers_its_own_measure_only(gold, vocab, changes, expected):
    system = annotation_of([gold_doc(vocab, **changes)], tokens_of=gold)
    assert f1(gold, system) == all_but(expected)


def test_features_that_are_not_universal_do_not_count(gold, vocab):
    doc = gold_doc(vocab)
    doc[0].set_morph("Number=Plur|Style=Coll|Number[psor]=Sing")
    assert f1(gold, annotation_of([doc], tokens_of=gold)) == all_but({})


def test_another_tokenisation(gold, vocab):
    """*So what* as one word: 7 words against 8, 6 of them aligned, one without its head."""
    words = ["Dogs", "do", "n't", "bark", ".", "So what", "?"]
    doc = Doc(
        vocab,
        words=words,
        spaces=[True, False, True, False, True, False, False],
        pos=["NOUN", "AUX", "PART", "VERB", "PUNCT", "PRON", "PUNCT"],
        heads=[3, 3, 3, 3, 3, 5, 5],
        deps=["nsubj", "aux", "advmod", "ROOT", "punct", "ROOT", "punct"],
    )
    scores = score(gold, annotation_of([doc]))
    assert (scores["Words"].correct, scores["Words"].system) == (6, 7)
    assert scores["Words"].precision == pytest.approx(100 * 6 / 7)
    assert scores["Words"].recall == pytest.approx(100 * 6 / 8)
    assert scores["Words"].f1 == pytest.approx(100 * 12 / 15)
    assert scores["UPOS"].correct == 6
    assert scores["UPOS"].aligned_accuracy == 100
    # The last word's head was not aligned with any gold word.
    assert scores["UAS"].correct == 5
    assert scores["LAS"].aligned_accuracy == pytest.approx(100 * 5 / 6)
    assert scores["Sentences"].f1 == 100


def test_other_sentences_with_the_same_words(gold, vocab):
    starts = [True] + [False] * 7
    doc = Doc(vocab, words=WORDS, sent_starts=starts)
    scores = score(gold, annotation_of([doc], tokens_of=gold))
    assert (scores["Sentences"].precision, scores["Sentences"].recall) == (0, 0)
    starts[5] = starts[7] = True
    doc = Doc(vocab, words=WORDS, sent_starts=starts)
    scores = score(gold, annotation_of([doc], tokens_of=gold))
    # Three sentences, the first as in gold.
    assert scores["Sentences"].precision == pytest.approx(100 / 3)
    assert scores["Sentences"].recall == pytest.approx(50)
    assert scores["Sentences"].aligned_accuracy is None


def test_a_document_ends_a_sentence(gold, vocab):
    doc = gold_doc(vocab)
    parts = [doc[:5].as_doc(), Doc(vocab), doc[5:].as_doc()]
    assert f1(gold, annotation_of(parts, tokens_of=gold)) == all_but({})


def test_without_annotation_nothing_is_right(gold, vocab):
    scores = f1(gold, annotation_of([Doc(vocab, words=WORDS)], tokens_of=gold))
    assert (scores["UPOS"], scores["UAS"], scores["LAS"]) == (0, 0, 0)


def test_whitespace_tokens_are_skipped(gold, vocab):
    """Their children go to their heads, and the sentence that one begins begins with its word."""
    doc = Doc(
        vocab,
        words=["\n", "Dogs", "do", "n't", "bark", " ", ".", "\n\n", "So", "what", "?", "\n"],
        spaces=[False] * 12,
        pos=["SPACE", *POS[:4], "SPACE", POS[4], "SPACE", *POS[5:], "SPACE"],
        # The full stop hangs on a space; the newlines are the second sentence's root.
        heads=[1, 4, 4, 4, 4, 4, 5, 7, 9, 7, 9, 10],
        deps=[
            *("dep", "nsubj", "aux", "advmod", "ROOT", "dep", "punct"),
            *("ROOT", "advmod", "root", "punct", "dep"),
        ],
    )
    scores = f1(gold, annotation_of([doc], tokens_of=gold))
    assert scores["Sentences"] == scores["UPOS"] == scores["UAS"] == scores["LAS"] == 100


def test_the_children_of_a_whitespace_root_are_one_tree(gold, vocab):
    """The first becomes the root and the others depend on it: CoNLL-U knows one root a sentence."""
    doc = Doc(
        vocab,
        words=[*WORDS[:5], "\n", *WORDS[5:]],
        spaces=[False] * 9,
        heads=[5, 5, 5, 5, 5, 5, 7, 7, 7],
        deps=["nsubj", "aux", "advmod", "ccomp", "punct", "ROOT", "advmod", "ROOT", "punct"],
    )
    words = annotation_of([doc], tokens_of=gold).words
    assert [word.head for word in words] == [-1, 0, 0, 0, 0, 6, -1, 6]
    assert [word.deprel for word in words[:4]] == ["root", "aux", "advmod", "ccomp"]


def test_words_of_multiword_tokens_are_aligned_by_form(tmp_path, vocab):
    """*du* = *de* + *le* in gold; the system cannot know, and has one word where gold has two."""
    du = "1-2\tdu\t_\t_\t_\t_\t_\t_\t_\t_\n"
    rows = ["1\tDe", "2\tle", "3\tvin"]
    arcs = ["3\tcase", "3\tdet", "0\troot"]
    gold = read_text(
        du + "".join(f"{row}\t_\tX\t_\t_\t{arc}\t_\t_\n" for row, arc in zip(rows, arcs)),
        tmp_path,
    )
    scores = score(gold, annotation_of([Doc(vocab, words=["du", "vin"])]))
    assert (scores["Tokens"].f1, scores["Words"].correct) == (100, 1)
    # Made of gold's words, the text of the Doc is another, but its tokens are gold's.
    doc = Doc(vocab, words=["de", "le", "vin"], pos=["X", "X", "X"])
    scores = score(gold, annotation_of([doc], tokens_of=gold))
    assert (scores["Words"].f1, scores["UPOS"].f1, scores["UAS"].f1) == (100, 100, 0)


@pytest.mark.parametrize(
    "gold_forms, system_forms, expected",
    [
        (["a", "b"], ["A", "B"], [(0, 0), (1, 1)]),
        (["a", "b", "c"], ["b"], [(1, 0)]),
        (["a", "x", "c"], ["a", "c"], [(0, 0), (2, 1)]),
        # Two subsequences of length one: the gold side gives way first.
        (["a", "b"], ["b", "a"], [(1, 0)]),
    ],
)
def test_alignment_inside_a_multiword_token(gold_forms, system_forms, expected):
    def words(forms):
        return [Word(form, span=(0, 9), in_multiword=True) for form in forms]

    assert align(words(gold_forms), words(system_forms)) == expected


def test_multiword_tokens_that_overlap_are_one_region():
    """Gold: [0-2] [2-6: x y] [6-8]; system: [0-2] [2-4] [4-8: y z]."""
    gold = [("ab", (0, 2)), ("x", (2, 6), True), ("y", (2, 6), True), ("z", (6, 8))]
    system = [("ab", (0, 2)), ("x", (2, 4)), ("y", (4, 8), True), ("z", (4, 8), True)]
    gold, system = ([Word(*word) for word in words] for words in (gold, system))
    assert align(gold, system) == [(0, 0), (1, 1), (2, 2), (3, 3)]


@pytest.mark.parametrize("seed", range(20))
def test_properties_of_random_texts(seed):
    """Equal texts are aligned whole; swapped sides swap precision and recall; F1 lies between."""
    first, second = (random_annotation(seed, cut) for cut in (seed, seed + 1000))
    n_words = len(first.words)
    assert align(first.words, first.words) == [(i, i) for i in range(n_words)]
    there, back = score(first, second), score(second, first)
    for name, measure in there.items():
        assert measure.precision == back[name].recall
        low, high = sorted([measure.precision, measure.recall])
        assert low - 1e-9 <= measure.f1 <= high + 1e-9
        assert measure.correct <= min(measure.gold, measure.system)
    assert there["LAS"].correct <= there["UAS"].correct <= there["Words"].correct


def random_annotation(text_seed: int, cut_seed: int) -> Annotation:
    length = random.Random(text_seed).randrange(1, 60)
    text = "".join(random.Random(text_seed).choices("abAB", k=length))
    rng = random.Random(cut_seed)
    inner = rng.sample(range(1, length), k=rng.randrange(length))
    bounds = [0, *sorted(inner), length]
    tokens = list(pairwise(bounds))
    words = [Word(text[a:b], (a, b), upos=rng.choice("NV"), deprel="x") for a, b in tokens]
    for word in words:
        word.head = rng.randrange(-1, len(words))
    first_words = [0, *sorted(rng.sample(range(1, len(words)), k=rng.randrange(len(words))))]
    return Annotation(text, tokens, words, first_words)


def test_a_doc_of_another_text_is_refused(gold, vocab):
    doc = Doc(vocab, words=["Dogs", "don't", "park", "."])
    with pytest.raises(ValueError, match=r"at character 9: gold has 'Dogsdon'tbark.*park"):
        score(gold, annotation_of([doc]))
    with pytest.raises(ValueError, match="word 3 is 'bark'"):
        annotation_of([Doc(vocab, words=[*WORDS[:3], "park"])], tokens_of=gold)
    with pytest.raises(ValueError, match="has 8 of them, the Docs have 7"):
        annotation_of([Doc(vocab, words=WORDS[:7])], tokens_of=gold)
    shorter = replace(gold, characters=gold.characters[:-1])
    with pytest.raises(ValueError, match="at character 20"):
        score(gold, shorter)


@pytest.mark.parametrize(
    "old, new, line, message",
    [
        ("4\tbark\tbark", "4\tbark", 7, "10 columns .* has 9"),
        ("4\tbark", "5\tbark", 7, "ID is '5', but the next word of the sentence is 4"),
        ("2-3\tdon't", "2-9\tdon't", 3, "ends with word 9, but the words of the sentence are 5"),
        ("\t4\tpunct", "\t14\tpunct", 8, "HEAD is '14'"),
        ("\t4\tpunct", "\t_\tpunct", 8, "HEAD is '_'"),
        ("\t4\tpunct", "\t_\t_", 8, "the word '.' has no head"),
        ("\t4\tnsubj", "\t1\tnsubj", 2, "depends on itself"),
        ("\t4\tpunct", "\t0\troot", 8, "several roots"),
        ("4\tbark", "# a comment\n4\tbark", 7, "comment inside a sentence"),
        ("\n\n", "\n \n", 9, "10 columns .* has 1"),
    ],
)
def test_malformed_lines_are_named(tmp_path, old, new, line, message):
    with pytest.raises(ValueError, match=f"text.conllu, line {line}: .*{message}"):
        read_text(TEXT.replace(old, new, 1), tmp_path)


def test_byte_order_mark_and_line_ends(tmp_path, gold):
    for text in ("\ufeff" + TEXT, TEXT.replace("\n", "\r\n"), TEXT.rstrip("\n")):
        assert read_text(text, tmp_path) == gold


def test_a_file_without_words_is_refused(tmp_path):
    with pytest.raises(ValueError, match="has no sentences"):
        read_text("# nothing here\n\n", tmp_path)


@pytest.mark.skipif(not EWT_TEST.exists(), reason="UD English-EWT is not in ../shared/data")
def test_ewt_against_itself():
    gold = read_gold(EWT_TEST)
    assert (len(gold.words), len(gold.tokens), len(gold.sentences)) == (25094, 24740, 2077)
    assert f1(gold, gold) == all_but({})
