"""entailment_labels.py: what a config says of classes counts, and nothing is guessed."""

import pytest

from spacy_pretrained.checkpoints.entailment_labels import EntailmentLabels, find_entailment


@pytest.mark.parametrize(
    ("names", "entailment", "contradiction"),
    [
        (["CONTRADICTION", "NEUTRAL", "ENTAILMENT"], 2, 0),  # roberta-large-mnli
        (["entailment", "neutral", "contradiction"], 0, 2),  # DeBERTa of several authors
        (["entailment", "not_entailment"], 0, None),
        (["non-entailment", "Entails"], 1, None),
    ],
)
def test_names_of_known_models(names, entailment, contradiction):
    config = {"id2label": {str(i): name for i, name in enumerate(names)}}
    assert find_entailment(config) == EntailmentLabels(entailment, contradiction)


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["LABEL_0", "LABEL_1", "LABEL_2"], "LABEL_0, LABEL_1, LABEL_2"),
        (["entailment", "entailment_strict"], "entailment, entailment_strict"),
        (["entailment", "contradiction", "contrast"], "entailment, contradiction, contrast"),
        (["positive", "negative"], "positive, negative"),
        ([], "none"),
    ],
)
def test_what_does_not_say(names, shown):
    config = {"id2label": dict(enumerate(names)), "model_type": "bert"}
    with pytest.raises(ValueError, match=rf"config\.json of the model \(bert\).* has {shown}\. "):
        find_entailment(config)
    with pytest.raises(ValueError, match="has none"):
        find_entailment({})
