import gzip
import io
import re
from dataclasses import astuple
from pathlib import Path

import pytest
from spacy.lang.en import English
from spacy.pipeline.dep_parser import parser_score
from spacy.pipeline.morphologizer import morphologizer_score
from spacy.pipeline.tagger import tagger_score
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example
from spacy.vocab import Vocab, create_vocab

from spacy_pretrained.corpora.conllu import read_conllu, to_conllu, write_conllu
from spacy_pretrained.corpora.conllu_doc import ConversionReport
from spacy_pretrained.scoring.conll18 import read_gold

DATA = Path(__file__).parents[3] / "shared" / "data"

# Two documents; a multiword token that its words spell and one that they do not, an empty node,
# a crossing arc, a paragraph inside the first document and one at its start.
SAMPLE = """\
# newdoc id = a
# newpar id = a-1
# sent_id = a-1
# text = Don't say "_", she said du.
1-2\tDon't\t_\t_\t_\t_\t_\t_\t_\t_
1\tDo\tdo\tAUX\tVB\tMood=Imp|Number=Sing|NumForm=X\t3\taux\t3:aux\t_
2\tn't\tnot\tPART\tRB\t_\t3\tadvmod\t3:advmod\t_
3\tsay\tsay\tVERB\tVB\tVerbForm=Inf\t0\troot\t0:root\t_
4\t"\t"\tPUNCT\t``\t_\t5\tpunct\t5:punct\tSpaceAfter=No
5\t_\t_\tSYM\tSYM\t_\t3\tobj\t3:obj\tGloss=x|SpaceAfter=No
6\t"\t"\tPUNCT\t''\t_\t5\tpunct\t5:punct\tSpaceAfter=No
7\t,\t,\tPUNCT\t,\t_\t3\tpunct\t3:punct\t_
8\tshe\tshe\tPRON\tPRP\tGender=Fem\t9\tnsubj\t9:nsubj\t_
8.1\tx\t_\t_\t_\t_\t_\t_\t9:dep\t_
8.2\ty\t_\t_\t_\t_\t_\t_\t9:dep\t_
9\tsaid\tsay\tVERB\tVBD\t_\t3\tparataxis\t3:parataxis\t_
10-11\tdu\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
10\tde\tde\tADP\tIN\t_\t9\tcase\t9:case\t_
11\tle\tle\tDET\tDT\t_\t4\tdet\t9:obl\tSpaceAfter=No
12\t.\t.\tPUNCT\t.\t_\t3\tpunct\t3:punct\t_

# newpar
1\tYes\tyes\tINTJ\tUH\t_\t0\troot\t0:root\tSpaceAfter=No

1\tNo\tno\tINTJ\tUH\t_\t0\troot\t0:root\t_

# newdoc id = b
1\tBye\tbye\tINTJ\tUH\t_\t0\troot\t0:root\t_
"""


@pytest.fixture(scope="module")
def vocab():
    return create_vocab("en", English.Defaults)


@pytest.fixture
def read(tmp_path, vocab):
    def read(text, **settings):
        path = tmp_path / "in.conllu"
        path.write_bytes(text.encode("utf8"))
        return list(read_conllu(path, vocab, **settings))

    return read


def words(*arcs):
    """Rows of one sentence from (head, relation) pairs."""
    rows = [f"{i}\tw{i}\t_\tX\tT\t_\t{h}\t{d}\t_\t_" for i, (h, d) in enumerate(arcs, 1)]
    return "\n".join(rows) + "\n\n"


def annotation(doc):
    """Everything that a conversion keeps, whitespace tokens included."""
    words = [(t.text, t.whitespace_, t.lemma_, t.pos_, t.tag_) for t in doc]
    feats = [(t.has_morph(), str(t.morph)) for t in doc]
    arcs = [(t.head.i, t.dep_, t.is_sent_start) for t in doc]
    return words, feats, arcs, [(sent.start, sent.end) for sent in doc.sents]


def through_docbin(docs, vocab):
    return list(DocBin().from_bytes(DocBin(docs=docs).to_bytes()).get_docs(vocab))


