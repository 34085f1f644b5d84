"""A trained pipeline that teaches: what it says of Docs, kept so that it is asked once for each."""

import hashlib
import logging
from os.path import expanduser
from pathlib import Path
from typing import Any

import numpy as np
import spacy
import srsly
from spacy.attrs import ORTH, SPACY
from spacy.language import Language
from spacy.pipeline.tok2vec import Tok2Vec
from spacy.tokens import Doc
from spacy.util import get_package_path, is_package

from ..annotation.bare import bare_copy
from ..annotation.gold import sentence_starts
from ..heads.distilling_pipe import DistillingPipe
from ..heads.soft_targets import TEMPERATURE, Said
from ..runtime.whole_files import check_place, whole_file
from .errors import Errors

logger = logging.getLogger("spacy")

BLOCK = 2**20  # bytes of a file read at once


class Teacher:
    """See `taught.build_taught`. What it said stays in memory, and in the cache's file if there is
    one: of other settings or another teacher's, that is made anew. Of several processes that write
    it, the last one's stays, whole."""

    def __init__(
        self,
        source: str,
        components: list[str] | None,
        temperature: float,
        top_k: int,
        cache: Path | None,
    ):
        self.source = expanduser(source)
        self.components = components
        self.temperature = temperature
        self.top_k = top_k
        self.cache = Path(expanduser(cache)) if cache is not None else None
        self._nlp: Language | None = None
        self._said: dict[str, Said] | None = None  # by the key of the Doc
        self._labels: dict[str, list[str]] = {}  # of each kind; the same for all Docs
        self._is_saved = True

    def teach(self, docs: list[Doc]) -> list[Said]:
        """What the teacher says of the tokens of Docs, whose known sentence starts it is given."""
        if self._said is None:
            self._said = self._read_cache()
        keys = [key_of(doc) for doc in docs]
        new = {key: doc for key, doc in zip(keys, docs) if key not in self._said}
        if new:
            self._said |= zip(new, self._ask(list(new.values())))
            self._is_saved = False
        return [self._complete(self._said[key]) for key in keys]

    def dismiss(self) -> None:
        """Free the teacher's memory, after all Docs. Write the cache's file, if there is one and
        something in it is new."""
        self._nlp = None
        if self.cache is None or self._said is None or self._is_saved:
            return
        self.cache.parent.mkdir(parents=True, exist_ok=True)
        content = {"of": self._describe(), "labels": self._labels, "said": self._said}
        with whole_file(self.cache) as unfinished:
            srsly.write_msgpack(unfinished, content)
        self._is_saved = True

    def _complete(self, said: Said) -> Said:
        """With the labels, which are kept once for all Docs."""
        complete = {
            kind: {**found, "labels": self._labels[kind]} if kind in self._labels else found
            for kind, found in said.items()
        }
        return {**complete, TEMPERATURE: self.temperature}

    def _ask(self, docs: list[Doc]) -> list[Said]:
        if self._nlp is None:
            if self.cache is not None:
                check_place(self.cache)  # not after hours
            self._nlp = self._load()
        copies = [bare_copy(doc, keep_sentences=True, vocab=self._nlp.vocab) for doc in docs]
        found: list[Said] = [{} for _ in docs]
        for name, pipe in self._nlp.pipeline:
            if isinstance(pipe, Tok2Vec):  # the encoder, or a CNN that components listen to
                copies = list(pipe.pipe(copies))
            elif name in self._teaching(self._nlp):
                for said, more in zip(found, pipe.teach(copies, self.temperature, self.top_k)):
                    for kind in more:
                        if "labels" in more[kind]:
                            self._labels[kind] = more[kind].pop("labels")
                    said |= more
        return found

    def _load(self) -> Language:
        logger.info("Loading the teacher %s", self.source)
        try:
            nlp = spacy.load(self.source)
        except OSError as error:
            raise ValueError(Errors.TEACHER_NOT_THERE.format(teacher=self.source)) from error
        teaching = self._teaching(nlp)
        if not teaching:
            raise ValueError(Errors.TEACHER_OF_NOTHING.format(teacher=self.source))
        for name in teaching:
            if name not in nlp.pipe_names or not isinstance(nlp.get_pipe(name), DistillingPipe):
                known = ", ".join(can_teach(nlp)) or "none"
                message = Errors.TEACHER_COMPONENT
                raise ValueError(message.format(teacher=self.source, name=name, known=known))
        return nlp

    def _teaching(self, nlp: Language) -> list[str]:
        return can_teach(nlp) if self.components is None else self.components

    def _read_cache(self) -> dict[str, Said]:
        if self.cache is None or not self.cache.exists():
            return {}
        try:
            content: dict[str, Any] = srsly.read_msgpack(self.cache)
            of, labels, said = content["of"], content["labels"], content["said"]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(Errors.TEACHER_CACHE.format(path=self.cache, error=error)) from error
        if of != self._describe():
            logger.warning(Errors.TEACHER_CACHE_OF_ANOTHER.format(path=self.cache))
            return {}
        self._labels = labels
        return said

    def _describe(self) -> dict[str, Any]:
        """What the cache's contents depend on."""
        return {
            "teacher": checksum(self.source),
            "components": self.components,
            "temperature": self.temperature,
            "top_k": self.top_k,
        }


def can_teach(nlp: Language) -> list[str]:
    return [name for name, pipe in nlp.pipeline if isinstance(pipe, DistillingPipe)]


def key_of(doc: Doc) -> str:
    """The same for Docs of the same tokens and sentence starts, in every vocab."""
    parts = doc.to_array([ORTH, SPACY]), sentence_starts(doc).astype("int8")
    return hashlib.blake2b(b"".join(np.ascontiguousarray(p).tobytes() for p in parts)).hexdigest()


def checksum(source: str) -> str:
    """Of all files of a pipeline, a folder or a package. ValueError if it is neither."""
    folder = Path(source)
    if not folder.is_dir():
        if not is_package(source):
            raise ValueError(Errors.TEACHER_NOT_THERE.format(teacher=source))
        folder = get_package_path(source)
    found = hashlib.blake2b()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if "__pycache__" in path.parts:
            continue
        found.update(path.relative_to(folder).as_posix().encode())
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                found.update(block)
    return found.hexdigest()
