"""Tokens that stand for several words: read, learnt, written and scored."""

import io

import pytest
import spacy
from spacy.tokens import Doc, DocBin
from spacy.training import Example

from spacy_pretrained.corpora.conllu import read_conllu, to_conllu, write_conllu
from spacy_pretrained.corpora.convert import convert_conllu
from spacy_pretrained.corpora.corpus import build_corpus
from spacy_pretrained.corpora.multiword import MODE_TABLE, WordCounts, mode_of, words_of
from spacy_pretrained.scoring.conll18 import annotation_of, read_gold, score
from spacy_pretrained.scoring.evaluate import evaluate_treebank

# "im" stands for words that do not spell it, "geht's" for words that do; "am" is also a word.
TEXT = """\
# text = Es geht's im Haus.
1\tEs\tes\tPRON\tPPER\tCase=Nom\t2\tnsubj\t_\t_
2-3\tgeht's\t_\t_\t_\t_\t_\t_\t_\t_
2\tgeht\tgehen\tVERB\tVVFIN\tNumber=Sing\t0\troot\t_\t_
3\t's\tes\tPRON\tPPER\t_\t2\texpl\t_\t_
4-5\tim\t_\t_\t_\t_\t_\t_\t_\t_
4\tin\tin\tADP\tAPPR\t_\t6\tcase\t_\t_
5\tdem\tder\tDET\tART\tCase=Dat|Gender=Neut\t6\tdet\t_\t_
6\tHaus\tHaus\tNOUN\tNN\tCase=Dat\t2\tobl\t_\tSpaceAfter=No
7\t.\t.\tPUNCT\t$.\t_\t2\tpunct\t_\t_

# text = Am Ende
1-2\tAm\t_\t_\t_\t_\t_\t_\t_\t_
1\tAn\tan\tADP\tAPPR\t_\t3\tcase\t_\t_
2\tdem\tder\tDET\tART\tCase=Dat|Gender=Neut\t3\tdet\t_\t_
3\tEnde\tEnde\tNOUN\tNN\t_\t0\troot\t_\t_

# text = am Ende
1-2\tam\t_\t_\t_\t_\t_\t_\t_\t_
1\tan\tan\tADP\tAPPR\t_\t3\tcase\t_\t_
2\tdem\tder\tDET\tART\tCase=Dat|Gender=Neut\t3\tdet\t_\t_
3\tEnde\tEnde\tNOUN\tNN\t_\t0\troot\t_\t_

# text = am besten
1\tam\tam\tPART\tPTKA\t_\t2\tadvmod\t_\t_
2\tbesten\tgut\tADV\tADV\t_\t0\troot\t_\t_

"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "in.conllu"
    path.write_text(TEXT, encoding="utf8")
    return path


def read(path, multiword, nlp=None):
    nlp = nlp or spacy.blank("de")
    (doc,) = read_conllu(path, nlp.vocab, multiword=multiword)
    return doc


def learn(docs, vocab):
    counts = WordCounts()
    for doc in docs:
        counts.add(doc)
    counts.to_vocab(vocab)


def forms(token):
    return " ".join(word.form for word in words_of(token))


@pytest.mark.parametrize(
    ("multiword", "text"),
    [
        ("auto", "Es geht 's im Haus . Am Ende am Ende am besten"),
        ("merge", "Es geht's im Haus . Am Ende am Ende am besten"),
        ("split", "Es geht 's in dem Haus . An dem Ende an dem Ende am besten"),
    ],
)
def test_ways_of_reading(path, multiword, text):
    doc = read(path, multiword)
    assert [token.text for token in doc] == text.split()
    if multiword != "split":
        assert doc.text == "Es geht's im Haus. Am Ende am Ende am besten "


def test_an_unknown_way(path):
    with pytest.raises(ValueError, match=r"'some'\. Choose from auto, split, merge"):
        read(path, "some")


def test_a_merged_token_is_annotated_as_spacys_converter_does(path):
    doc = read(path, "auto")
    im = doc[3]
    assert (im.tag_, im.lemma_, im.pos_) == ("APPR_ART", "in der", "ADP")
    assert str(im.morph) == "Case=Dat|Gender=Neut"
    assert (im.head.text, im.dep_) == ("Haus", "case")
    merged = read(path, "merge")
    assert (merged[1].tag_, merged[1].dep_) == ("VVFIN_PPER", "ROOT")
    assert [token.head.text for token in merged[:5]] == [
        "geht's",
        "geht's",
        "Haus",
        "geht's",
        "geht's",
    ]


def test_arcs_stay_a_tree_when_words_are_merged(tmp_path):
    # The first word of the token depends on "c", which depends on the token's other word.
    path = tmp_path / "in.conllu"
    rows = ["1-2\tx\t_\t_\t_\t_\t_\t_\t_\t_"]
    for i, (word, head, dep) in enumerate([("a", 3, "dep"), ("b", 0, "root"), ("c", 2, "obj")], 1):
        rows.append(f"{i}\t{word}\t_\tX\t_\t_\t{head}\t{dep}\t_\t_")
    path.write_text("\n".join(rows) + "\n\n", encoding="utf8")
    (doc,) = read_conllu(path, spacy.blank("de").vocab, multiword="auto")
    assert [(token.head.i, token.dep_) for token in doc] == [(0, "ROOT"), (0, "obj")]
    assert read_gold(path).words[1].head == -1
    assert "2\tb\t_\tX\t_\t_\t0\troot" in to_conllu(doc)


@pytest.mark.parametrize("multiword", ["auto", "merge"])
def test_written_as_it_was_read(path, multiword):
    doc = read(path, multiword)
    rows = [line for line in to_conllu(doc).splitlines() if line[:1].isdigit()]
    kept = [line for line in TEXT.splitlines() if line[:1].isdigit()]
    if multiword == "auto":  # words that spell their token are tokens
        kept = [line.replace("geht\t", "geht\t") for line in kept if not line.startswith("2-3")]
        rows = [row.replace("\tSpaceAfter=No", "\t_") for row in rows]
        kept = [row.replace("\tSpaceAfter=No", "\t_") for row in kept]
    assert rows == kept


def test_the_table_decides_by_tag(path):
    nlp = spacy.blank("de")
    learn([read(path, "auto", nlp)], nlp.vocab)
    words = ["Im", "IM", "am", "am", "am", "zur"]
    doc = Doc(nlp.vocab, words=words, tags=["APPR_ART"] * 3 + ["PTKA", "", "X"])
    assert list(map(forms, doc)) == ["In dem", "IN DEM", "an dem", "", "an dem", ""]
    assert mode_of(nlp.vocab) == "auto"


def test_a_form_that_is_mostly_a_word_stays_one(path):
    nlp = spacy.blank("de")
    other = Doc(nlp.vocab, words=["am"] * 3, tags=["PTKA"] * 3)
    learn([read(path, "auto", nlp), other], nlp.vocab)
    doc = Doc(nlp.vocab, words=["am", "am"], tags=["", "APPR_ART"])
    assert list(map(forms, doc)) == ["", "an dem"]


SHOUTED = """\
# text = WAS GEHT'S
1\tWAS\twas\tPRON\tPWS\t_\t2\tnsubj\t_\t_
2-3\tGEHT'S\t_\t_\t_\t_\t_\t_\t_\t_
2\tgeht\tgehen\tVERB\tVVFIN\tNumber=Sing\t0\troot\t_\t_
3\t's\tes\tPRON\tPPER\t_\t2\texpl\t_\t_

