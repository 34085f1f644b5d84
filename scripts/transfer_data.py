"""Cut the treebanks and entity sets of other languages into what is learnt from and what is scored.

    python scripts/transfer_data.py assets/transfer corpus/transfer

Scored is every other sentence (the 1st, 3rd ...) of each Parallel UD treebank, `LANG/test.conllu`,
and all of it, `LANG/all.conllu`. The sentences of these treebanks translate one another, so one
that is learnt from is always of the other half, or of another treebank. Of these, draws of so many
sentences are written, `LANG/200-0.spacy` and so on, and `LANG/train.spacy` with all. Entities are
learnt from and scored on sets of their own: `LANG/entities-200-0.spacy`, `LANG/entities.spacy`.
"""

import random
import re
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from wasabi import msg

from spacy_pretrained.corpora.convert import convert_columns, convert_conllu

DRAWS = 3
SIZES = (50, 200, 500, 1000)
PUD = "{lang}_pud-ud-test.conllu"
# Treebanks of the same language, larger than half of a parallel one. Their guidelines differ.
OTHER_TREEBANKS = {"es": "es_ancora-ud-dev.conllu", "fr": "fr_sequoia-ud-train.conllu"}
# Sets of entities: what to learn from, if anything, and what to score.
ENTITIES = {
    "da": ("da_ddt-ud-train.iob2", "da_ddt-ud-test.iob2"),
    "pt": ("pt_bosque-ud-train.iob2", "pt_bosque-ud-test.iob2"),
    "hr": (None, "hr_set-ud-test.iob2"),
    "sk": (None, "sk_snk-ud-test.iob2"),
    "sv": (None, "sv_talbanken-ud-test.iob2"),
}
ENTITY_SIZE = 200
OTHER_ENTITY = re.compile(r"\t[BI]-OTH\t")
PARALLEL = (
    "{path} has other sentences than {first}, by their sent_id: what is learnt from in one "
    "language could be a translation of what is scored in another."
)


def main(
    assets: Annotated[Path, typer.Argument(help="Folder with the files of project.yml")],
    output: Annotated[Path, typer.Argument(help="Folder to write, with a folder a language")],
) -> None:
    """Cut the treebanks and entity sets into what is learnt from and what is scored."""
    try:
        for lang in treebanks(assets):
            cut_treebank(lang, assets, output / lang)
            msg.good(f"{output / lang}: a treebank")
        for lang, (train, test) in ENTITIES.items():
            cut_entities(assets, train, test, output / lang)
            msg.good(f"{output / lang}: entities")
    except (ValueError, OSError) as error:
        msg.fail(str(error), exits=1)


def treebanks(assets: Path) -> list[str]:
    """The languages that have a parallel treebank. ValueError if not all have the same sentences,
    in the same order."""
    paths = sorted(assets.glob(PUD.format(lang="*")))
    if not paths:
        raise ValueError(f"{assets} has no file {PUD.format(lang='LANG')}")
    ids = {path: [sentence_id(block) for block in read_blocks(path)] for path in paths}
    for path in paths:
        if ids[path] != ids[paths[0]]:
            raise ValueError(PARALLEL.format(path=path, first=paths[0]))
    return [path.name.partition("_")[0] for path in paths]


def cut_treebank(lang: str, assets: Path, output: Path) -> None:
    blocks = read_blocks(assets / PUD.format(lang=lang))
    scored, others = blocks[::2], blocks[1::2]
    write_blocks(blocks, output / "all.conllu")
    write_blocks(scored, output / "test.conllu")
    if lang in OTHER_TREEBANKS:
        others = read_blocks(assets / OTHER_TREEBANKS[lang])
    convert_blocks(others, output / "train.spacy")
    for size, draw, drawn in draws(others, SIZES):
        convert_blocks(drawn, output / f"{size}-{draw}.spacy")


def cut_entities(assets: Path, train: str | None, test: str, output: Path) -> None:
    convert_entities(read_blocks(assets / test), output / "entities.spacy")
    if train is not None:
        for size, draw, drawn in draws(read_blocks(assets / train), [ENTITY_SIZE]):
            convert_entities(drawn, output / f"entities-{size}-{draw}.spacy")


def draws(blocks: Sequence[str], sizes: Sequence[int]):
    """Size, number and sentences of each draw. A smaller one is a part of a larger one."""
    for draw in range(DRAWS):
        shuffled = random.Random(draw).sample(blocks, len(blocks))
        for size in sizes:
            if size <= len(blocks):
                yield size, draw, shuffled[:size]


def convert_blocks(blocks: Sequence[str], output: Path) -> None:
    """Words are tokens, as in the treebank that is transferred from, and in what is scored."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "sentences.conllu"
        write_blocks(blocks, file)
        convert_conllu(file, output, multiword="split")


def convert_entities(blocks: Sequence[str], output: Path) -> None:
    """Entities of other kinds than the English set has are left out: nothing could find them."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "sentences.iob2"
        write_blocks([OTHER_ENTITY.sub("\tO\t", block) for block in blocks], file)
        convert_columns(file, output)


def read_blocks(path: Path) -> list[str]:
    """The sentences of a file, each with its comments but for those of documents and paragraphs:
    sentences that are drawn are no documents any more."""
    blocks = path.read_text(encoding="utf8").split("\n\n")
    return [without_documents(block) for block in blocks if block.strip()]


def without_documents(block: str) -> str:
    lines = block.strip("\n").split("\n")
    return "\n".join(line for line in lines if not line.startswith(("# newdoc", "# newpar")))


def sentence_id(block: str) -> str:
    return next((line for line in block.split("\n") if line.startswith("# sent_id")), "")


def write_blocks(blocks: Sequence[str], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{block}\n\n" for block in blocks), encoding="utf8")


if __name__ == "__main__":
    typer.run(main)
