"""Spaces: what a .cfg may say, and what a config has to have."""

import pytest
from doc_blocks import ROOT, read_blocks
from thinc.api import Config

from spacy_pretrained.searching.configs import (
    check_settings,
    read_config,
    read_values,
    with_seed,
    with_values,
)
from spacy_pretrained.searching.space import Setting, known_spaces, read_space
from spacy_pretrained.training.config import complete_config

CONFIG = """
[training]
dropout = 0.1
max_steps = 10
seed = ${system.seed}

[training.optimizer]
total_steps = 10

[system]
seed = 0
"""


@pytest.fixture
def make_space(tmp_path):
    def make(*lines, head="[search]\n\n[search.space]"):
        path = tmp_path / "space.cfg"
        path.write_text("\n".join([head, *lines]) + "\n", "utf8")
        return read_space(str(path))

    return make


def test_ranges_and_choices(make_space):
    space = make_space(
        'training.dropout = {"low": 0.0, "high": 0.4}',
        'a.rate = {"low": 1e-4, "high": 1e-2, "log": true}',
        'a.size = {"choices": [1, "two", null, true]}',
        'training.max_steps = {"low": 10, "high": 30, "step": 10, "also": ["a.total"]}',
    )
    dropout, rate, size, steps = space.settings
    assert not dropout.is_whole and rate.log and size.choices == (1, "two", None, True)
    assert steps.is_whole
    values = space.spread({s.path: 0 for s in space.settings} | {"training.max_steps": 20})
    assert values["a.total"] == values["training.max_steps"] == 20
    assert space.metric == "score"


@pytest.mark.parametrize(
    "setting, inside, outside",
    [
        (Setting("x", 0.0, 1.0), [0.0, 0.5, 1, 1.0], [-0.1, 1.1, None, "0.5", True]),
        (Setting("x", 0, 3), [0, 3], [4, 1.5, None]),
        (Setting("x", 0, 9, 3), [0, 3, 9], [1, 10]),
        (Setting("x", choices=(1, None, "a")), [1, None, "a"], [True, 1.0, "b"]),
    ],
)
def test_what_is_in_a_setting(setting, inside, outside):
    assert all(setting.has(value) for value in inside)
    assert not any(setting.has(value) for value in outside)


@pytest.mark.parametrize(
    "line, said",
    [
        ("a.b = 3", "low and high"),
        ('a.b = {"low": 0.0}', "low and high"),
        ('a.b = {"low": 0.0, "hihg": 1.0}', "low and high"),
        ('a.b = {"low": 1.0, "high": 0.0}', "second the larger"),
        ('a.b = {"low": 0.0, "high": 1.0, "log": true}', "above 0"),
        ('a.b = {"low": "0", "high": 1.0}', "have to be numbers"),
        ('a.b = {"choices": [1]}', "two or more"),
        ('a.b = {"choices": [1, 1]}', "all different"),
        ('a.b = {"choices": [[1], [2]]}', "two or more"),
        ('a.b = {"choices": [1, 2], "also": "c"}', "low and high"),
        ("", "no settings to search"),
    ],
)
def test_what_is_refused(make_space, line, said):
    with pytest.raises(ValueError, match=said):
        make_space(line)


def test_unknown_options_and_files(make_space, tmp_path):
    with pytest.raises(ValueError, match="metrik"):
        make_space(head='[search]\nmetrik = "x"')
    with pytest.raises(ValueError, match="ner, pipeline"):
        read_space(str(tmp_path / "none.cfg"))
    (tmp_path / "bad.cfg").write_text("no block", "utf8")
    with pytest.raises(ValueError, match=r"cannot|not a config"):
        read_space(str(tmp_path / "bad.cfg"))


def test_a_config_with_other_values(make_space):
    config = Config().from_str(CONFIG, interpolate=False)
    space = make_space(
        'training.dropout = {"low": 0.0, "high": 0.4}',
        'training.max_steps = {"low": 1, "high": 30, "also": ["training.optimizer.total_steps"]}',
    )
    check_settings(config, space)
    assert read_values(config, space) == {"training.dropout": 0.1, "training.max_steps": 10}
    values = space.spread({"training.dropout": 0.3, "training.max_steps": 20})
    changed = with_values(config, values)
    assert changed["training"]["dropout"] == 0.3
    assert changed["training"]["optimizer"]["total_steps"] == 20
    assert config["training"]["dropout"] == 0.1  # as it was
    seeded = with_seed(config, 5).interpolate()
    assert seeded["training"]["seed"] == seeded["system"]["seed"] == 5


@pytest.mark.parametrize("path", ["training.droput", "trainin.dropout", "training.optimizer"])
def test_a_setting_that_the_config_lacks(make_space, path):
    space = make_space(f'{path} = {{"low": 0.0, "high": 0.4}}')
    with pytest.raises(ValueError, match=f"'{path}'.* nearest is '"):
        check_settings(Config().from_str(CONFIG, interpolate=False), space)


def test_a_setting_that_is_a_reference(make_space):
    space = make_space('training.seed = {"low": 0, "high": 4}')
    with pytest.raises(ValueError, match="from elsewhere"):
        check_settings(Config().from_str(CONFIG, interpolate=False), space)


def test_the_space_of_the_page_fits_the_config_of_the_page(tmp_path):
    (block,) = read_blocks(ROOT / "docs" / "search.md", "cfg")
    (tmp_path / "space.cfg").write_text(block.code, "utf8")
    space = read_space(str(tmp_path / "space.cfg"))
    assert len(space.settings) == 5
    complete_config("ner").config.to_disk(tmp_path / "config.cfg")
    check_settings(read_config(tmp_path / "config.cfg"), space)


@pytest.mark.parametrize("name", known_spaces())
def test_spaces_that_come_along_fit_their_configs(name, tmp_path):
    """That of a name is for the config of the same name, and its values are near the default's."""
    path = tmp_path / "config.cfg"
    complete_config(name).config.to_disk(path)
    config, space = read_config(path), read_space(name)
    check_settings(config, space)
    values = read_values(config, space)
    away = [s.path for s in space.settings if not s.has(values[s.path])]
    # The default follows the encoder's size: it is no number.
    assert away == ["components.pretrained_encoder.model.learn_rate_factor"]


@pytest.mark.parametrize(
    "low, high, more",
    [(1, 9, "0"), (1, 9, "-2"), (1, 9, "0.5"), (0.1, 0.9, '0.1, "log": true')],
)
def test_steps_that_make_no_sense(make_space, low, high, more):
    with pytest.raises(ValueError, match=r"the step of training\.dropout"):
        make_space(f'training.dropout = {{"low": {low}, "high": {high}, "step": {more}}}')
