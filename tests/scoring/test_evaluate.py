"""evaluate.py with a small stock pipeline: its scores, and what the raw text of a treebank is."""

import zlib

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example
from spacy.util import load_model_from_config

from spacy_pretrained.corpora.conllu import read_conllu
from spacy_pretrained.scoring.conll18 import MEASURES, read_gold
from spacy_pretrained.scoring.evaluate import (
    PROTOCOLS,
    evaluate,
    evaluate_categories,
    evaluate_entities,
    evaluate_treebank,
    surface_texts,
)
from spacy_pretrained.textcat.scorer import make_textcat_scorer

CONLLU = """\
# newdoc id = a
1	Dogs	dog	NOUN	NNS	Number=Plur	4	nsubj	_	_
2-3	don't	_	_	_	_	_	_	_	_
2	do	do	AUX	VBP	Mood=Ind	4	aux	_	_
3	n't	not	PART	RB	Polarity=Neg	4	advmod:neg	_	_
4	bark	bark	VERB	VB	VerbForm=Inf	0	root	_	SpaceAfter=No
5	.	.	PUNCT	.	_	4	punct	_	_

# newpar
1	Cats	cat	NOUN	NNS	Number=Plur	2	nsubj	_	_
2	bark	bark	VERB	VB	VerbForm=Inf	0	root	_	SpaceAfter=No
3	!	!	PUNCT	.	_	2	punct	_	_

1	Dogs	dog	NOUN	NNS	Number=Plur	2	nsubj	_	_
2	bark	bark	VERB	VB	VerbForm=Inf	0	root	_	SpaceAfter=No
3	.	.	PUNCT	.	_	2	punct	_	_

# newdoc id = b
1	Cats	cat	NOUN	NNS	Number=Plur	4	nsubj	_	_
2-3	don't	_	_	_	_	_	_	_	_
2	do	do	AUX	VBP	Mood=Ind	4	aux	_	_
3	n't	not	PART	RB	Polarity=Neg	4	advmod:neg	_	_
4	bark	bark	VERB	VB	VerbForm=Inf	0	root	_	SpaceAfter=No
5	.	.	PUNCT	.	_	4	punct	_	_

"""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "test.conllu"
    path.write_text(CONLLU, encoding="utf8")
    return path


@pytest.fixture(scope="module")
def nlp(data):
    """A tagger and a parser of spaCy's that know the data by heart."""
    spacy.util.fix_random_seed(0)
    nlp = spacy.blank("en")  # whose tokenizer splits multiword tokens
    nlp.add_pipe("tagger")
    nlp.add_pipe("parser", config={"min_action_freq": 1})
    examples = [Example(nlp.make_doc(doc.text), doc) for doc in read_conllu(data, nlp.vocab)]
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(30):
        nlp.update(examples, sgd=optimizer)
    return nlp


@pytest.mark.slow
def test_protocols(nlp, data):
    results = evaluate_treebank(nlp, data)
    assert (results["documents"], results["sentences"], results["words"]) == (2, 4, 16)
    assert (results["multiword_tokens"], results["empty_nodes"]) == (2, 0)
    given, tokens, raw, one_line = (results["protocols"][name] for name in PROTOCOLS)
    for protocol in (given, tokens, raw, one_line):
        assert tuple(protocol["conll18"]) == MEASURES
        assert protocol["conll18"]["Words"]["f1"] == 100
        assert protocol["conll18"]["XPOS"]["f1"] == 100
        assert protocol["conll18"]["LAS"]["f1"] == 100
        assert protocol["conll18"]["Sentences"]["f1"] == 100
        assert protocol["spacy"]["dep_las"] == 100
        assert protocol["words_per_second"] > 0
        # Nobody predicts these.
        assert protocol["conll18"]["UPOS"] is None
        assert protocol["conll18"]["Lemmas"] is None
    assert tokens["conll18"]["Tokens"]["f1"] == 100
    # spaCy's tokenizer has two tokens twice where gold has a multiword token: 12 of 14, and of 16.
    assert raw["conll18"]["Tokens"]["f1"] == pytest.approx(100 * 2 * 12 / (14 + 16), abs=1e-3)


