"""docs/configs.md says what the code says, the links of all documents lead somewhere, and each page
can be reached from the start."""

import configparser
import importlib
import inspect
import json
import re
import types
import typing
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

import pytest
import spacy
from doc_blocks import PAGES, ROOT, parse_config, read_blocks
from spacy.language import Language
from spacy.schemas import ConfigSchemaNlp, ConfigSchemaTraining
from spacy.util import registry
from thinc.api import Config, Model

from spacy_pretrained.training.config import complete_config

TEXT = (ROOT / "docs" / "configs.md").read_text("utf8")
NAVIGATION = (ROOT / "mkdocs.yml").read_text("utf8")
REQUIRED = "–"
NOT_IN_CONFIGS = {"spacy_cli", "console_scripts"}

Argument = tuple[str, str, str]  # name, type and default, as the tables have them


def read_entry_points() -> dict[str, dict[str, str]]:
    """For each kind of thing that a config can name ("factories", "readers" ...) the names of ours,
    and where they are. From setup.cfg: what is installed may be older."""
    setup = configparser.ConfigParser(delimiters=("=",))
    setup.optionxform = str
    setup.read(ROOT / "setup.cfg", encoding="utf8")
    groups = setup["options.entry_points"].items()
    return {
        group.removeprefix("spacy_").removeprefix("thinc_"): dict(
            re.split(r"\s*=\s*", x, maxsplit=1) for x in lines
        )
        for group, value in groups
        if group not in NOT_IN_CONFIGS and (lines := value.strip().splitlines())
    }


ENTRY_POINTS = read_entry_points()
FACTORIES = ENTRY_POINTS["factories"]
OTHERS = {
    name: path
    for kind, entries in ENTRY_POINTS.items()
    for name, path in entries.items()
    if kind != "factories"
}


def load(path: str) -> Callable:
    module, name = path.split(":")
    return getattr(importlib.import_module(module), name)


# What the document has


@dataclass
class Table:
    header: list[str]
    rows: list[list[str]]


def read_sections() -> dict[str, str]:
    """The text under each heading that is a registered name."""
    parts = re.split(r"^(#{2,3} .+)$", TEXT, flags=re.MULTILINE)
    names = [re.fullmatch(r"### `(.+)`", heading) for heading in parts[1::2]]
    return {name[1]: text for name, text in zip(names, parts[2::2]) if name}


def read_tables(text: str, first_column: str) -> list[Table]:
    """The tables whose first column has this header."""
    tables = []
    for block in re.findall(r"(?:^\|.*\|\n)+", text, flags=re.MULTILINE):
        header, _, *rows = (
            [c.strip() for c in x.strip("|").split("|")] for x in block.splitlines()
        )
        assert all(len(row) == len(header) for row in rows), block
        if header[0] == first_column:
            tables.append(Table(header, rows))
    return tables


def read_arguments(table: Table) -> list[Argument]:
    assert table.header == ["argument", "type", "default", "meaning"]
    return [(name.strip("`"), kind, default.strip("`")) for name, kind, default, _ in table.rows]


SECTIONS = read_sections()
BLOCKS = [block for page in PAGES for block in read_blocks(page, "ini")]
COMMANDS = re.findall(r"```bash\n(.*?)```", TEXT, flags=re.DOTALL)


# What the code has


NAMES = {
    type(None): "null",
    Generator: "schedule",
    Callable: "function",
    Path: "path",
    Model: "model",
}


def name_type(annotation) -> str:
    """How the tables call a type.

    >>> name_type(list[str] | None)
    'list of str or null'
    """
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (types.UnionType, typing.Union):
        return " or ".join(map(name_type, inner))
    if origin in (list, dict):
        return f"{origin.__name__} of {name_type(inner[-1])}"
    kind = origin or annotation
    return NAMES.get(kind) or kind.__name__


def name_default(default) -> str:
    """A default as in a config; a registered function by its name alone."""
    if default is inspect.Parameter.empty:
        return REQUIRED
    if isinstance(default, dict) and default:
        (name,) = (value for key, value in default.items() if key.startswith("@"))
        return name
    return json.dumps(default, separators=(",", ":"))


def find_arguments(
    function: Callable, leave_out: typing.Container[str] = (), defaults: dict | None = None
) -> list[Argument]:
    """defaults: In place of those of the function."""
    hints = typing.get_type_hints(function)
    return [
        (
            name,
            name_type(hints[name]),
            name_default(parameter.default if defaults is None else defaults[name]),
        )
        for name, parameter in inspect.signature(function).parameters.items()
        if name not in leave_out
    ]


def find_pipe(factory: str) -> type:
    """The class of the components that a factory makes."""
    return typing.get_type_hints(load(FACTORIES[factory]))["return"]


OF_FACTORIES = ("nlp", "name")
OF_INITIALIZE = ("self", "get_examples", "nlp")


def test_types_and_defaults_have_names():
    def build(a: Model, b: int | None, c: dict[str, list[str]] | None = None, d: float = 0.5): ...

    expected = [
        ("a", "model", REQUIRED),
        ("b", "int or null", REQUIRED),
        ("c", "dict of list of str or null", "null"),
        ("d", "float", "0.5"),
    ]
    assert find_arguments(build) == expected
    assert name_default({"@scorers": "x.v1", "n": 1}) == "x.v1"
    assert name_default(["a", "b"]) == '["a","b"]' and name_default(True) == "true"


def test_every_registered_name_has_a_section():
    names = [name for entries in ENTRY_POINTS.values() for name in entries]
    assert len(names) > 10
    assert sorted(SECTIONS) == sorted(names)
    for section in SECTIONS.values():
        assert re.match(r"\n\n\w", section) and "```ini\n" in section


