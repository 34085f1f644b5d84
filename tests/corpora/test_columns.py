"""column_layout.py, column_rows.py, columns.py: files with a token a line to Docs."""

import gzip
import os
from pathlib import Path

import pytest
from spacy.vocab import Vocab

from spacy_pretrained.corpora.columns import ColumnsReport, read_columns

DATA = Path(__file__).parents[3] / "shared" / "data"

WNUT = "@paul\tO\n#\tO\nEmpire\tB-creative-work\nState\tI-creative-work\n\t\n#esb\tB-location\n\n"
CONLL2003 = """-DOCSTART- -X- -X- O

EU NNP I-NP I-ORG
rejects VBZ I-VP O
German JJ I-NP I-MISC
Bonn NNP I-NP I-LOC
Ulm NNP B-NP B-LOC

# NN I-NP O
-DOCSTART- -X- -X- O

Peter NNP I-NP I-PER
Blackburn NNP I-NP I-PER
"""
UNER = """# newdoc id = a
# sent_id = a-1
# text = Don't go to  Ulm.
1\tDo\tO\t-\t-
2\tn't\tO\t-\t-
3\tgo\tO\t-\t-
4\tto\tO\t-\t-
5\tUlm\tB-LOC\t-\tme
6\t.\t-\t-\t-

# sent_id = a-2
# text = # 1!
1\t#\tO\t-\t-
2\t1\tO\t-\t-
3\t!\tO\t-\t-

# newdoc id = b
# text = End
1\tEnd\tO\t-\t-
"""


@pytest.fixture
def read(tmp_path):
    path = tmp_path / "file.conll"

    def read(text: str | bytes, **arguments):
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf8"))
        return list(read_columns(path, Vocab(), **arguments))

    return read


def entities(docs) -> list[tuple[str, str]]:
    return [(ent.text, ent.label_) for doc in docs for ent in doc.ents]


def sentences(docs) -> list[list[list[str]]]:
    return [[[token.text for token in sent] for sent in doc.sents] for doc in docs]


def test_tweets_with_hashes(read):
    report = ColumnsReport()
    docs = read(WNUT, report=report)
    assert sentences(docs) == [[["@paul", "#", "Empire", "State"], ["#esb"]]]
    assert entities(docs) == [("Empire State", "creative-work"), ("#esb", "location")]
    labels = {"creative-work": 1, "location": 1}
    assert report == ColumnsReport(1, 2, 5, 2, labels=labels)
    for attribute in ("TAG", "POS", "LEMMA", "DEP", "MORPH"):
        assert not docs[0].has_annotation(attribute)
    assert docs[0].has_annotation("ENT_IOB", require_complete=True)
    assert docs[0].has_unknown_spaces and docs[0].text == "@paul # Empire State #esb "
    # Space-separated, a "#" is a word, too.
    assert sentences(read("# comment line here\n# O\nUlm B-LOC\n")) == [[["#", "Ulm"]]]


@pytest.mark.parametrize(
    ("header", "line"),
    [
        ("# id a-1 domain=en", "{} _ _ {}"),  # MultiCoNER, with as many columns as the words
        ("# id a-1\tdomain=en", "{} _ _ {}"),
        ("# id a-1\tdomain=en", "{} _ {}"),
        ("# id a-1\tdomain=en", "{}\t{}"),
        ("# a-1 x lang=en", "{} _ _ {}"),
        ("# sent_id 12 x", "{} _ _ {}"),
    ],
)
def test_headers_are_no_words(read, header, line):
    words = [("#", "O"), ("Ulm", "B-LOC"), ("id", "O"), ("a=b", "O")]
    text = f"{header}\n" + "".join(line.format(*word) + "\n" for word in words) + "\n"
    assert sentences(read(text * 2)) == [[["#", "Ulm", "id", "a=b"]] * 2]


