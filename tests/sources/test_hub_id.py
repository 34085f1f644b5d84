"""Names of models on the hub, and the licences that their cards state."""

import pytest

from spacy_pretrained.checkpoints.catalogue import CATALOGUE
from spacy_pretrained.sources.hub_id import HubId, find_nearest, parse_hub_id
from spacy_pretrained.sources.licence import describe_licence, find_licence, read_licence

HUB = HubId("owner/name")


@pytest.mark.parametrize(
    "source, expected",
    [
        ("owner/name", HUB),
        ("owner/name@v1.0", HubId("owner/name", "v1.0")),
        ("owner/name@refs/pr/3", HubId("owner/name", "refs/pr/3")),
        ("minilm-l6@abc", HubId(CATALOGUE["minilm-l6"]["hub"], "abc")),
    ],
)
def test_names(source, expected):
    assert parse_hub_id(source) == expected
    assert parse_hub_id(str(expected)) == expected


@pytest.mark.parametrize(
    "source", ["", "name", "owner/name@", "a/b/c", "/a/b", "../b", "./b", "~/b", "@"]
)
def test_what_is_no_name(source):
    assert parse_hub_id(source) is None


def test_a_name_unlike_all_others_has_no_neighbour_but_the_default():
    assert find_nearest("roberta-bse")[0] == "roberta-base"
    for name in ("en_core_web_sm", "./folder", "package:tagger", "/tmp"):
        assert find_nearest(name) == ["minilm-l6"]


@pytest.mark.parametrize("revision", ["../../c", "x/../../c", "x/..", "", " ", "/x", "x y"])
@pytest.mark.parametrize("name", ["a/b", "minilm-l6"])
def test_what_is_no_revision(name, revision):
    assert parse_hub_id(f"{name}@{revision}") is None


@pytest.mark.parametrize(
    "fields, licence",
    [
        ("license: mit", "mit"),
        ('language: en\nlicense: "apache-2.0"', "apache-2.0"),
        ("license:\n- cc-by-4.0\ntags: x", "cc-by-4.0"),
        ("license: other\nlicense_name: acme", "other (acme)"),
        ("language: en", None),
        ("license:\nlanguage: en", None),
    ],
)
def test_the_licence_of_a_card(fields, licence):
    assert find_licence(f"---\n{fields}\n---\n# Title\nlicense: gpl\n") == licence


def test_a_card_without_a_header():
    assert find_licence("# Title\nlicense: mit\n") is None


def test_the_card_above_a_folder_is_that_of_a_sentence_transformers_model_only(tmp_path):
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n")
    for name in ("model", "0_Transformer"):
        (tmp_path / name).mkdir()
    assert read_licence(tmp_path / "0_Transformer") == "mit"
    assert read_licence(tmp_path / "model") is None
    (tmp_path / "modules.json").write_text("[]")
    assert read_licence(tmp_path / "model") == "mit"


@pytest.mark.parametrize("licence", ["mit", "apache-2.0", "cc-by-sa-4.0", "Apache-2.0"])
def test_free_licences(licence):
    assert describe_licence(licence, HUB) is None


@pytest.mark.parametrize("licence", ["cc-by-nc-4.0", "cc-by-nc-sa-4.0", "other (non-commercial)"])
def test_licences_without_commercial_use(licence):
    assert "forbids commercial use" in describe_licence(licence, HUB)


@pytest.mark.parametrize("licence", [None, "other", "unknown", "other (acme)"])
def test_unknown_licences(licence):
    assert "owner/name" in describe_licence(licence, HUB)
    assert "is not known" in describe_licence(licence, HUB)
