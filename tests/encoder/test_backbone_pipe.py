"""backbone_pipe.py: components with a backbone are saved under names that stay, whole or in part,
and say what they lack."""

import pytest
import spacy
import srsly
from spacy.language import Language
from tiny_pipelines import ENCODER

from spacy_pretrained.backends.backbone import get_shim

ZERO, FEW = "zero_shot_textcat", "few_shot_textcat"
FROZEN = {"@architectures": "spacy-pretrained.TorchEncoder.v1", "frozen": True}
LABELS = {"labels": ["the sea", "dogs"]}
OWN = {"vocab", "backbone"}
# What released versions have saved, so that they and later ones can read each other's pipelines.
FILES = {
    ENCODER: {*OWN, "orth"},
    ZERO: {*OWN, "cfg", "calibration"},
    FEW: {*OWN, "cfg", "head"},
}
KEYS = FILES | {ENCODER: {"cfg", "vocab", "model"}}


def make_pipe(name: str, source: str | None = None):
    nlp = spacy.blank("en")
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


def make_shared(source: str) -> Language:
    nlp = spacy.blank("en")
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
