"""scripts/evaluate.py with a small stock pipeline: what it writes, and what the text looks like."""

import importlib.util
import json
from pathlib import Path

import pytest
import spacy
from spacy.tokens import DocBin
from spacy.training import Example

from spacy_pretrained.corpora.conllu import read_conllu
from spacy_pretrained.scoring.conll18 import read_gold

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
def evaluate():
    path = Path(__file__).parents[2] / "scripts" / "evaluate.py"
    spec = importlib.util.spec_from_file_location("evaluate", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "test.conllu"
    path.write_text(CONLLU, encoding="utf8")
    return path


@pytest.fixture(scope="module")
def model(data, tmp_path_factory):
    """A tagger and a parser of spaCy's that know the data by heart."""
    spacy.util.fix_random_seed(0)
    nlp = spacy.blank("en")
    nlp.add_pipe("tagger")
    nlp.add_pipe("parser", config={"min_action_freq": 1})
    examples = [Example(nlp.make_doc(doc.text), doc) for doc in read_conllu(data, nlp.vocab)]
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(30):
        nlp.update(examples, sgd=optimizer)
    path = tmp_path_factory.mktemp("model")
    nlp.to_disk(path)
    return path


def test_three_protocols(evaluate, model, data, tmp_path, capsys):
    output = tmp_path / "metrics" / "test.json"
    evaluate.main(str(model), [data], output=[output])
    results = json.loads(output.read_text(encoding="utf8"))
    assert (results["documents"], results["sentences"], results["words"]) == (2, 4, 16)
    given, tokens, raw = (results["protocols"][name] for name in evaluate.PROTOCOLS)
    for protocol in (given, tokens, raw):
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
    table = capsys.readouterr().out
    assert "gold tokens, gold sentences" in table
    assert any(line.split() == ["LAS", "100.00", "100.00", "100.00"] for line in table.splitlines())
    assert any(line.split() == ["UPOS", "-", "-", "-"] for line in table.splitlines())


def test_each_set_has_a_file_of_its_own(evaluate, model, data, tmp_path):
    outputs = [tmp_path / "dev.json", tmp_path / "test.json"]
    evaluate.main(str(model), [data, data], output=outputs)
    dev, test = (json.loads(path.read_text("utf8")) for path in outputs)
    assert dev["protocols"].keys() == test["protocols"].keys() and dev["file"] == str(data)


def test_as_many_files_as_sets(evaluate, model, data, capsys):
    with pytest.raises(SystemExit):
        evaluate.main(str(model), [data, data], entities=[data])
    assert "--entities: 1 files for 2 sets" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        evaluate.main(str(model))
    assert "Nothing to evaluate on" in capsys.readouterr().out


def test_gold_sentences_are_given_and_others_are_not(evaluate, data):
    nlp = spacy.blank("en")
    results = evaluate.evaluate_treebank(nlp, data)
    given, tokens, _ = (results["protocols"][name]["conll18"] for name in evaluate.PROTOCOLS)
    assert given["Sentences"]["f1"] == 100
    assert tokens["Sentences"] is None


def test_a_pipeline_that_moves_given_sentences_is_reported(evaluate, data, tmp_path, capsys):
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer", config={"overwrite": True, "punct_chars": ["!"]})
    nlp.to_disk(tmp_path / "model")
    evaluate.main(str(tmp_path / "model"), [data])
    assert "changed given sentence starts" in capsys.readouterr().out


def test_the_raw_text_is_the_text_of_the_file(evaluate, data, tmp_path):
    vocab = spacy.blank("en").vocab
    texts = evaluate.surface_texts(list(read_conllu(data, vocab)), read_gold(data))
    assert texts[0].startswith("Dogs don't bark.\n\nCats bark! Dogs bark.")
    assert texts[1].rstrip() == "Cats don't bark."


def test_multiword_tokens_that_their_words_do_not_spell(evaluate, tmp_path):
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
    assert evaluate.surface_texts(docs, read_gold(path)) == ["du vindes. "]
    results = evaluate.evaluate_treebank(nlp, path)["protocols"]
    assert results["gold_tokens"]["conll18"]["Tokens"]["f1"] == 100
    assert results["raw_text"]["spacy"] == {}


def test_scores_that_are_no_numbers_are_left_out(evaluate, model, data):
    """A component for categories has one that says which of its scores counts."""
    nlp = spacy.load(model)
    nlp.add_pipe("textcat").add_label("a")
    nlp.get_pipe("textcat").add_label("b")
    nlp.get_pipe("textcat").initialize(lambda: [Example.from_dict(nlp.make_doc("a"), {})])
    found = evaluate.evaluate_treebank(nlp, data)["protocols"]["gold_tokens"]["spacy"]
    assert found["tag_acc"] is not None
    assert all(value is None or isinstance(value, float) for value in found.values())


def test_no_entities_to_find_and_none_found(evaluate, tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler")
    doc = nlp("Nobody is here.")
    DocBin(docs=[doc]).to_disk(tmp_path / "dev.spacy")
    found = evaluate.evaluate_entities(nlp, tmp_path / "dev.spacy")
    assert found["entities"] == 0 and found["by_label"] == {}
    assert found["all"] == {"precision": None, "recall": None, "f1": None}
    evaluate.show_entities(found)
