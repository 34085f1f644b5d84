"""What a server is started with."""

import pytest

from spacy_pretrained.serving.settings import (
    Limits,
    Settings,
    check_host_name,
    is_loopback,
    parse_pipeline,
    parse_weights,
    read_keys,
)


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("folder", ("", "folder")),
        ("a=folder", ("a", "folder")),
        ("v1.2-x=some/folder=b", ("v1.2-x", "some/folder=b")),
        ("some/folder=b", ("", "some/folder=b")),
        ("=b", ("", "=b")),
    ],
)
def test_names_of_pipelines(argument, expected):
    assert parse_pipeline(argument) == expected


def test_a_folder_with_a_sign_of_equality_is_no_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a=b").mkdir()
    assert parse_pipeline("a=b") == ("", "a=b")


def test_weights():
    assert parse_weights("a=9, b=0.5,c=0") == {"a": 9, "b": 0.5, "c": 0}


@pytest.mark.parametrize(
    "argument", ["", "a", "a=", "a=b", "a=-1", "a=0", "a=nan", "a=inf", "a=1=2"]
)
def test_weights_that_say_nothing(argument):
    with pytest.raises(ValueError, match="--weights"):
        parse_weights(argument)


def test_settings_survive_json():
    settings = Settings(
        pipelines=(("a", "x"), ("", "y")),
        weights={"a": 1.0},
        workers=3,
        allowed_hosts=("h",),
        key_file="keys",
        limits=Limits(body=1, seconds=2.5),
    )
    assert Settings.from_json(settings.to_json()) == settings


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.8.8"])
def test_loopback(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.org"])
def test_what_others_can_reach(host):
    assert not is_loopback(host)


def test_several_keys(tmp_path):
    path = tmp_path / "keys"
    path.write_text(f"{'a' * 16}\n\n  {'b' * 20}  \n")
    assert read_keys(str(path)) == (b"a" * 16, b"b" * 20)


@pytest.mark.parametrize("content", ["", "\n \n", "k3y", f"{'a' * 16}\nk3y", "a b " * 8, "ä" * 20])
def test_keys_that_will_not_do(tmp_path, content):
    path = tmp_path / "keys"
    path.write_text(content)
    with pytest.raises(ValueError, match="key") as error:
        read_keys(str(path))
    said = str(error.value).replace(str(path), "")
    assert not content.strip() or content.splitlines()[-1] not in said


@pytest.mark.parametrize("host", ["https://a.example", "a.example:80", "a b", "", "*", "-a"])
def test_what_is_no_name_of_a_host(host):
    with pytest.raises(ValueError, match="--allow-host"):
        check_host_name(host)
    assert check_host_name("NLP.Example") == "nlp.example"
