"""What is written of a converted pipeline's config and requirements names neither stock package."""

import pytest
from spacy.language import DEFAULT_CONFIG
from thinc.api import Config

from spacy_pretrained.stock.config import (
    _clean,
    _without_references,
    convert_requirements,
    is_of_packages,
)

CONFIG = """
[paths]
train = "a.spacy"

[components]

[components.transformer]

[components.transformer.model]
@architectures = "spacy-curated-transformers.RobertaTransformer.v1"
hidden_width = 32

[components.tagger]

[components.tagger.model]
nO = ${components.transformer.model.hidden_width}
path = ${paths.train}

[training]

[training.before_update]
@callbacks = "spacy-curated-transformers.gradual_transformer_unfreezing.v1"

[training.before_update.target_pipes]
transformer = 100

[training.logger]
@loggers = "spacy-transformers.Logger.v1"

[training.optimizer]
@optimizers = "Adam.v1"

[corpora]

[corpora.pretrain]
@readers = "spacy-transformers.Reader.v1"

[custom]

[custom.deep]

[custom.deep.deeper]
@misc = "spacy-transformers.Thing.v1"
"""


def test_blocks_of_the_packages_have_the_default_or_go():
    cleaned = _clean(Config().from_str(CONFIG, interpolate=False), DEFAULT_CONFIG)
    assert cleaned["training"]["before_update"] is None
    assert cleaned["training"]["logger"] == DEFAULT_CONFIG["training"]["logger"]
    assert cleaned["training"]["optimizer"] == {"@optimizers": "Adam.v1"}
    assert cleaned["corpora"] == {} and cleaned["custom"] == {"deep": {}}
    text = Config(cleaned).to_str(interpolate=False)
    assert "spacy-transformers" not in text and "spacy-curated-transformers" not in text


def test_what_refers_to_the_old_component_is_written_out():
    config = Config().from_str(CONFIG, interpolate=False)
    found = _without_references(config, "${components.transformer.")
    assert found["components"]["tagger"]["model"]["nO"] == 32
    assert found["components"]["tagger"]["model"]["path"] == "${paths.train}"


def test_a_block_that_only_mentions_a_package_stays():
    assert not is_of_packages({"name": "spacy-transformers.x"})
    assert not is_of_packages({"@readers": "mine.spacy-transformers.v1"})
    assert not is_of_packages("spacy-transformers.x")
    assert is_of_packages({"@readers": "spacy-transformers.x"})


@pytest.mark.parametrize(
    "text, stays",
    [
        ("spacy-transformers>=1.4,<1.5", False),
        ("spacy_curated_transformers", False),
        ("Spacy-Transformers[cuda]; python_version > '3.8'", False),
        ("curated-transformers<0.2", False),
        ("spacy-transformers-extra", True),
        ("https://example.com/a.whl", True),
        ("spacy-pkuseg>=0.0.27", True),
    ],
)
def test_requirements(text, stays):
    assert convert_requirements(["a>=1", text]) == (["a>=1", text] if stays else ["a>=1"])
