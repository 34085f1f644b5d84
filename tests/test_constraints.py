"""The environments, of constraints.txt and of the others, differ where they must."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
# spacy-transformers caps transformers, which caps these.
OLDER = {"transformers", "tokenizers", "huggingface_hub"}


def read_versions(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text("utf8").splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def test_that_of_curated_transformers_has_another_numpy():
    versions, second = read_versions("constraints.txt"), read_versions("constraints-curated.txt")
    shared = versions.keys() & second.keys()
    assert {"spacy", "thinc", "torch", "transformers", "openvino", "nncf"} <= shared
    assert {name for name in shared if versions[name] != second[name]} == {"numpy"}


def test_that_of_spacy_transformers_has_older_versions_where_it_caps_them():
    versions, second = read_versions("constraints.txt"), read_versions("constraints-trf.txt")
    shared = versions.keys() & second.keys()
    assert {"spacy", "thinc", "torch", "numpy", "pytest", "openvino", "nncf"} <= shared
    assert {name for name in shared if versions[name] != second[name]} == OLDER
    assert second["transformers"].startswith("4.")


def test_the_environment_of_ray_has_the_same_versions():
    versions, third = read_versions("constraints.txt"), read_versions("constraints-ray.txt")
    shared = versions.keys() & third.keys()
    assert {"spacy", "thinc", "numpy", "pytest", "openvino", "pyarrow", "pandas"} <= shared
    assert {name: versions[name] for name in shared} == {name: third[name] for name in shared}
    assert "ray" in third and "torch" not in third
