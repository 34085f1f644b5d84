"""before it learns, the model is the zero-shot one; heads are put in and taken out whatever their
size."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from spacy_pretrained.backends.backbone import get_shim
from spacy_pretrained.encoder.text_encoder import build_torch_sentence_encoder
from spacy_pretrained.textcat.few_shot.head import Head
from spacy_pretrained.textcat.few_shot.model import (
    FewShot,
    build_few_shot_classifier,
    get_head,
    has_head,
    make_prior,
    read_head,
    set_head,
)
from spacy_pretrained.textcat.labels.label_set import make_label_set
from spacy_pretrained.textcat.zero_shot.classifier import Query
from spacy_pretrained.textcat.zero_shot.similarity_model import build_similarity_classifier

TEXTS = ["the sea shore", "lazy dogs jump", "sea shells 😀"]


def make_labels(*names: str, multi_label: bool = False):
    return make_label_set(
        names, descriptions={}, templates=["On {}."], multi_label=multi_label, component="x"
    )


def make_model(source: str, **settings) -> FewShot:
    encoder = build_torch_sentence_encoder(dropout=0.0)
    model = build_few_shot_classifier(encoder, **settings)
    assert not has_head(model)
    get_shim(model).load_source(Path(source))
    return model


@pytest.mark.parametrize("multi_label", [False, True])
def test_before_it_learns_it_is_the_zero_shot_model(tiny_bert, multi_label):
    model = make_model(tiny_bert, scale=15.0, middle=0.2)
    labels = make_labels("the sea", "dogs", multi_label=multi_label)
    set_head(model, make_prior(model, labels))
    zero_shot = build_similarity_classifier(model.get_ref("encoder"), scale=15.0, middle=0.2)
    assert_allclose(model.predict(TEXTS), zero_shot.predict(Query(TEXTS, labels)), atol=1e-4)


def test_heads_of_any_size_are_put_in_and_taken_out(tiny_bert, tmp_path):
    model = make_model(tiny_bert)
    for n in (2, 5, 3):
        head = make_prior(model, make_labels(*"abcde"[:n]))
        set_head(model, head)
        assert has_head(model) and model.predict(TEXTS).shape == (3, n)
        assert_allclose(get_head(model).W, head.W)
    model.get_ref("output").to_disk(tmp_path / "head")
    set_head(model, Head(np.ones((2, 32), "float32"), np.ones(2, "float32")))
    read_head(model, (tmp_path / "head").read_bytes())
    assert_allclose(get_head(model).W, head.W)
    assert model.get_dim("nO") == 3
