"""origin.py: which encoder begins with what, and settings that its kind does not heed."""

import pytest
from numpy_backend import NumpyShim
from thinc.api import Model
from tiny_models import make_wordpiece

from spacy_pretrained.checkpoints.wordpieces import PieceTokenizer
from spacy_pretrained.encoder.concat_encoder import build_concat_encoder
from spacy_pretrained.encoder.origin import (
    VOCABULARY_SIZE,
    Origin,
    is_from_scratch,
    make_tokenizer,
    pair_origins,
)
from spacy_pretrained.encoder.token_encoder import build_encoder

TEXTS = ["Ada sees the old river. Robots never sleep in Zürich.", "Yes, it is!"] * 3
NOTHING, FROM_FILE = Origin(), Origin(tokenizer="tokenizer.json")


class NumpyScratch(NumpyShim):
    def make_weights(self, tokenizer: PieceTokenizer) -> None:
        raise NotImplementedError


def make_encoder(kind: type[NumpyShim]) -> Model:
    return build_encoder(kind(False), 32, None, 256, 0, False)


@pytest.fixture
def pretrained() -> Model:
    return make_encoder(NumpyShim)


@pytest.fixture
def scratch() -> Model:
    return make_encoder(NumpyScratch)


def pair(model: Model, origin: Origin = NOTHING, encoders: dict | None = None) -> list:
    return list(pair_origins(model, "mine", origin, encoders))


def test_one_encoder_has_the_origin_that_is_given(pretrained, scratch):
    assert is_from_scratch(scratch) and not is_from_scratch(pretrained)
    for model, origin in (
        (pretrained, Origin()),
        (pretrained, Origin(source="owner/name")),
        (scratch, Origin()),
        (scratch, FROM_FILE),
        (scratch, Origin(vocabulary_size=100)),
    ):
        assert pair(model, origin) == [(model, origin)]


def test_each_of_several_has_its_own(pretrained, scratch):
    model = build_concat_encoder({"two": scratch, "one": pretrained})
    encoders = {"one": {"source": "owner/name"}, "two": {"vocabulary_size": 300}}
    expected = [Origin(source="owner/name"), Origin(vocabulary_size=300)]
    assert pair(model, encoders=encoders) == list(zip((pretrained, scratch), expected))
    assert [origin for _, origin in pair(model)] == [Origin(), Origin()]


@pytest.mark.parametrize(
    "kind, origin, message",
    [
        (NumpyShim, FROM_FILE, r"components\.mine\] has tokenizer, but .* its source"),
        (NumpyShim, Origin("x", None, 100), r"components\.mine\] has vocabulary_size"),
        (NumpyScratch, Origin("x"), r"components\.mine\] has source = 'x', .*random weights"),
        (NumpyScratch, Origin(None, "x", 100), "both tokenizer and vocabulary_size"),
    ],
)
def test_what_an_encoder_would_not_heed(kind, origin, message):
    with pytest.raises(ValueError, match=message):
        pair(make_encoder(kind), origin)


def test_blocks_that_do_not_fit(pretrained, scratch):
    with pytest.raises(ValueError, match="'mine' has a single one"):
        pair(pretrained, encoders={"one": {"source": "x"}})
    model = build_concat_encoder({"one": pretrained, "two": scratch})
    for origin, encoders, message in (
        (Origin(source="x"), None, r"several encoders \(one, two\), so that source in"),
        (Origin(), {"three": {}}, "has 'three', but the encoders of 'mine' are one, two"),
        (Origin(), {"one": {"sauce": "x"}}, r"mine\.encoders\.one\] has no setting 'sauce'"),
        (Origin(), {"two": {"source": "x"}}, r"mine\.encoders\.two\] has source = 'x'"),
        (Origin(), {"one": {"tokenizer": "x"}}, r"mine\.encoders\.one\] has tokenizer"),
    ):
        with pytest.raises(ValueError, match=message):
            pair(model, origin, encoders)


# The tokenizer of an encoder from scratch


def test_a_vocabulary_is_learnt_from_all_texts():
    learnt = make_tokenizer(Origin(), iter(TEXTS))
    assert {"ada", "river"} <= learnt.vocabulary().keys()
    assert len(learnt.vocabulary()) < VOCABULARY_SIZE
    small = make_tokenizer(Origin(vocabulary_size=100), iter(TEXTS))
    assert len(small.vocabulary()) <= 100
    with pytest.raises(ValueError, match="99"):
        make_tokenizer(Origin(vocabulary_size=99), TEXTS)


@pytest.mark.parametrize("given", ["file", "folder"])
def test_a_tokenizer_that_is_there(tmp_path, given):
    path = tmp_path / "tokenizer.json"
    make_wordpiece().save(str(path))
    origin = Origin(tokenizer=path if given == "file" else str(tmp_path))
    found = make_tokenizer(origin, TEXTS)
    assert found.vocabulary() == make_wordpiece().get_vocab()


def test_a_tokenizer_in_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    make_wordpiece().save(str(tmp_path / "tokenizer.json"))
    assert make_tokenizer(Origin(tokenizer="~"), TEXTS).vocabulary()
    with pytest.raises(ValueError, match=r"~no-such-user/at.all' is no tokenizer\.json"):
        make_tokenizer(Origin(tokenizer="~no-such-user/at/all"), TEXTS)


def test_a_tokenizer_of_another_language_or_none_at_all(tmp_path):
    make_wordpiece().save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(ValueError, match="'ქართული'"):
        make_tokenizer(Origin(tokenizer=tmp_path), ["ქართული ენა"])
    with pytest.raises(ValueError, match=r"none' is no tokenizer\.json"):
        make_tokenizer(Origin(tokenizer=tmp_path / "none"), TEXTS)
