"""The listener is spaCy's own, with its width open until the encoder knows it."""

import pytest
from spacy.pipeline.tok2vec import Tok2VecListener

from spacy_pretrained.encoder.listener import build_encoder_listener


def test_it_is_spacys_own_with_its_width_open():
    listener = build_encoder_listener()
    assert type(listener) is Tok2VecListener
    assert listener.upstream_name == "pretrained_encoder"
    assert not listener.has_dim("nO")
    assert listener.loss_weight == 1.0


@pytest.mark.parametrize("loss_weight", [-1.0, -1e-9, float("inf"), float("nan")])
def test_a_loss_weight_out_of_range_is_refused(loss_weight):
    with pytest.raises(ValueError, match=f"loss_weight = {loss_weight}"):
        build_encoder_listener(loss_weight=loss_weight)


def test_the_wildcard_is_refused():
    with pytest.raises(ValueError, match="every tok2vec"):
        build_encoder_listener(upstream="*")


def test_alone_it_says_what_it_waits_for():
    listener = build_encoder_listener(upstream="my_encoder")
    with pytest.raises(ValueError, match=r'add_pipe.*name="my_encoder"'):
        listener.initialize()
    listener.set_dim("nO", 8)
    listener.initialize()