def test_all_faults_are_told_at_once(read):
    lines = ["a O", "b PER", "c O O", "# x = y", "d B-X"] + ["e O"] * 9
    with pytest.raises(ValueError, match="line 2: ") as error:
        read("\n".join(lines))
    assert [line.split(": ")[0][-6:] for line in str(error.value).split("\n")] == [
        *("line 2", "line 3", "line 4")
    ]
    with pytest.raises(ValueError, match="there may be more") as error:
        read("a O\n" * 99 + "b PER\n" * 30)
    assert len(str(error.value).split("\n")) == 21
    with pytest.raises(ValueError, match="iob2") as error:
        read("a O\nb E-X\n\nc S-X\n", scheme="iob2")
    assert len(str(error.value).split("\n")) == 2


def test_conll_2003(read):
    report = ColumnsReport()
    docs = read(CONLL2003, xpos=1, report=report)
    assert [[len(sent) for sent in doc.sents] for doc in docs] == [[5, 1], [2]]
    expected = [("EU", "ORG"), ("German", "MISC"), ("Bonn", "LOC"), ("Ulm", "LOC")]
    assert entities(docs) == [*expected, ("Peter Blackburn", "PER")]
    assert report.repairs == 0  # IOB1 was found
    assert [token.tag_ for token in docs[0]] == ["NNP", "VBZ", "JJ", "NNP", "NNP", "NN"]
    assert not read(CONLL2003)[0].has_annotation("TAG")
    only_one = CONLL2003.replace("-DOCSTART- -X- -X- O\n", "", 1)
    assert len(read(only_one, doc_sentences=1)) == 3  # a single mark marks the file


def test_universal_ner(read):
    report = ColumnsReport()
    docs = read(UNER, report=report)
    assert [doc.text for doc in docs] == ["Don't go to Ulm. # 1! ", "End "]
    assert not any(doc.has_unknown_spaces for doc in docs)
    assert [token.ent_iob_ for token in docs[0]] == [*"OOOOB", "", *"OOO"]
    assert report == ColumnsReport(2, 3, 10, 1, missing_words=1, labels={"LOC": 1})
    (doc, _) = read(UNER.replace("text = # 1!", "text = # 2!"), report=report)
    assert report.unaligned_texts == 1 and doc.has_unknown_spaces
    assert doc.text == "Don't go to Ulm. # 1 ! "


def test_documents(read):
    text = "a O\n\n" * 7
    lengths = [[len(list(doc.sents)) for doc in read(text, doc_sentences=n)] for n in (3, 10)]
    assert lengths == [[3, 3, 1], [7]]
    with pytest.raises(ValueError, match="doc_sentences"):
        read(text, doc_sentences=0)


def test_repairs(read):
    report = ColumnsReport()
    text = "a B-X\n\n" * 30 + "💔 \tO\n" + "b\tI-Y\nc\tI-Y\n \tO\n\tO\n\n\tO\n\n"
    docs = read(text.replace(" B", "\tB"), report=report)
    assert (report.repairs, report.trimmed_words, report.blank_words) == (1, 1, 2 + 1)
    assert entities(docs)[-1] == ("b c", "Y") and docs[-1].text == "💔 b c "
    assert (report.sentences, report.words) == (31, 33)
    mixed = "a\tB-X\n\nb\tI-X\n"
    with pytest.raises(ValueError, match=r"file.conll, line 3\.* .*scheme="):
        read(mixed)
    assert len(entities(read(mixed, scheme="iob2"))) == 2


@pytest.mark.parametrize(
    "text, words",
    [
        ("O\ta\nB-X\tb\n", ["a", "b"]),  # the tag first
        ("0\ta\tO\n1\tb\tB-X\n\n0\tb\tB-X\n", ["a", "b", "b"]),  # an index, no comments
        ("a DT O x\nb NN B-X y\n", ["a", "b"]),  # one column holds tags
        ("a  DT   O\nb NN\xa0N B-X\n", ["a", "b"]),
        ("﻿a\tO\r\nb\tB-X\r\n", ["a", "b"]),
        ("a b\tO\nc\tB-X\n", ["a b", "c"]),
        ("#\tsource\n1\ta\tO\tO\n2\tb\tB-X\tO\n", ["a", "b"]),  # GermEval
    ],
)
def test_layouts(read, text, words):
    docs = read(text)
    assert [token.text for doc in docs for token in doc] == words
    assert len(entities(docs)) >= 1


