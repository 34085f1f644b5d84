"""Settings that a backbone on torch cannot have are refused by name, before there is any torch."""

import math

import pytest

from spacy_pretrained.backends.torch_settings import ScratchSettings, TorchSettings


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"freeze_layers": -1}, "freeze_layers.*-1"),
        ({"dropout": 1.0}, r"dropout.*1\.0"),
        ({"dropout": -0.1}, r"dropout.*-0\.1"),
        ({"learn_rate_factor": -0.5}, r"learn_rate_factor.*-0\.5"),
        ({"learn_rate_factor": math.nan}, "learn_rate_factor.*nan"),
        ({"learn_rate_factor": math.inf}, "learn_rate_factor.*inf"),
    ],
)
@pytest.mark.parametrize("kind", [TorchSettings, ScratchSettings])
def test_of_all(kind, settings, message):
    with pytest.raises(ValueError, match=message):
        kind(**settings)


def test_those_at_the_edge_are_taken():
    for factor in (0, None, (rate for rate in (0.1, 0.2))):
        assert TorchSettings(dropout=0.0, learn_rate_factor=factor).learn_rate_factor is factor


@pytest.mark.parametrize("name", ["layers", "width", "heads", "window"])
def test_of_one_from_scratch(name):
    with pytest.raises(ValueError, match=f"{name}.*0"):
        ScratchSettings(**{name: 0})


def test_heads_have_the_same_width():
    with pytest.raises(ValueError, match=r"30.*4"):
        ScratchSettings(width=30, heads=4)
