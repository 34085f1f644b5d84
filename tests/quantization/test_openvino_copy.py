"""What a copy on OpenVINO asks for when it is installed."""

import pytest

from spacy_pretrained.quantization.openvino_copy import without_torch


@pytest.mark.parametrize(
    "text, kept",
    [
        ("torch>=2.6", []),
        ("Transformers", []),
        ("safetensors[torch]; python_version > '3.8'", []),
        ("spacy-pretrained[train]>=0.1", ["spacy-pretrained>=0.1"]),
        ("spacy-pretrained[serve,train]>=0.1", ["spacy-pretrained[serve]>=0.1"]),
        ("torchvision", ["torchvision"]),
        ("https://example.com/a b.whl", ["https://example.com/a b.whl"]),  # which pip does not take
    ],
)
def test_requirements_without_what_only_training_needs(text, kept):
    assert without_torch(["a>=1", text, "b"]) == ["a>=1", *kept, "b"]