def test_sample(read):
    report = ConversionReport()
    first, second = read(SAMPLE, report=report)
    assert astuple(report) == (2, 4, 15, 2, 1, 2, 0, 1, 0, 0, 0, 0)
    assert first.text == 'Don\'t say "_", she said de le.\n\nYesNo '
    assert second.text == "Bye "
    assert [sent.text for sent in first.sents] == [
        'Don\'t say "_", she said de le.\n\n',
        "Yes",
        "No",
    ]
    assert [token.dep_ for token in first[:5]] == ["aux", "advmod", "ROOT", "punct", "obj"]
    assert [token.head.i for token in first[:5]] == [2, 2, 2, 4, 2]
    assert first[10].head.i == 3  # the crossing arc
    assert (first[0].lemma_, first[0].pos_, first[0].tag_) == ("do", "AUX", "VB")
    assert first[0].morph.to_dict() == {"Mood": "Imp", "NumForm": "X", "Number": "Sing"}
    assert first[1].has_morph() and str(first[1].morph) == ""
    assert first[4].lemma_ == "_"
    newlines = first[12]
    assert (newlines.text, newlines.head.i, newlines.is_sent_start) == ("\n\n", 11, False)
    assert (newlines.tag, newlines.pos, newlines.lemma, newlines.has_morph()) == (0, 0, 0, False)


def test_report_adds_up_over_files(read):
    report = ConversionReport()
    read(SAMPLE, report=report)
    read(SAMPLE, report=report)
    assert astuple(report) == (4, 8, 30, 4, 2, 4, 0, 2, 0, 0, 0, 0)


def test_line_ends_bom_and_missing_last_blank_line(read):
    expected = [annotation(doc) for doc in read(SAMPLE)]
    for text in ("\ufeff" + SAMPLE, SAMPLE.replace("\n", "\r\n"), SAMPLE.rstrip("\n")):
        assert [annotation(doc) for doc in read(text)] == expected


def test_compressed(read, tmp_path, vocab):
    path = tmp_path / "in.conllu.gz"
    path.write_bytes(gzip.compress(SAMPLE.encode("utf8")))
    docs = list(read_conllu(path, vocab))
    assert [annotation(doc) for doc in docs] == [annotation(doc) for doc in read(SAMPLE)]
    path.write_bytes(b"not gzip")
    with pytest.raises(ValueError, match="cannot be uncompressed"):
        list(read_conllu(path, vocab))


def test_groups_where_there_are_no_documents(read):
    text = words((0, "root")) * 5
    assert [len(doc) for doc in read(text, max_sentences=2)] == [2, 2, 1]
    # Sentences before the first newdoc are grouped, documents stay whole.
    text += "# newdoc\n" + words((0, "root")) * 3
    assert [len(doc) for doc in read(text, max_sentences=2)] == [2, 2, 1, 3]


def test_missing_columns(read):
    (doc,) = read("1\ta\t_\t_\t_\t_\t_\t_\t_\t_\n2\tb\t_\t_\t_\t_\t_\t_\t_\t_\n\n" * 2)
    for attribute in ("TAG", "POS", "MORPH", "LEMMA", "DEP"):
        assert not doc.has_annotation(attribute)
    assert [sent.start for sent in doc.sents] == [0, 2]


ROOTED = words((2, "dep"), (0, "root"), (2, "dep"))
PARTIAL = words(("_", "_"), (3, "dep"), (0, "root"), ("_", "_"))
ROOTLESS = words(("_", "_"), (1, "dep"), ("_", "_"))
BARE = words(("_", "_"), ("_", "_"))


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        (ROOTED + PARTIAL + ROOTED, [[0, 3, 7]]),
        (ROOTED + ROOTLESS + ROOTED, [[0], [0], [0]]),
        (ROOTLESS + ROOTLESS + BARE + BARE, [[0], [0], [0, 2]]),
        (PARTIAL + PARTIAL + BARE + ROOTED, [[0, 4], [0], [0]]),
    ],
)
def test_sentence_starts_with_missing_heads(read, vocab, text, starts):
    docs = read("# newdoc\n" + text)
    for got in (docs, through_docbin(docs, vocab)):
        assert [[sent.start for sent in doc.sents] for doc in got] == starts
    report = ConversionReport()
    partial = [token.dep_ for doc in read(PARTIAL, report=report) for token in doc]
    assert partial == ["", "dep", "ROOT", ""]
    assert report.missing_heads == 2


