"""The pipelines of a server: loaded, told apart, chosen for a request, and warmed up."""

import hashlib
import random
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import spacy
from spacy.language import Language
from spacy.util import get_package_path, is_package

from ..encoder.backbone_pipe import BackbonePipe
from ..runtime.word_cache import WordCache
from ..saving.files import digest_folder
from .errors import Errors
from .settings import Settings

ZERO_SHOT = "zero_shot_textcat"
# What a request brings along where the pipeline itself has no labels.
ANY_LABELS = ("one", "another")


class Stages(NamedTuple):
    """Names of components: those before the first that has an engine, that one, and all others."""

    before: list[str]
    engine: list[str]
    behind: list[str]


@dataclass(frozen=True, eq=False)
class Served:
    """A pipeline with the name that requests and answers call it by.

    digest: SHA-256 of its files.
    """

    name: str
    nlp: Language
    digest: str

    @cached_property
    def version(self) -> str:
        return str(self.nlp.meta.get("version", ""))

    @cached_property
    def words(self) -> WordCache:
        return WordCache(self.nlp)

    @cached_property
    def zero_shot(self) -> tuple[str, ...]:
        """The names of the components that take labels with a request."""
        nlp = self.nlp
        return tuple(
            name for name in nlp.pipe_names if nlp.get_pipe_meta(name).factory == ZERO_SHOT
        )

    @cached_property
    def needs_labels(self) -> bool:
        """Whether some component can do nothing without labels from the request."""
        return any(not self.nlp.get_pipe(name).labels for name in self.zero_shot)

    @cached_property
    def least_labels(self) -> int:
        pipes = [self.nlp.get_pipe(name) for name in self.zero_shot]
        return 1 if all(pipe.multi_label for pipe in pipes) else 2

    @cached_property
    def stages(self) -> Stages:
        """Without an engine that may work in another thread, all components are behind it. On a GPU
        none may: another thread has another device."""
        names = self.nlp.pipe_names
        for i, (name, pipe) in enumerate(self.nlp.pipeline):
            if isinstance(pipe, BackbonePipe) and pipe.model.ops.device_type == "cpu":
                return Stages(names[:i], [name], names[i + 1 :])
        return Stages([], [], names)

    def component_cfg(self, labels: tuple[str, ...] | None) -> dict[str, dict[str, Any]]:
        """What `nlp.pipe` is given; anew each time, for spaCy writes into it."""
        return {name: {"labels": list(labels)} for name in self.zero_shot} if labels else {}

    def describe(self) -> dict[str, Any]:
        """For GET /v1/models. Lemmatizers are left out: their labels are edits, in thousands."""
        labels = {
            name: [str(label) for label in known]
            for name, known in self.nlp.pipe_labels.items()
            if known and set(self.nlp.get_pipe_meta(name).assigns) != {"token.lemma"}
        }
        return {
            "name": self.name,
            "version": self.version,
            "language": self.nlp.lang,
            "digest": self.digest,
            "pipeline": list(self.nlp.pipe_names),
            "labels": labels,
            "takes_labels": bool(self.zero_shot),
        }


def load_pipelines(settings: Settings) -> list[Served]:
    """RAISES: ValueError for two of one name, and weights of one that there is not; OSError for
    what is no pipeline."""
    served: dict[str, Served] = {}
    sources: dict[str, str] = {}
    for given, source in settings.pipelines:
        nlp = spacy.load(source)
        nlp.max_length = max(nlp.max_length, settings.limits.characters)
        for _, pipe in nlp.pipeline:
            if isinstance(pipe, BackbonePipe):  # `annotate_stream` has threads for the engine
                pipe.reads_ahead = False
        name = given or f"{nlp.meta['lang']}_{nlp.meta['name']}"
        if name in served:
            first = sources[name]
            raise ValueError(Errors.NAME_TWICE.format(name=name, first=first, second=source))
        served[name] = Served(name, nlp, digest_folder(find_folder(source)))
        sources[name] = source
    for name in settings.weights:
        if name not in served:
            names = ", ".join(served)
            raise ValueError(Errors.WEIGHTS_UNKNOWN.format(name=name, names=names))
    return list(served.values())


def find_folder(source: str) -> Path:
    """The folder of a pipeline that `spacy.load` has found."""
    return get_package_path(source) if is_package(source) else Path(source)


def choose(served: list[Served], weights: dict[str, float], session: str | None) -> Served:
    """The pipeline of a request that names none: by its weight, and always the same for a session.

    session: The X-Session header; without one, chance decides.
    """
    if not weights:
        return served[0]
    if session is None:
        place = random.random()
    else:
        digest = hashlib.sha256(session.encode("utf8", "surrogatepass")).digest()
        place = int.from_bytes(digest[:6], "big") / 2**48
    place *= sum(weights.values())
    chosen = [one for one in served if weights.get(one.name, 0) > 0]
    for one in chosen:
        place -= weights[one.name]
        if place < 0:
            return one
    return chosen[-1]


def warm_up(served: list[Served]) -> None:
    """Compile the engines of all pipelines, for one text and for many, and for the usual lengths:
    the first requests shall not wait for it. With labels, few texts are many for an engine."""
    for one in served:
        labels = ANY_LABELS if one.needs_labels else None
        texts = [" ".join(["word"] * n) + "." for n in (1, 4, 8, 15, 30, 60, 120)]
        with one.nlp.memory_zone():
            for text in texts:
                one.nlp(text, component_cfg=one.component_cfg(labels))
            for batch in (texts[:4] * 2, texts if one.zero_shot else texts[:5] * 12 + texts):
                for _ in one.nlp.pipe(batch, component_cfg=one.component_cfg(labels)):
                    pass
