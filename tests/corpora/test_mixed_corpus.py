"""mixed_corpus.py: every example comes, and those of small corpora as often as the shares say."""

from collections import Counter

import pytest
import spacy
from spacy.tokens import Doc, DocBin
from spacy.util import registry

from spacy_pretrained.corpora.mixed_corpus import build_mixed_corpus, count_passes


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """Corpora of 64, 16 and 4 documents, of ten words each."""
    folder = tmp_path_factory.mktemp("corpora")
    vocab = spacy.blank("xx").vocab
    paths = []
    for name, n in (("en", 64), ("fr", 16), ("da", 4)):
        docs = [Doc(vocab, words=[f"{name}{i}"] * 10, tags=["X"] * 10) for i in range(n)]
        paths.append(folder / f"{name}.spacy")
        DocBin(docs=docs).to_disk(paths[-1])
    return paths


def names(paths, **settings) -> list[str]:
    read = build_mixed_corpus(paths, **settings)
    return [eg.reference[0].text for eg in read(spacy.blank("xx"))]


@pytest.mark.parametrize("temperature", [0.0, 0.3, 0.5, 1.0])
def test_shares(paths, temperature):
    found = names(paths, temperature=temperature)
    counts = Counter(name[:2] for name in found)
    wanted = {"en": 64, "fr": 16, "da": 4}
    total = sum(n**temperature for n in wanted.values())
    for name, n in wanted.items():
        assert counts[name] / len(found) == pytest.approx(n**temperature / total, abs=0.02)
    assert len(set(found)) == 84  # nothing is left out
    assert counts["en"] == 64


def test_no_example_comes_much_more_often_than_its_neighbours(paths):
    counts = Counter(names(paths, temperature=0.3))
    for name in ("en", "fr", "da"):
        of_corpus = [n for text, n in counts.items() if text.startswith(name)]
        assert max(of_corpus) - min(of_corpus) <= 1


def test_corpora_are_mixed(paths):
    found = names(paths, temperature=1.0)
    for start in range(0, len(found) - 21, 21):
        assert {name[:2] for name in found[start : start + 21]} == {"en", "fr", "da"}


def test_it_reads_as_the_plain_reader_does(paths):
    make = registry.readers.get("spacy-pretrained.MixedCorpus.v1")
    nlp = spacy.blank("xx")
    read = make(paths[:1], max_tokens=5)
    plain = registry.readers.get("spacy-pretrained.Corpus.v1")(paths[0], max_tokens=5)
    for _ in range(2):  # as often as asked
        assert [eg.to_dict() for eg in read(nlp)] == [eg.to_dict() for eg in plain(nlp)]


def test_passes():
    assert count_passes([100, 100], 0.3) == [1, 1]
    assert count_passes([1000, 10], 1.0) == [1, 1]


def test_bad_settings(paths, tmp_path):
    with pytest.raises(ValueError, match=r"temperature = 1\.5"):
        build_mixed_corpus(paths, temperature=1.5)
    with pytest.raises(ValueError, match="paths"):
        build_mixed_corpus([])
    with pytest.raises(ValueError, match=r"en\.spacy.*en\.spacy"):
        build_mixed_corpus([paths[0], paths[0]])
    DocBin().to_disk(tmp_path / "nothing.spacy")
    read = build_mixed_corpus([paths[0], tmp_path / "nothing.spacy"])
    with pytest.raises(ValueError, match=r"nothing\.spacy"):
        read(spacy.blank("xx"))