@pytest.mark.parametrize(
    "text",
    [SAMPLE, ROOTED + PARTIAL + ROOTLESS + BARE, BARE + "# newpar\n" + BARE],
    ids=["sample", "partial", "bare"],
)
def test_read_write_read(read, vocab, text):
    docs = read(text)
    stream = io.StringIO()
    write_conllu(through_docbin(docs, vocab), stream)
    again = read(stream.getvalue())
    assert [annotation(doc) for doc in again] == [annotation(doc) for doc in docs]
    # What is written is settled: it has no multiword tokens and the like.
    once_more = io.StringIO()
    write_conllu(again, once_more)
    assert once_more.getvalue() == stream.getvalue()


def columns_kept(text):
    """ID to DEPREL of every word, as they stand in the file."""
    rows = [line.split("\t") for line in text.splitlines()]
    return [row[:8] for row in rows if row[0].isdigit()]


def test_written_columns_are_those_read(read):
    written = "".join(map(to_conllu, read(SAMPLE)))
    assert columns_kept(written) == columns_kept(SAMPLE)


def test_write_skips_whitespace_tokens(vocab):
    doc = Doc(
        vocab,
        words=["\n\n", "I", " ", "see", "\n", "\n\n", "\n", "you", ".", " \n \n", "Bye", "\n"],
        spaces=[False, True, False, True, *[False] * 8],
        heads=[1, 3, 3, 3, 3, 3, 5, 6, 3, 10, 10, 10],
        deps=["dep", "nsubj", "dep", "ROOT"] + ["dep"] * 3 + ["obj", "punct", "dep", "ROOT", "dep"],
    )
    assert [sent.start for sent in doc.sents] == [0, 9]
    lines = to_conllu(doc, "x").splitlines()
    comments = [line for line in lines if line.startswith("#")]
    assert comments == [
        "# newdoc id = x",
        "# sent_id = x-1",
        "# text = I see you.",
        "# newpar",
        "# sent_id = x-2",
        "# text = Bye",
    ]
    rows = [line.split("\t") for line in lines if line and line not in comments]
    assert [row[:2] + row[6:8] + row[9:] for row in rows] == [
        ["1", "I", "2", "nsubj", "_"],
        ["2", "see", "0", "root", "_"],
        ["3", "you", "2", "obj", "SpaceAfter=No"],
        ["4", ".", "2", "punct", "_"],
        ["1", "Bye", "0", "root", "_"],
    ]


def test_write_makes_one_root_of_a_whitespace_root(vocab, read):
    doc = Doc(
        vocab,
        words=["\n", "a", "b"],
        heads=[0, 0, 0],
        deps=["ROOT", "nsubj", "obj"],
    )
    (again,) = read(to_conllu(doc))
    assert [(token.head.i, token.dep_) for token in again] == [(0, "ROOT"), (0, "obj")]


def test_write_refuses_what_the_format_cannot_say(vocab):
    doc = Doc(vocab, words=["a", "b"], heads=[0, 0], deps=["ROOT", "dep"])
    doc.from_array(["SENT_START"], doc.to_array(["SENT_START"]) * 0 + 1)
    with pytest.raises(ValueError, match=r"head of token 1 .* in another sentence"):
        to_conllu(doc)
    with pytest.raises(ValueError, match="tab or a newline"):
        to_conllu(Doc(vocab, words=["a\tb"]))


def test_write_without_sentences_and_words(vocab):
    assert to_conllu(Doc(vocab)) == ""
    assert to_conllu(Doc(vocab, words=["\n"])) == ""
    assert columns_kept(to_conllu(Doc(vocab, words=["a", "b"])))[1][0] == "2"


def test_paragraphs_cost_nothing_in_spacys_scores(read, vocab):
    """Also not in a second document: see PARAGRAPH_DEP."""
    sentence = words((2, "det"), (0, "root"), (2, "punct"))
    gold = read(f"# newdoc\n{sentence}# newpar\n{sentence}# newdoc\n{sentence}{sentence}")
    assert [token.text for token in gold[0]].count("\n\n") == 1
    examples = []
    for reference in through_docbin(gold, vocab):
        predicted = Doc(
            vocab,
            words=[token.text for token in reference],
            spaces=[bool(token.whitespace_) for token in reference],
            heads=[token.head.i for token in reference],
            deps=["dep" if token.is_space else token.dep_ for token in reference],
            tags=["T"] * len(reference),
            pos=["X"] * len(reference),
            morphs=["_"] * len(reference),
        )
        examples.append(Example(predicted, reference))
    scores = {**tagger_score(examples), **morphologizer_score(examples), **parser_score(examples)}
    assert [scores[key] for key in ("tag_acc", "pos_acc")] == [1.0, 1.0]
    assert [scores[key] for key in ("dep_uas", "dep_las", "sents_f")] == [1.0, 1.0, 1.0]
    assert scores["morph_acc"] is None  # no FEATS in the file: nothing to score


