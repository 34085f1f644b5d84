"""backbone_pipe.py: components with a backbone are saved under names that stay, whole or in part,
and say what they lack."""

import logging
import shutil

import pytest
import spacy
import srsly
from spacy.language import Language
from tiny_pipelines import ENCODER

from spacy_pretrained.backends.backbone import get_shim
from spacy_pretrained.checkpoints.catalogue import CATALOGUE

ZERO, FEW = "zero_shot_textcat", "few_shot_textcat"
FROZEN = {"@architectures": "spacy-pretrained.TorchEncoder.v1", "frozen": True}
LABELS = {"labels": ["the sea", "dogs"]}
OWN = {"vocab", "backbone"}
LISTED = {"cfg", "checksums.json"}  # the first says that there is the second
# What released versions have saved, so that they and later ones can read each other's pipelines.
FILES = {
    ENCODER: {*OWN, *LISTED, "orth"},
    ZERO: {*OWN, *LISTED, "calibration"},
    FEW: {*OWN, *LISTED, "head"},
}
KEYS = {name: files - {"checksums.json"} for name, files in FILES.items()}
KEYS |= {ENCODER: {"cfg", "vocab", "model"}}


def make_pipe(name: str, source: str | None = None, lang: str = "en"):
    nlp = spacy.blank(lang)
    pipe = nlp.add_pipe(name, config={} if name == ENCODER else LABELS)
    if source is not None:
        nlp.config["initialize"]["components"][name] = {"source": source}
        nlp.initialize()
    return pipe


@pytest.mark.parametrize("name", FILES)
def test_names_of_what_is_saved_stay(name, tiny_bert, tmp_path):
    pipe = make_pipe(name, tiny_bert)
    pipe.to_disk(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == FILES[name]
    assert set(srsly.msgpack_loads(pipe.to_bytes())) == KEYS[name]


@pytest.mark.parametrize("name", FILES)
def test_what_is_excluded_is_neither_written_nor_read(name, tiny_bert, tmp_path):
    pipe = make_pipe(name, tiny_bert)
    pipe.to_disk(tmp_path / "part", exclude=["vocab", "backbone"])
    assert {path.name for path in (tmp_path / "part").iterdir()} == FILES[name] - OWN
    pipe.to_disk(tmp_path / "all")
    other = make_pipe(name).from_disk(tmp_path / "all", exclude=["backbone"])
    assert get_shim(other.model).checkpoint is None
    other.from_disk(tmp_path / "all")
    assert get_shim(other.model).to_files() == get_shim(pipe.model).to_files()


def make_shared(source: str, lang: str = "en") -> Language:
    nlp = spacy.blank(lang)
    nlp.add_pipe(ENCODER, config={"model": FROZEN})
    nlp.add_pipe(ZERO, config=LABELS | {"upstream": ENCODER})
    nlp.config["initialize"]["components"][ENCODER] = {"source": source}
    nlp.initialize()
    return nlp


def test_a_backbone_of_others_is_not_saved_again(tiny_bert, tmp_path):
    pipe = make_shared(tiny_bert).get_pipe(ZERO)
    pipe.to_disk(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == FILES[ZERO] - {"backbone"}
    assert set(srsly.msgpack_loads(pipe.to_bytes())) == KEYS[ZERO] - {"backbone"}


def test_only_a_component_that_asks_for_it_gets_the_backbone_of_another(tiny_bert):
    nlp = make_shared(tiny_bert)
    alone = nlp.add_pipe(FEW, config=LABELS)
    shims = [get_shim(pipe.model) for _, pipe in nlp.components]
    assert shims[0] is shims[1] is not shims[2]
    with pytest.raises(ValueError, match="no weights yet"):
        alone(nlp.make_doc("the sea"))


@pytest.fixture
def known_source(tiny_bert, tmp_path, monkeypatch) -> str:
    """A name in the catalogue, of a tiny model for English."""
    shutil.copytree(tiny_bert, tmp_path / "tiny_weights" / "model")
    monkeypatch.syspath_prepend(tmp_path)
    entry = CATALOGUE["minilm-l6"] | {"package": "tiny_weights", "languages": ["en"]}
    monkeypatch.setitem(CATALOGUE, "tiny", entry)
    return "tiny"


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("lang, warnings", [("es", 1), ("en", 0), ("xx", 0)])
def test_an_encoder_for_another_language_is_said(name, lang, warnings, known_source, caplog):
    with caplog.at_level(logging.WARNING, logger="spacy"):
        make_pipe(name, known_source, lang)
    said = [record.getMessage() for record in caplog.records if "language" in record.getMessage()]
    assert len(said) == warnings
    for message in said:
        assert f"'{name}' loads 'tiny'" in message and "(en)" in message and "(es)" in message


def test_the_encoder_that_lends_its_weights_speaks_for_all(known_source, caplog):
    with caplog.at_level(logging.WARNING, logger="spacy"):
        make_shared(known_source, "es")
    (said,) = (r.getMessage() for r in caplog.records if "language" in r.getMessage())
    assert f"'{ENCODER}'" in said
