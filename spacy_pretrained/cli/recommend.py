"""`python -m spacy pretrained recommend`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from wasabi import msg

from .clear_errors import clear_errors

if TYPE_CHECKING:
    from ..choosing.query import CorpusSize
    from ..choosing.recommend import Recommendation


def recommend(
    task: Annotated[
        str, typer.Option(help="tagging, parsing, ner, textcat, zero-shot or similarity")
    ],
    lang: Annotated[str, typer.Option(help="Language of the texts; xx for many")] = "en",
    device: Annotated[str, typer.Option(help="cpu or cuda")] = "cpu",
    memory: Annotated[
        str | None, typer.Option(help="Memory that a training may take, such as 8GB [any]")
    ] = None,
    speed: Annotated[str, typer.Option(help="fast, balanced or accurate")] = "balanced",
    examples: Annotated[
        int | None,
        typer.Option(
            help="Annotated sentences, or labelled texts, to learn from [those of --train, or 5000]"
        ),
    ] = None,
    domain: Annotated[
        str | None,
        typer.Option(help="biomedical, clinical, science, legal, finance or tweets [general]"),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="Config to write, for the first encoder of the list")
    ] = None,
    train: Annotated[
        str | None,
        typer.Option(
            help="Corpus to train on, with --config; its size affects what is recommended"
        ),
    ] = None,
    dev: Annotated[str | None, typer.Option(help="Corpus to score on, with --config")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False,
) -> None:
    """Recommend encoders for a task, with reasons, memory and how to train.

    Example: python -m spacy pretrained recommend --task ner --lang es --memory 8GB --speed fast
    """
    from ..choosing.errors import Errors
    from ..choosing.query import ELSEWHERE, USUAL_EXAMPLES, Query, read_lang, read_memory, read_task

    task = read_task(task)
    if task in ELSEWHERE:
        lines = ELSEWHERE[task]
        print(json.dumps({"task": task, "elsewhere": lines}) if as_json else "\n".join(lines))
        if config is not None:
            with clear_errors():
                raise ValueError(Errors.NOT_FOR_PIPELINES.format(task=task))
        return
    with clear_errors():
        from ..choosing.recommend import recommend as find

        for option, value in (("train", train), ("dev", dev)):
            if value is not None and config is None:
                raise ValueError(Errors.NO_CONFIG_FILE.format(name=option))
        limit = None if memory is None else read_memory(memory)
        corpus = None if train is None else measure_corpus(task, train)
        if examples is None:
            examples = USUAL_EXAMPLES if corpus is None else corpus.examples
        query = Query(task, read_lang(lang), device, limit, speed, examples, domain, corpus)
        found = find(query)
        if as_json:
            print(json.dumps([as_dict(one) for one in found], indent=2, ensure_ascii=False))
        else:
            for number, one in enumerate(found, start=1):
                show(number, one)
        if config is not None:
            from ..choosing.config import make_config
            from ..training.config import train_command

            made = make_config(query, found[0], train=train, dev=dev)
            config.parent.mkdir(parents=True, exist_ok=True)
            made.config.to_disk(config)
            if not as_json:
                how = f"{found[0].plan.method} of {found[0].name}"
                msg.good(f"{config}: {how}, {made.describe_length()}")
                print(f"To train: {train_command(config, made.config)}")


def measure_corpus(task: str, train: str) -> "CorpusSize":
    """RAISES: ValueError if there are none for the task."""
    from ..choosing.config import check_corpus
    from ..choosing.query import CorpusSize
    from ..training.corpus_contents import read_contents

    contents = read_contents(Path(train))
    check_corpus(task, contents, train)
    examples = contents.texts if task == "textcat" else contents.sentences
    return CorpusSize(examples, contents.words)


def show(number: int, one: "Recommendation") -> None:
    from ..choosing.explain import explain

    msg.divider(f"{number}. {one.name}")
    for line in explain(one):
        print(line)


def as_dict(one: "Recommendation") -> dict[str, Any]:
    from ..choosing.explain import as_dict

    return as_dict(one)