def test_paragraphs_cost_nothing_in_morph_acc(read):
    docs = read(SAMPLE)
    assert morphologizer_score([Example(doc, doc) for doc in docs])["morph_acc"] == 1.0


GOOD = "1\ta\ta\tX\tT\tA=B\t0\troot\t_\t_\n"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (GOOD + "\n1\ta b\n", 3, "10 columns .* has 2"),
        (GOOD + " \n" + GOOD, 2, "10 columns .* has 1"),
        (GOOD.replace("\tT", "\t"), 1, "column is empty"),
        (GOOD.replace("\ta\ta", "\t \ta"), 1, "column is empty"),
        (GOOD + "# newdoc\n", 2, "comment inside"),
        (GOOD.replace("1\t", "2\t"), 1, "ID is '2', .* is 1"),
        (GOOD.replace("1\t", "01\t"), 1, "ID is '01'"),
        (GOOD + GOOD, 2, "ID is '1', .* is 2"),
        ("1.1\tx" + "\t_" * 8 + "\n" + GOOD, 1, "ID is '1.1'"),
        ("0.1\tx" + "\t_" * 8 + "\n\n", 1, "has no words"),
        ("2-3\tx" + "\t_" * 8 + "\n" + GOOD, 1, "'2-3' must begin .* 1"),
        ("1-0\tx" + "\t_" * 8 + "\n" + GOOD, 1, "'1-0'"),
        (("1-2\tx" + "\t_" * 8 + "\n") * 2 + GOOD, 2, "not overlap"),
        ("1-2\tx" + "\t_" * 8 + "\n" + GOOD, 1, "ends with word 2, .* are 1"),
        (GOOD.replace("\tX\t", "\tNN\t"), 1, "unknown UPOS 'NN'.* ADJ"),
        (GOOD.replace("A=B", "A"), 1, "FEATS 'A'"),
        (GOOD.replace("A=B", "A=B|A=C"), 1, "FEATS 'A=B|A=C'"),
        (GOOD.replace("A=B", "A=B|"), 1, "FEATS"),
        (words((0, "root"), ("x", "dep")), 2, "HEAD is 'x'"),
        (words((0, "root"), ("-1", "dep")), 2, "HEAD is '-1'"),
        (words((0, "root"), (3, "dep")), 2, "HEAD is '3'.*1 to 2"),
        (words((0, "root"), ("_", "dep")), 2, "HEAD is '_' and DEPREL 'dep'"),
        (words((0, "root"), (1, "root")), 2, "goes with HEAD 0"),
        (words((0, "dep")), 1, "goes with HEAD 0"),
        (words((0, "root"), (1, "dep"), (0, "root")), 3, "words 1 and 3"),
        (words((0, "root"), (2, "dep")), 2, "word 2 depends on itself"),
        (words((0, "root"), (4, "dep"), (2, "dep"), (3, "dep")), 2, "depends on itself"),
        (words((2, "dep"), (1, "dep"), ("_", "_")), 1, "depends on itself"),
    ],
)
def test_malformed_lines_are_named(read, tmp_path, text, line, says):
    with pytest.raises(ValueError, match=says) as error:
        read(text)
    assert str(error.value).startswith(f"{tmp_path / 'in.conllu'}, line {line}:")
    # Evaluation has the same reader.
    with pytest.raises(ValueError, match=re.escape(str(error.value))):
        read_gold(tmp_path / "in.conllu")