def test_gold_sentences_are_given_and_others_are_not(data):
    nlp = spacy.blank("xx")
    results = evaluate_treebank(nlp, data)
    given, tokens, *_ = (results["protocols"][name]["conll18"] for name in PROTOCOLS)
    assert given["Sentences"]["f1"] == 100
    assert tokens["Sentences"] is None


def test_the_raw_text_is_the_text_of_the_file(data, tmp_path):
    vocab = spacy.blank("xx").vocab
    texts = surface_texts(list(read_conllu(data, vocab)), read_gold(data))
    assert texts[0].startswith("Dogs don't bark.\n\nCats bark! Dogs bark.")
    assert texts[1].rstrip() == "Cats don't bark."


def test_multiword_tokens_that_their_words_do_not_spell(tmp_path):
    rows = [
        "1-2\tdu\t_\t_\t_\t_\t_\t_\t_\t_",
        "1\tde\t_\tADP\t_\t_\t3\tcase\t_\t_",
        "2\tle\t_\tDET\t_\t_\t3\tdet\t_\t_",
        "3\tvin\t_\tNOUN\t_\t_\t0\troot\t_\tSpaceAfter=No",
        "4-5\tdes\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No",
        "4\tde\t_\tADP\t_\t_\t3\tcase\t_\t_",
        "5\tles\t_\tDET\t_\t_\t3\tdet\t_\t_",
        "6\t.\t_\tPUNCT\t_\t_\t3\tpunct\t_\t_",
    ]
    path = tmp_path / "fr.conllu"
    path.write_text("\n".join(rows) + "\n\n", encoding="utf8")
    nlp = spacy.blank("fr")
    docs = list(read_conllu(path, nlp.vocab))
    assert surface_texts(docs, read_gold(path)) == ["du vindes. "]
    results = evaluate_treebank(nlp, path)["protocols"]
    assert results["gold_tokens"]["conll18"]["Tokens"]["f1"] == 100
    assert results["raw_text"]["spacy"] == {}
    assert "raw_text_in_one_line" not in results  # it has no line breaks


def test_the_text_in_one_line_has_no_line_breaks(data):
    """What finds sentences by line breaks alone finds fewer there."""
    nlp = spacy.blank("xx")
    seen = []

    @Language.component("lines")
    def lines(doc):
        seen.append(doc.text)
        for token in doc[1:]:
            token.is_sent_start = "\n" in doc[token.i - 1].text
        return doc

    nlp.add_pipe("lines")
    protocols = evaluate_treebank(nlp, data)["protocols"]
    raw, one_line = (protocols[name]["conll18"]["Sentences"]["f1"] for name in list(PROTOCOLS)[2:])
    assert raw > one_line
    assert "Dogs don't bark.\n\nCats bark! Dogs bark. " in seen
    assert "Dogs don't bark. Cats bark! Dogs bark. " in seen


def test_scores_that_are_no_numbers_are_left_out(nlp, data):
    """A component for categories has one that says which of its scores counts."""
    nlp = load_model_from_config(nlp.config).from_bytes(nlp.to_bytes())
    nlp.add_pipe("textcat").add_label("a")
    nlp.get_pipe("textcat").add_label("b")
    nlp.get_pipe("textcat").initialize(lambda: [Example.from_dict(nlp.make_doc("a"), {})])
    found = evaluate_treebank(nlp, data)["protocols"]["gold_tokens"]["spacy"]
    assert found["tag_acc"] is not None
    assert all(value is None or isinstance(value, float) for value in found.values())


def test_no_entities_to_find_and_none_found(tmp_path):
    nlp = spacy.blank("xx")
    nlp.add_pipe("entity_ruler")
    doc = nlp("Nobody is here.")
    DocBin(docs=[doc]).to_disk(tmp_path / "dev.spacy")
    found = evaluate_entities(nlp, tmp_path / "dev.spacy")
    assert found["entities"] == 0 and found["by_label"] == {}
    assert found["all"] == {"precision": None, "recall": None, "f1": None}