def test_columns_that_are_given(read):
    text = "O,x,NN,NOUN,a,B-Y\nB-X,x,_,_,b,O\n"
    doc = read(text, separator=",", word=-2, tag=0, xpos=2, upos=3)[0]
    assert [(t.text, t.ent_type_, t.tag_, t.pos_) for t in doc] == [
        ("a", "", "NN", "NOUN"),
        ("b", "X", "", ""),
    ]
    assert entities(read("a\tO\tO\nb\tB-X\tB-Y\n", tag=1)) == [("b", "X")]


@pytest.mark.parametrize(
    "text, arguments, message",
    [
        ("", {}, "has no words"),
        ("\n\t\n \n", {}, "has no words"),
        ("a\tO\nb\n", {}, r"line 2: columns found: 1, expected: 2 with tabs .*'b'"),
        ("a\tO\nb\tO\tx\n", {}, "line 2: columns found: 3, expected: 2"),
        ("a\nb\n", {}, "line 1: found one column"),
        ("a\tO\n \tB-X\n", {}, "line 2: the word is empty .*'B-X'"),
        ("a\tO\nb\tB_PER\n", {}, "line 2: 'B_PER' is not an entity tag"),
        ("a\tO\nb\t\n", {}, "line 2: '' is not an entity tag"),
        (b"a\tO\n\xe4\tO\n", {}, r"line 2: not UTF-8 .*0xe4"),
        ("a\tO\n", {"scheme": "bio"}, "'bio'.*iob1, iob2, bioes, biluo, auto"),
        ("a\tS-X\n", {"scheme": "iob2"}, "line 1: The tag 'S-X'"),
        ("a\tO\tO\nb\tB-X\tB-Y\n", {}, r"several hold \(1, 2\) tags .*tag=2"),
        ("a x y\nb x y\n", {}, "of the 3 columns, with spaces .*, none holds tags"),
        ("a\tO\n", {"tag": 2}, "no column tag=2; the file has 2 columns"),
        ("a\tO\n", {"word": -1, "tag": 1}, "word and tag are the same column, 1"),
        ("a\tXX\tO\nb\tNN\tB-X\n", {"upos": 1}, "line 1: unknown UPOS 'XX'"),
        ("1\ta\tO\n# text = b\n2\tb\tB-X\n", {}, "line 2: a comment inside"),
        ("1\ta\tO\n2\tb\tB-X\n2-3\tc\tO\n", {}, "line 3: .*it is '2-3'"),
    ],
)
def test_bad_input(read, text, arguments, message):
    with pytest.raises(ValueError, match=message):
        read(text, **arguments)


def test_gzip(tmp_path):
    path = tmp_path / "a.iob2.gz"
    path.write_bytes(gzip.compress(WNUT.encode()))
    assert len(entities(read_columns(path, Vocab()))) == 2
    path.write_bytes(gzip.compress(WNUT.encode())[:-10])
    with pytest.raises(ValueError, match="cannot be uncompressed"):
        list(read_columns(path, Vocab()))
    path.write_bytes(b"no gzip")
    with pytest.raises(ValueError, match="cannot be uncompressed"):
        list(read_columns(path, Vocab()))