def test_other_errors(tmp_path, vocab, read):
    path = tmp_path / "latin.conllu"
    path.write_bytes(("# text = ä\n" + GOOD).encode("latin1"))
    with pytest.raises(ValueError, match=r"latin\.conllu, line 1: not UTF-8"):
        list(read_conllu(path, vocab))
    with pytest.raises(ValueError, match=r"latin\.conllu, line 1: not UTF-8"):
        read_gold(path)
    with pytest.raises(ValueError, match="no sentences"):
        read("# only a comment\n\n")
    with pytest.raises(ValueError, match="at least 1"):
        read(GOOD, max_sentences=0)


def read_public(name, vocab, tmp_path):
    """The Docs, report and text of a public file."""
    source = DATA / name
    if not source.exists():
        pytest.skip(f"needs the public data in {DATA}")
    raw = source.read_bytes()
    path = tmp_path / "in.conllu"
    path.write_bytes(gzip.decompress(raw) if source.suffix == ".gz" else raw)
    report = ConversionReport()
    return list(read_conllu(path, vocab, report=report)), report, path.read_text(encoding="utf8")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("ud_en_ewt/en_ewt-ud-train.conllu", (540, 12544, 204577, 2614, 0, 37, 0, 1922)),
        ("ud_en_ewt/en_ewt-ud-dev.conllu", (318, 2001, 25147, 359, 0, 4, 0, 432)),
        ("ud_en_ewt/en_ewt-ud-test.conllu", (316, 2077, 25094, 354, 0, 2, 0, 538)),
        ("ud_fr_sequoia/fr_sequoia-ud-dev.conllu.gz", (42, 412, 9999, 282, 282, 0, 0, 0)),
    ],
)
def test_public_treebanks(name, counts, vocab, tmp_path):
    docs, report, text = read_public(name, vocab, tmp_path)
    assert astuple(report)[:-1] == (*counts, 0, 0, 0)  # no entities
    assert sum(len(list(doc.sents)) for doc in docs) == report.sentences
    if report.words > 30_000:  # the others show the rest
        return
    written = "".join(map(to_conllu, docs))
    assert columns_kept(written) == columns_kept(text)
    (tmp_path / "in.conllu").write_text(written, encoding="utf8")
    again = read_conllu(tmp_path / "in.conllu", vocab)
    assert [annotation(doc) for doc in again] == [annotation(doc) for doc in docs]


# Entities in MISC

ENTITIES = """\
# newdoc id = a
1\tAda\t_\tPROPN\tNNP\t_\t0\troot\t_\tNE=B-PER
2\tKing\t_\tPROPN\tNNP\t_\t1\tflat\t_\tNE=I-PER|SpaceAfter=No
3\t's\t_\tPART\tPOS\t_\t1\tcase\t_\t_

# newpar
1\tRome\t_\tPROPN\tNNP\t_\t0\troot\t_\tNE=B-LOC
2\tit\t_\tPRON\tPRP\t_\t1\tdep\t_\tNE=-

# newdoc id = b
1\tit\t_\tPRON\tPRP\t_\t0\troot\t_\t_
"""


def entities(doc):
    return [(ent.start, ent.end, ent.label_) for ent in doc.ents], [t.ent_iob for t in doc]


def test_entities(read, vocab):
    report = ConversionReport()
    docs = read(ENTITIES, report=report)
    assert (report.entities, report.entity_repairs) == (2, 0)
    expected = [
        ([(0, 2, "PER"), (4, 5, "LOC")], [3, 1, 2, 2, 3, 0]),  # a newline, and one that is missing
        ([], [2]),
    ]
    assert [entities(doc) for doc in docs] == expected
    assert [entities(doc) for doc in through_docbin(docs, vocab)] == expected


@pytest.mark.parametrize("key", ["Entity=(1-person", "NER=B-PER", "ner=B-PER", "NamedEntity=Yes"])
def test_entities_of_other_forms_are_counted(read, key):
    report = ConversionReport()
    docs = read(ENTITIES.replace("NE=B-LOC", f"Gloss=x|{key}"), report=report)
    assert report.unread_entities == 1 and entities(docs[0])[0] == [(0, 2, "PER")]


def test_entities_are_written_and_read_again(read):
    docs = read(ENTITIES)
    text = "".join(to_conllu(doc, f"doc{i}") for i, doc in enumerate(docs))
    assert [entities(doc) for doc in read(text)] == [entities(doc) for doc in docs]


