"""A callback for `[training.before_to_disk]`: `spacy train` saves whole pipelines."""

from collections.abc import Callable, Iterable
from copy import copy
from pathlib import Path

from spacy.language import Language
from spacy.util import ensure_path, logger

from .errors import Errors
from .pipeline_folder import check_replaceable, save


def build_whole_saves() -> Callable[[Language], Language]:
    """Build a callback that has `spacy train` save model-last beside the older one, and put it in
    its place when it is whole.

    spaCy then removes model-best and copies model-last there, which no callback can change. But the
    copy has `files.json` and a meta.json that names it, so that one which is cut short is refused.
    So there always is a whole pipeline: model-last, or model-best while model-last is exchanged.

    >>> whole = build_whole_saves()(nlp)
    >>> whole.to_disk("training/model-last")  # spacy_pretrained.save(nlp, "training/model-last")
    """

    def save_whole(nlp: Language) -> Language:
        whole = copy(nlp)  # which shares vocabulary and components
        whole.__class__ = type(
            f"Whole{type(nlp).__name__}", (WholeSaves, type(nlp)), {"saved": nlp}
        )
        return whole

    return save_whole


class WholeSaves:
    """Stands before a class of pipelines. It is what the loop of spaCy saves, and nothing else.

    saved: The pipeline itself.
    """

    saved: Language

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        path = ensure_path(path)
        try:
            check_replaceable(path)
        except ValueError as error:  # a file of somebody is no reason to end a training
            logger.warning(Errors.NOT_WHOLE.format(path=path, error=error))
            self.saved.to_disk(path, exclude=exclude)
        else:
            save(self.saved, path)