# The figures of ../shared/data/README.md: sentences, words, entities, and repairs. Broad Twitter
# Corpus: of 2,001 sentences and 29,480 words in h, one sentence and four words are white space.
CORPORA = {
    "ner_wnut17/wnut17train.conll": (3_394, 62_730, 1_975, 0),
    "ner_wnut17/emerging.dev.conll": (1_009, 15_733, 836, 0),
    "ner_wnut17/emerging.test.annotated": (1_287, 23_394, 1_079, 0),
    "ner_wikigold/wikigold.conll.txt": (1_696, 39_007, 3_558, 0),
    "ner_wikigold/wikigold.iob2": (1_696, 39_007, 3_558, 0),
    "ner_btc/e.conll": (200, 3_981, 325, 0),
    "ner_btc/h.conll": (2_000, 29_476, 3_368, 0),
    "ner_crossner/ai/train.txt": (100, 3_782, 532, 0),
    "ner_uner_da_ddt/da_ddt-ud-train.iob2.gz": (4_383, 80_378, 3_028, 6),
    "ner_uner_da_ddt/da_ddt-ud-test.iob2.gz": (565, 10_023, 447, 1),
    "ner_uner_hr_set/hr_set-ud-test.iob2.gz": (1_136, 24_260, 1_536, 0),
    "ner_uner_sk_snk/sk_snk-ud-test.iob2.gz": (1_061, 12_736, 915, 0),
}
LARGE_CORPORA = {
    "ner_btc/a.conll": (1_000, 16_612, 521, 0),
    "ner_btc/b.conll": (2_000, 30_825, 1_610, 0),
    "ner_btc/f.conll": (2_000, 35_425, 4_376, 0),
    "ner_btc/g.conll": (2_138, 34_062, 4_685, 0),
    "ner_crossner/politics/test.txt": (651, 27_585, 4_209, 0),
    "ner_crossner/science/test.txt": (543, 19_487, 3_089, 0),
    "ner_crossner/music/test.txt": (465, 19_605, 3_336, 0),
    "ner_crossner/literature/test.txt": (416, 16_157, 2_266, 0),
    "ner_uner_da_ddt/da_ddt-ud-dev.iob2.gz": (564, 10_332, 379, 0),
    "ner_uner_en_ewt/en_ewt-ud-train.iob2": (12_543, 204_579, 7_005, 0),
    "ner_uner_pt_bosque/pt_bosque-ud-train.iob2.gz": (7_018, 171_776, 8_101, 0),
    "ner_uner_sv_talbanken/sv_talbanken-ud-test.iob2.gz": (1_219, 20_377, 196, 0),
    "ner_wikineural_en/val.conllu.gz": (11_590, 267_839, 19_621, 439),
    "ner_wikineural_en/test.conllu.gz": (11_597, 267_155, 19_675, 559),
    "ner_wikineural_es/test.conllu.gz": (9_618, 228_367, 15_400, 0),
}


@pytest.mark.parametrize(
    "name, expected",
    [
        *CORPORA.items(),
        *(pytest.param(*item, marks=pytest.mark.slow) for item in LARGE_CORPORA.items()),
    ],
)
def test_real_corpora(name, expected):
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not in ../shared/data")
    report = ColumnsReport()
    docs = list(read_columns(path, Vocab(), report=report))
    assert (report.sentences, report.words, report.entities, report.repairs) == expected
    assert sum(report.labels.values()) == sum(len(doc.ents) for doc in docs) == expected[2]
    assert sum(map(len, docs)) == expected[1]
    assert report.unaligned_texts == 0
    assert any(doc.has_unknown_spaces for doc in docs) == ("uner" not in name)


def test_a_pipe_is_refused(tmp_path):
    """It is read several times, and all but the first find nothing."""
    reading, writing = os.pipe()
    with open(writing, "w") as file:
        file.write(WNUT)
    try:
        with pytest.raises(ValueError, match=r"no file, but a pipe.*Write it to a file first"):
            list(read_columns(f"/dev/fd/{reading}", Vocab()))
    finally:
        os.close(reading)


def test_blank_words_alone_are_no_words(read):
    with pytest.raises(ValueError, match="has no words"):
        read("\u00a0\tO\n")