"""


def test_words_of_another_case_do_not_spell_their_token(tmp_path):
    """Neither the case of the text is lost nor that of the words; and the pipeline is known to have
    learnt from a file that was read so."""
    path = tmp_path / "in.conllu"
    path.write_text(SHOUTED, encoding="utf8")
    nlp = spacy.blank("de")
    doc = read(path, "auto", nlp)
    assert [token.text for token in doc] == ["WAS", "GEHT'S"] and forms(doc[1]) == "geht 's"
    written = [line for line in to_conllu(doc).splitlines() if line[:1].isdigit()]
    assert written == [line for line in SHOUTED.splitlines() if line[:1].isdigit()]
    learn([doc], nlp.vocab)
    assert mode_of(nlp.vocab) == "auto"


def test_the_mode_of_a_pipeline(path):
    nlp = spacy.blank("de")
    learn([read(path, "merge", nlp)], nlp.vocab)
    assert mode_of(nlp.vocab) == "merge"
    nlp.vocab.lookups.remove_table(MODE_TABLE)  # as earlier versions
    assert mode_of(nlp.vocab) == "merge"
    learn([read(path, "auto", nlp)], nlp.vocab)
    assert mode_of(spacy.blank("de").from_bytes(nlp.to_bytes()).vocab) == "auto"


def test_an_old_table_goes(path):
    nlp = spacy.blank("de")
    learn([read(path, "auto", nlp)], nlp.vocab)
    learn([Doc(nlp.vocab, words=["im"])], nlp.vocab)
    assert mode_of(nlp.vocab) == "split"
    assert not words_of(Doc(nlp.vocab, words=["im"])[0])


def trained(path, tmp_path):
    """A pipeline that knows tokens and their words from a converted file, and nothing else."""
    convert_conllu(path, tmp_path / "train.spacy")
    nlp = spacy.blank(
        "de",
        config={"nlp": {"tokenizer": {"@tokenizers": "spacy-pretrained.TreebankTokenizer.v1"}}},
    )
    corpus = build_corpus(tmp_path / "train.spacy", max_tokens=3)
    nlp.initialize(lambda: corpus(nlp))
    return nlp


@pytest.mark.parametrize("way", ["folder", "bytes"])
def test_the_table_goes_with_the_pipeline(path, tmp_path, way):
    nlp = trained(path, tmp_path)
    if way == "folder":
        nlp.to_disk(tmp_path / "saved")
        nlp = spacy.load(tmp_path / "saved")
    else:
        nlp = spacy.blank("de").from_config(nlp.config).from_bytes(nlp.to_bytes())
    assert forms(nlp.make_doc("Es geht's im Haus")[3]) == "in dem"
    stream = io.StringIO()
    write_conllu([nlp.make_doc("im Garten")], stream)
    assert "1-2\tim\t" in stream.getvalue()
    assert "2\tdem\tder\tDET\tART\tCase=Dat|Gender=Neut\t" in stream.getvalue()


def test_evaluation_knows_the_words(path, tmp_path):
    scores = evaluate_treebank(trained(path, tmp_path), path)
    for protocol in scores["protocols"].values():
        # 15 words. Without a tag, the last "am" is taken for "an dem", as it mostly is.
        assert protocol["conll18"]["Words"]["f1"] == pytest.approx(
            100 * 2 * 14 / (15 + 16), abs=1e-3
        )
        assert protocol["spacy"]["token_f"] == 100
    gold_tokens = scores["protocols"]["gold_tokens"]["conll18"]
    assert gold_tokens["Tokens"]["f1"] == 100


def test_a_pipeline_of_words_is_scored_as_before(path):
    scores = evaluate_treebank(spacy.blank("de"), path)
    assert scores["protocols"]["gold_tokens"]["conll18"]["Words"]["f1"] == 100
    assert scores["protocols"]["raw_text"]["conll18"]["Words"]["f1"] < 80


def test_own_words_have_the_gold_annotation(path):
    gold = read_gold(path)
    for multiword in ("auto", "merge"):
        scores = score(gold, annotation_of([read(path, multiword)], tokens_of=gold))
        assert {name: measure.f1 for name, measure in scores.items()} == dict.fromkeys(scores, 100)


def test_parts_of_documents_keep_their_words(path, tmp_path):
    convert_conllu(path, tmp_path / "train.spacy")
    nlp = spacy.blank("de")
    (whole,) = DocBin().from_disk(tmp_path / "train.spacy").get_docs(nlp.vocab)
    parts = [eg.reference for eg in build_corpus(tmp_path / "train.spacy", max_tokens=2)(nlp)]
    assert len(parts) == 4
    cut = [forms(token) for part in parts for token in part]
    assert cut == [forms(token) for token in whole]
    assert cut.count("an dem") == 1
    example = Example(nlp.make_doc(whole.text), whole)
    assert forms(example.predicted[3]) == ""


def test_a_word_without_a_head_stays_without(tmp_path):
    rows = [
        "1\tgeht\tgehen\tVERB\t_\t_\t0\troot\t_\t_",
        "2-3\tim" + "\t_" * 8,
        "2\tin\tin\tADP\t_\t_\t1\tcase\t_\t_",
        "3\tdem\tder\tDET" + "\t_" * 6,
    ]
    path = tmp_path / "in.conllu"
    path.write_text("\n".join(rows) + "\n\n", "utf8")
    doc = next(iter(read_conllu(path, spacy.blank("de").vocab, multiword="merge")))
    written = to_conllu(doc)
    assert "\n3\tdem\tder\tDET\t_\t_\t_\t_\t" in written
    path.write_text(written, "utf8")
    again = next(iter(read_conllu(path, spacy.blank("de").vocab, multiword="merge")))
    assert to_conllu(again) == written
