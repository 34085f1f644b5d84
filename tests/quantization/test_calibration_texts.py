"""Texts of three formats, long ones cut, drawn from all of a file."""

import json

import pytest
import spacy
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab
from tiny_pipelines import make_reference

from spacy_pretrained.quantization.calibration_texts import (
    MAX_CHARACTERS,
    MAX_TOKENS,
    cut_few,
    read_texts,
    sample_texts,
    split_texts,
)

TEXTS = [f"This is text {i}." for i in range(50)]


@pytest.fixture
def vocab():
    return spacy.blank("xx").vocab


@pytest.fixture
def files(tmp_path, vocab):
    """The same texts as .txt, .jsonl and .spacy."""
    paths = {name: tmp_path / f"texts.{name}" for name in ("txt", "jsonl", "spacy")}
    paths["txt"].write_text("\n\n".join(TEXTS) + "\n", encoding="utf8")
    lines = (json.dumps({"text": text, "meta": 1}) for text in TEXTS)
    paths["jsonl"].write_text("\n".join(lines), encoding="utf8")
    nlp = spacy.blank("xx")
    DocBin(docs=nlp.pipe(TEXTS)).to_disk(paths["spacy"])
    return paths


@pytest.mark.parametrize("name", ["txt", "jsonl", "spacy"])
def test_all_formats_give_the_same_texts(files, vocab, name):
    found = [getattr(text, "text", text) for text in read_texts(files[name], vocab)]
    assert found == TEXTS


def test_a_sample_is_drawn_from_all_of_the_file_and_repeats(files, vocab):
    found = sample_texts(files["txt"], vocab, 10, seed=0)
    assert len(set(found)) == 10 and set(found) < set(TEXTS)
    assert sample_texts(files["txt"], vocab, 10, seed=0) == found
    assert sample_texts(files["txt"], vocab, 10, seed=1) != found
    assert sample_texts(files["txt"], vocab, 99, seed=0) == TEXTS
    drawn = {text for seed in range(300) for text in sample_texts(files["txt"], vocab, 5, seed)}
    assert drawn == set(TEXTS)


@pytest.mark.parametrize(
    "n_texts, n_calibrated, expected",
    [
        (500, 300, (300, 200)),
        (900, 300, (300, 200)),
        (400, 300, (240, 160)),  # too few for both: two of five to compare on
        (240, 50, (50, 190)),
        (24, 300, (20, 4)),  # at least 20 to calibrate on
        (15, 300, (15, 0)),
        (500, 0, (0, 200)),
        (90, 0, (0, 90)),
    ],
)
def test_texts_to_calibrate_on_and_to_compare_on_are_others(n_texts, n_calibrated, expected):
    texts = [f"text {i}" for i in range(n_texts)]
    calibrated, compared = split_texts(texts, n_calibrated, 200, least=20, seed=0)
    assert (len(calibrated), len(compared)) == expected
    assert not set(calibrated) & set(compared) and set(calibrated + compared) <= set(texts)
    assert split_texts(texts, n_calibrated, 200, least=20, seed=0) == (calibrated, compared)
    assert compared != sorted(compared, key=texts.index) or len(compared) < 2  # drawn at random


def test_what_is_calibrated_on_is_not_compared_on_however_often_it_occurs():
    docs = list(spacy.blank("xx").pipe(["one", "two", "three"] * 30))
    calibrated, compared = split_texts(docs, 50, 40, least=20, seed=0)
    assert len(calibrated) == 50 and not compared
    calibrated, compared = split_texts([*docs, *TEXTS], 50, 40, least=20, seed=0)
    known = {getattr(text, "text", text) for text in calibrated}
    assert compared and not known & {getattr(text, "text", text) for text in compared}


@pytest.mark.parametrize("text", ["word " * 1000, "x" * 5000, "a b\n" * 700 + "y" * 3000])
def test_long_texts_are_cut_and_lose_nothing(tmp_path, vocab, text):
    path = tmp_path / "texts.jsonl"
    path.write_text(json.dumps({"text": text}), encoding="utf8")
    parts = list(read_texts(path, vocab))
    assert len(parts) > 1 and all(0 < len(part) <= MAX_CHARACTERS for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())
    short = {word for word in text.split() if len(word) <= MAX_CHARACTERS}
    assert short <= {word for part in parts for word in part.split()}


@pytest.mark.parametrize("parsed", [True, False])
def test_long_docs_are_cut_and_lose_nothing(tmp_path, vocab, parsed):
    doc = make_reference(vocab, [0, 1, 2, 3] * 60, parsed=parsed)
    doc.cats = {}
    DocBin(docs=[doc]).to_disk(tmp_path / "texts.spacy")
    parts = list(read_texts(tmp_path / "texts.spacy", vocab))
    assert max(map(len, parts)) <= (MAX_TOKENS if parsed else 4 * MAX_TOKENS)
    assert [t.text for part in parts for t in part] == [t.text for t in doc]


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("texts.txt", b" \n\n", "has no texts"),
        ("texts.txt", b"\xff\xfe\xff", "cannot be read"),
        ("texts.jsonl", b'{"text": "a"}\n{"txt": "b"}', 'Line 2 of .* has no "text"'),
        ("texts.jsonl", b'{"text": 3}', "Line 1"),
        ("texts.jsonl", b'["text"]', "Line 1"),
        ("texts.jsonl", b'{"text": "a"}\n{"text": "x\\ud83d"}', "Line 2 of .*: character 1 "),
        ("texts.jsonl", b"not json", "Line 1"),
        ("texts.spacy", b"not a DocBin", "cannot be read"),
        ("texts.csv", b"a", "unknown format"),
    ],
)
def test_files_that_hold_no_texts_say_so(tmp_path, vocab, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        sample_texts(tmp_path / name, vocab, 10, seed=0)


def test_other_fields_hold_what_json_can(tmp_path, vocab):
    """Such as records that `annotate --keep id` has written."""
    path = tmp_path / "texts.jsonl"
    path.write_text(f'{{"id": {2**70}, "text": "a"}}\n')
    assert list(read_texts(path, vocab)) == ["a"]


def test_a_missing_file_says_so(tmp_path, vocab):
    with pytest.raises(ValueError, match=r"no file '.*none\.txt'"):
        sample_texts(tmp_path / "none.txt", vocab, 10, seed=0)


def test_few_documents_are_cut_at_their_sentences():
    words = ["Ada", "sleeps", ".", "Robots", "never", "do", ".", "Yes"]
    doc = Doc(Vocab(), words=words, sent_starts=[i in (0, 3, 7) for i in range(len(words))])
    plain = Doc(Vocab(), words=["One", "text"])
    assert cut_few([doc, "a string"], 2) == [doc, "a string"]
    *sentences, text, string = cut_few([doc, plain, "a string"], 4)
    assert [len(sentence) for sentence in sentences] == [3, 4, 1]
    assert text is plain and string == "a string"