@pytest.mark.parametrize("words", [[], ["Nobody", "knows"]])
def test_an_empty_document_says_nothing_of_entities(tmp_path, words):
    """Neither in gold annotation nor of what the pipeline does."""
    nlp = spacy.blank("xx")
    known = Doc(nlp.vocab, words=words)
    known.ents = []
    docs = [Doc(nlp.vocab, words=[]), known]
    DocBin(docs=docs).to_disk(tmp_path / "dev.spacy")
    assert evaluate_entities(nlp, tmp_path / "dev.spacy") == {}


def write_docs(path, vocab, *texts_entities_cats):
    docs = []
    for text, entities, cats in texts_entities_cats:
        doc = Doc(vocab, words=text.split())
        if entities is not None:
            doc.set_ents([Span(doc, *entity) for entity in entities])
        doc.cats = cats
        docs.append(doc)
    DocBin(docs=docs).to_disk(path)
    return path


@pytest.fixture
def ruler():
    nlp = spacy.blank("xx")
    patterns = [{"label": "PER", "pattern": "Ada"}, {"label": "LOC", "pattern": "Rome"}]
    nlp.add_pipe("entity_ruler").add_patterns(patterns)
    return nlp


def test_entities(ruler, tmp_path):
    path = write_docs(
        tmp_path / "a.spacy",
        ruler.vocab,
        ("Ada sleeps", [(0, 1, "PER")], {}),
        ("Rome and Bob", [(0, 1, "PER"), (2, 3, "PER")], {}),
        ("Ada whose entities are missing", None, {}),
    )
    found = evaluate_entities(ruler, path)
    assert (found["documents"], found["words"], found["entities"]) == (2, 5, 3)
    assert found["all"]["precision"] == 50 and found["all"]["recall"] == pytest.approx(33.3333)
    assert found["by_label"]["LOC"]["precision"] == 0


class Sayer:
    """Says "sport" of all texts but short ones."""

    def __call__(self, doc):
        is_sport = len(doc) > 1
        doc.cats = {"sport": float(is_sport), "law": float(not is_sport)}
        return doc

    def score(self, examples):
        from spacy.scorer import Scorer

        labels = ["sport", "law"]
        return Scorer.score_cats(examples, "cats", labels=labels, multi_label=False)


@pytest.fixture
def sayer():
    from spacy.language import Language

    Language.factory("test_sayer", assigns=["doc.cats"], func=lambda nlp, name: Sayer())
    nlp = spacy.blank("xx")
    nlp.add_pipe("test_sayer")
    return nlp


def test_categories(sayer, tmp_path):
    sport, law = {"sport": 1.0, "law": 0.0}, {"sport": 0.0, "law": 1.0}
    rows = [("a b", None, sport), ("c d", None, law), ("e", None, law), ("f g", None, sport)]
    path = write_docs(tmp_path / "a.spacy", sayer.vocab, *rows, ("not labelled", None, {}))
    (found,) = evaluate_categories(sayer, path)
    assert "component" not in found
    assert found["documents"] == 4 and found["score_of"] == "macro F"
    assert found["micro"]["f1"] == 75
    assert found["by_label"]["law"] == {
        "precision": 100,
        "recall": 50,
        "f1": pytest.approx(66.6667),
    }
    assert found["score"] == found["macro"]["f1"] == pytest.approx((80 + 200 / 3) / 2, abs=1e-3)


class Chooser:
    """Is sure of its first label. Has spaCy's way to find a scorer: None gives no scores."""

    def __init__(self, labels, scorer):
        self.labels = labels
        self.scorer = scorer

    def __call__(self, doc):
        doc.cats.update({label: float(label == self.labels[0]) for label in self.labels})
        return doc

    def score(self, examples):
        if self.scorer is None:
            return {}
        return self.scorer(examples, labels=self.labels, multi_label=False)


def make_choosers(**settings):
    """A pipeline of classifiers by name: their labels, and whether they have a scorer."""
    nlp = spacy.blank("xx")
    for name, (labels, has_scorer) in settings.items():
        scorer = make_textcat_scorer() if has_scorer else None

        def make(nlp, name, labels=labels, scorer=scorer):
            return Chooser(labels, scorer)

        Language.factory(f"test_{name}", assigns=["doc.cats"], func=make)
        nlp.add_pipe(f"test_{name}", name=name)
    return nlp


TOPICS, MOODS = ("sport", "law"), ("good", "bad")