@pytest.mark.parametrize("factory", FACTORIES)
def test_tables_of_components(factory):
    function = load(FACTORIES[factory])  # which registers it
    defaults = Language.get_factory_meta(factory).default_config
    tables = read_tables(SECTIONS[factory], "argument")
    assert [read_arguments(table) for table in tables] == [
        find_arguments(function, OF_FACTORIES, defaults),
        find_arguments(find_pipe(factory).initialize, OF_INITIALIZE),
    ]


@pytest.mark.parametrize("name", OTHERS)
def test_tables_of_functions(name):
    expected = find_arguments(load(OTHERS[name]))
    tables = read_tables(SECTIONS[name], "argument")
    assert [read_arguments(table) for table in tables] == ([expected] if expected else [])


@pytest.mark.parametrize("scorer", ENTRY_POINTS["scorers"])
def test_tables_of_scores(scorer):
    for factory in FACTORIES:
        load(FACTORIES[factory])
        meta = Language.get_factory_meta(factory)
        if meta.default_config.get("scorer", {}).get("@scorers") == scorer:
            (table,) = read_tables(SECTIONS[scorer], "score")
            weights = [tuple(cell.strip("`") for cell in row[:2]) for row in table.rows]
            expected = meta.default_score_weights.items()
            assert weights == [(score, name_default(weight)) for score, weight in expected]
            return
    pytest.fail(f"no component has {scorer}")


def test_table_of_configs():
    (table,) = read_tables(TEXT, "config")
    paths = sorted((ROOT / "configs").glob("*.cfg"))
    assert [row[0] for row in table.rows] == [f"`{path.name}`" for path in paths]
    for path, row in zip(paths, table.rows):
        pipeline = Config().from_disk(path, interpolate=False)["nlp"]["pipeline"]
        assert re.findall(r"`(\w+)`", row[2]) == pipeline


# Examples


def check_functions(value) -> None:
    """All functions that are named take the arguments they are given."""
    if isinstance(value, list):
        for item in value:
            check_functions(item)
    if not isinstance(value, dict):
        return
    arguments = {key: item for key, item in value.items() if not key.startswith("@")}
    for kind, name in value.items():
        # spacy-transformers lives in another environment.
        if kind.startswith("@") and not name.startswith("spacy-transformers."):
            path = ENTRY_POINTS.get(kind[1:], {}).get(name)
            function = load(path) if path else registry.get(kind[1:], name)
            inspect.signature(function).bind_partial(**arguments)
    for item in arguments.values():
        check_functions(item)


def check_component(name: str, settings: dict) -> None:
    """A component's block has a factory with these arguments, or a source."""
    if "factory" in settings:
        factory = settings["factory"]
        if factory in FACTORIES:
            load(FACTORIES[factory])
        known = {"factory", *spacy.blank("en").get_factory_meta(factory).default_config}
        assert settings.keys() <= known, name
    else:  # a part of a block, or all that a sourced component may have
        assert settings.keys() <= {"model", "scorer", "source", "replace_listeners"}, name


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.page.name)
def test_examples_are_accepted(block):
    config = parse_config(block.code)
    check_functions(config)
    for name, settings in config.pop("components", {}).items():
        check_component(name, settings)
    for name, settings in config.pop("initialize", {}).get("components", {}).items():
        inspect.signature(find_pipe(name).initialize).bind_partial(**settings)
    for section, schema in (("training", ConfigSchemaTraining), ("nlp", ConfigSchemaNlp)):
        assert config.pop(section, {}).keys() <= schema.model_fields.keys()
    config.pop("corpora", None)
    assert not config


def test_settings_of_commands_are_there(tmp_path):
    """Each --section.name stands in the config that the first command completes."""
    (commands,) = (block for block in COMMANDS if "--training." in block)
    purpose, full = re.search(r"pretrained config (\S+) (\S+)", commands).groups()
    assert f"train {full} " in commands
    config = complete_config(purpose).config
    settings = re.findall(r"--(\w+\.[\w.]+) (\S+)", commands)
    assert len(settings) > 5
    for setting, _ in settings:
        node = config
        for part in setting.split("."):
            node = node[part]


# Architecture


def test_the_house_has_every_folder_of_the_package():
    text = (ROOT / "docs" / "architecture.md").read_text("utf8")
    (table,) = read_tables(text, "folder")
    named = {name for row in table.rows for name in re.findall(r"`(\w+)/`", row[0])}
    package = ROOT / "spacy_pretrained"
    folders = {path.parent.name for path in package.glob("*/__init__.py")}
    assert named == folders - {"old_paths"}


@pytest.mark.parametrize("page", [ROOT / "docs" / "architecture.md", ROOT / "CONTRIBUTING.md"])
def test_files_that_are_named_are_there(page):
    text = page.read_text("utf8")
    files = re.findall(r"[\w/]+/[\w.]+\.py\b", text)
    assert files
    for file in files:
        assert (ROOT / "spacy_pretrained" / file).exists() or (ROOT / file).exists(), file


# Links


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("path", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    text = re.sub(r"```.*?```", "", path.read_text("utf8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"\w+:", target):  # on the web
            continue
        file, _, anchor = target.partition("#")
        linked = (path.parent / file).resolve() if file else path
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", linked.read_text("utf8"), flags=re.MULTILINE)
            assert anchor in map(slug, headings), target


def test_every_page_is_linked_from_the_start_and_in_the_navigation():
    pages = {path.name for path in (ROOT / "docs").glob("*.md")}
    start = (ROOT / "docs" / "index.md").read_text("utf8")
    linked = set(re.findall(r"\]\(([\w-]+\.md)[)#]", start))
    assert linked == pages - {"index.md"}
    assert set(re.findall(r": ([\w-]+\.md)$", NAVIGATION, flags=re.MULTILINE)) == pages
