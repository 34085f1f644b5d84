"""The table of multiword tokens goes along into the quantized copy and into the wheel."""

import zipfile

import pytest
import spacy
from spacy.tokens import Doc
from tiny_pipelines import make_nlp

from spacy_pretrained.corpora.multiword import Word, WordCounts, mode_of, set_words, words_of
from spacy_pretrained.packaging.package import package_pipeline
from spacy_pretrained.quantization.quantize import quantize_pipeline

WORDS = [
    Word("zu", "zu", "ADP", "APPR", "", -1, ""),
    Word("dem", "der", "DET", "ART", "Case=Dat", -2, "det"),
]


@pytest.fixture(scope="module")
def nlp(tiny_bert):
    nlp = make_nlp(tiny_bert, "pretrained_ner")
    nlp.get_pipe("pretrained_ner").add_label("GPE")
    nlp.initialize()
    doc = Doc(nlp.vocab, words=["zum", "Haus"], spaces=[True, False])
    set_words(doc, 0, WORDS)
    counts = WordCounts()
    counts.add(doc)
    counts.to_vocab(nlp.vocab)
    return nlp


@pytest.mark.slow
def test_quantized_and_packaged(nlp, tmp_path):
    folder = tmp_path / "quantized"
    quantize_pipeline(nlp, precision="fp32").to_disk(folder)
    wheel = package_pipeline(folder, tmp_path, corpus="sample", encoder="tiny", version="1.2.3")
    with zipfile.ZipFile(wheel) as file:
        file.extractall(tmp_path / "installed")
    (meta,) = (tmp_path / "installed").glob("*/*/meta.json")
    for path in (folder, meta.parent):
        loaded = spacy.load(path)
        doc = loaded.make_doc("Zum Haus, zum Fluss")
        assert [word.form for word in words_of(doc[0])] == ["Zu", "dem"]
        assert list(words_of(doc[3])) == WORDS
        assert words_of(doc[1]) == ()
        assert mode_of(loaded.vocab) == "auto"
