"""A file of a saved pipeline is damaged, cut short, lost, added, or taken from another pipeline:
what loads then annotates as before. A user's own settings are counted apart."""

import random
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import spacy
from soak_sizes import KINDS, SEED, in_child, load, say, times

import spacy_pretrained

pytestmark = pytest.mark.soak
MUTATIONS = times(500, least=10)
SETTINGS = {"config.cfg", "meta.json"}
TEXTS = ("Ada sees the old river in Zürich.", "Robots sleep on issue 7! It doesn't move.")


def flip(path: Path, source: random.Random, other: Path) -> None:
    content = bytearray(path.read_bytes())
    content[source.randrange(len(content))] ^= 1 << source.randrange(8)
    path.write_bytes(content)


def cut(path: Path, source: random.Random, other: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: source.randrange(len(content))])


def lose(path: Path, source: random.Random, other: Path) -> None:
    path.unlink()


def add(path: Path, source: random.Random, other: Path) -> None:
    shutil.copy(path, path.with_name(f"{path.name}.copy"))


def exchange(path: Path, source: random.Random, other: Path) -> None:
    shutil.copy(other, path)


def says(nlp) -> list:
    return [say(nlp, text) for text in TEXTS]


def check(folder: Path, expected: list) -> None:
    assert says(spacy.load(folder)) == expected


@pytest.mark.parametrize("way", ["save", "to_disk"])
@pytest.mark.parametrize("kind", KINDS)
def test_mutations(kind, way, tmp_path):
    nlp, source = load(kind), random.Random(SEED)
    write = spacy_pretrained.save if way == "save" else lambda nlp, path: nlp.to_disk(path)
    write(nlp, tmp_path / "one")
    expected = says(spacy.load(tmp_path / "one"))
    for name in ("pretrained_tagger", "biaffine_parser", "pretrained_ner"):
        for node in nlp.get_pipe(name).model.walk():
            for parameter in node.param_names:
                if node.has_param(parameter):
                    node.set_param(parameter, -np.roll(node.get_param(parameter), 1))
    write(nlp, tmp_path / "other")
    files = sorted(path for path in (tmp_path / "one").rglob("*") if path.is_file())
    names = [str(path.relative_to(tmp_path / "one")) for path in files]
    ours = tuple(f"{name}/" for name in nlp.pipe_names if name.startswith(("pretrained", "biaff")))
    count: Counter[str] = Counter()
    for _ in range(MUTATIONS):
        # Files that are empty have nothing to damage.
        name = source.choice([n for n in names if (tmp_path / "one" / n).stat().st_size])
        mutate = source.choice((flip, cut, lose, add, exchange))
        shutil.rmtree(tmp_path / "new", ignore_errors=True)
        shutil.copytree(tmp_path / "one", tmp_path / "new")
        mutate(tmp_path / "new" / name, source, tmp_path / "other" / name)
        if way == "to_disk" and not name.startswith(ours) and name not in SETTINGS:
            # In a child: without checksums, spaCy's own code may end the process.
            said = in_child(lambda: check(tmp_path / "new", expected), shows_errors=False)
            count["harmless" if said == 0 else "stock files"] += 1
            continue
        try:
            is_same = says(spacy.load(tmp_path / "new")) == expected
        except Exception as error:
            # What stock files are read by says so in spaCy's words.
            is_clear = isinstance(error, (ValueError, OSError)) or not name.startswith(ours)
            count["refused" if is_clear else f"unclear: {name}: {error!r}"] += 1
            continue
        if is_same:
            count["harmless"] += 1
        elif name in SETTINGS:
            count["a user's settings"] += 1
        else:
            count[f"silent: {mutate.__name__} {name}"] += 1
    print(f"{kind}, {way}: {MUTATIONS} mutations, {dict(count)}")
    assert not [what for what in count if what.startswith(("silent", "unclear"))], count
