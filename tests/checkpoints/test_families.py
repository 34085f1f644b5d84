"""What is said of families of encoders is true with the transformers that are installed."""

import pytest

from spacy_pretrained.checkpoints import families
from spacy_pretrained.checkpoints.families import FAMILIES, converts, describe_conversion


@pytest.fixture(params=["4.57.1", "5.23.0", None])
def major(request, monkeypatch):
    """The first number of transformers' version; None where it is not installed."""

    def version(package):
        assert package == "transformers"
        if request.param is None:
            raise families.PackageNotFoundError(package)
        return request.param

    monkeypatch.setattr(families, "version", version)
    return request.param and request.param[0]


def test_the_warning_is_that_of_the_version(major):
    for model_type, with_4, otherwise in [
        ("xlm", True, False),
        ("flaubert", True, False),
        ("xmod", False, True),
        ("bert", True, True),
        ("longformer", False, False),
        ("never_tried", True, True),
    ]:
        expected = with_4 if major == "4" else otherwise
        assert converts(model_type) == expected, model_type
        warning = describe_conversion(model_type, "encoder")
        assert (warning is None) == expected
        assert warning is None or f"'{model_type}'" in warning


def test_what_differs_is_noted_only_where_it_does():
    for name, row in FAMILIES.items():
        assert "openvino_4" not in row or row["openvino_4"] != row["openvino"], name