def test_each_classifier_has_scores(tmp_path):
    nlp = make_choosers(topic=(TOPICS, True), mood=(MOODS, True), other=(("a", "b"), True))
    rows = [
        ("a", None, {"sport": 1.0, "law": 0.0, "good": 1.0, "bad": 0.0}),
        ("b", None, {"sport": 0.0, "law": 1.0, "good": 1.0, "bad": 0.0}),
        ("c", None, {"good": 1.0}),  # says nothing of topics
    ]
    path = write_docs(tmp_path / "a.spacy", nlp.vocab, *rows)
    topic, mood = evaluate(nlp, [path])["categories"]
    assert (topic["component"], topic["documents"], topic["micro"]["f1"]) == ("topic", 2, 50)
    assert (mood["component"], mood["documents"], mood["micro"]["f1"]) == ("mood", 3, 100)
    assert tuple(mood["by_label"]) == tuple(sorted(MOODS))


def test_a_single_classifier_misses_labels_that_it_does_not_have(tmp_path):
    nlp = make_choosers(topic=(TOPICS, True))
    rows = [("a", None, {"sport": 1.0}), ("b", None, {"weather": 1.0})]
    path = write_docs(tmp_path / "a.spacy", nlp.vocab, *rows)
    (found,) = evaluate_categories(nlp, path)
    assert (found["documents"], found["micro"]["precision"]) == (2, 50)
    path = write_docs(tmp_path / "b.spacy", nlp.vocab, rows[1])
    assert evaluate_categories(nlp, path) == []


@pytest.mark.parametrize(("multi_label", "documents"), [(False, 2), (True, 3)])
def test_documents_that_are_not_scored_are_not_counted(tmp_path, multi_label, documents):
    nlp = make_choosers(topic=(TOPICS, True))
    nlp.get_pipe("topic").multi_label = multi_label
    rows = [
        ("a", None, {"sport": 1.0}),
        ("b", None, {"sport": 0.0, "law": 0.0}),
        ("c", None, {"sport": 0.0}),
        ("d", None, {"weather": 1.0}),
    ]
    path = write_docs(tmp_path / "a.spacy", nlp.vocab, *rows)
    (found,) = evaluate_categories(nlp, path)
    assert found["documents"] == documents


def test_classifiers_without_a_scorer(tmp_path):
    path = write_docs(tmp_path / "a.spacy", spacy.blank("xx").vocab, ("a", None, {"sport": 1.0}))
    one = make_choosers(topic=(TOPICS, False))
    with pytest.raises(ValueError, match=r"classifiers \(topic\) none has a scorer"):
        evaluate(one, [path])
    (found,) = evaluate_categories(make_choosers(a=(TOPICS, False), b=(TOPICS, True)), path)
    assert found["component"] == "b"


def test_several_files(nlp, ruler, data, tmp_path):
    path = write_docs(tmp_path / "a.spacy", ruler.vocab, ("Ada", [(0, 1, "PER")], {"x": 1.0}))
    steps = []
    found = evaluate(ruler, [data, path, data], report=steps.append)
    assert [len(found[kind]) for kind in ("treebanks", "entities", "categories")] == [2, 1, 0]
    assert len(steps) == 9 and f"{data}: raw text" in steps
    assert evaluate(nlp, [path]) == {"treebanks": [], "entities": [], "categories": []}


def test_what_is_refused(ruler, data, tmp_path):
    with pytest.raises(ValueError, match=r"a\.txt' is no gold annotation"):
        evaluate(ruler, [data, tmp_path / "a.txt"])
    for content in (b"not compressed", zlib.compress(b"x" * 99)):
        (tmp_path / "a.spacy").write_bytes(content)
        with pytest.raises(ValueError, match=r"a\.spacy' cannot be read as"):
            evaluate(ruler, [tmp_path / "a.spacy"])
    text = data.read_text("utf8").replace("\t4\tpunct", "\t_\t_", 1)
    (tmp_path / "a.conllu").write_text(text, encoding="utf8")
    with pytest.raises(ValueError, match=r"a\.conllu, line 7: the word '\.' has no head"):
        evaluate(ruler, [tmp_path / "a.conllu"])