def test_missing_entities_are_written_as_missing(read):
    """Beside a Doc that has some, nothing would mean none."""
    docs = [*read(ENTITIES), *read(words((0, "root"), (1, "dep")))]
    stream = io.StringIO()
    write_conllu(docs, stream)
    assert [entities(doc) for doc in read(stream.getvalue())] == [entities(doc) for doc in docs]


def test_an_entity_over_two_sentences_is_one_in_each(read, vocab):
    doc = Doc(vocab, words=["a", "b", "c"], sent_starts=[1, 1, -1], ents=["B-X", "I-X", "O"])
    (again,) = read(to_conllu(doc))
    assert entities(again)[0] == [(0, 1, "X"), (1, 2, "X")]


@pytest.mark.parametrize("label", ["creative work", "A|B", "tab\t"])
def test_labels_that_cannot_be_written(vocab, label):
    doc = Doc(vocab, words=["a", "b"])
    doc.set_ents([Span(doc, 1, 2, label=label)])
    with pytest.raises(ValueError, match=r"token 1 of a Doc, 'b', has the label"):
        to_conllu(doc)


def test_entities_of_other_schemes(read):
    text = ENTITIES.replace("NE=I-PER", "name=L-PER").replace("NE=B-LOC", "NE=U-LOC")
    assert [entities(doc) for doc in read(text)] == [entities(doc) for doc in read(ENTITIES)]


def test_without_any_entity_all_are_missing(read):
    (doc,) = read(words((0, "root"), (1, "dep")))
    assert not doc.has_annotation("ENT_IOB")


def test_an_empty_doc_has_no_entities_that_others_would_miss(vocab):
    stream = io.StringIO()
    write_conllu([Doc(vocab, words=["a"]), Doc(vocab, words=[])], stream)
    assert "1\ta\t_\t_\t_\t_\t_\t_\t_\t_\n" in stream.getvalue()


def test_an_entity_that_is_no_tag(read):
    with pytest.raises(ValueError, match=r"line 2: .*'PER'"):
        read(ENTITIES.replace("NE=B-PER", "NE=PER"))


def test_spacy_reads_the_same_entities(read):
    """Its own converter has had NE= in MISC before us."""
    from spacy.training.converters import conllu_to_docs

    text = ENTITIES.replace("|NE=-", "").replace("NE=-", "_")
    ours = [(e.text, e.label_) for doc in read(text) for e in doc.ents]
    theirs = list(conllu_to_docs(text, n_sents=1, no_print=True))
    assert [(e.text, e.label_) for doc in theirs for e in doc.ents] == ours


@pytest.mark.parametrize(
    "first, second",
    [
        ("NE=B-PER", "NE=I-PER"),
        ("name=B-PER", "name=I-PER"),
        ("Tag=B-PER", "Tag=I-PER"),
        ("B-PER", "I-PER"),
        ("SpaceAfter=No|B-PER", "I-PER|SpaceAfter=No"),
        ("B-PER SpaceAfter=No", "SpaceAfter=No I-PER"),
        ("Gloss=a b|Tag=B-PER SpaceAfter=No", "I-PER SpaceAfter=No|Gloss=B-side c"),
    ],
)
def test_entities_in_misc_in_the_ways_they_are_written(tmp_path, first, second):
    rows = [("Ada", first), ("L", second), ("sleeps", "O"), (".", "Gloss=B-x y")]
    lines = [f"{i}\t{word}" + "\t_" * 7 + f"\t{misc}\n" for i, (word, misc) in enumerate(rows, 1)]
    path = tmp_path / "a.conllu"
    path.write_text("".join(lines) + "\n", "utf8")
    (doc,) = read_conllu(path, Vocab())
    assert [(ent.text, ent.label_) for ent in doc.ents] == [(doc[:2].text, "PER")]
    assert bool(doc[0].whitespace_) == ("SpaceAfter=No" not in first)
    assert bool(doc[1].whitespace_) == ("SpaceAfter=No" not in second)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_other_encodings(tmp_path, encoding):
    path = tmp_path / "a.conllu"
    path.write_bytes(("1\tZürich" + "\t_" * 8 + "\n\n").encode(encoding))
    (doc,) = read_conllu(path, Vocab(), encoding=encoding)
    assert doc.text == "Zürich "
    with pytest.raises(ValueError, match=r"a\.conllu, line 1: not UTF-8.*--encoding"):
        list(read_conllu(path, Vocab()))
