"""A config ready to train, by what was recommended."""

from ..training.config import CompleteConfig, complete_config
from ..training.corpus_contents import CATEGORIES, CorpusContents
from .errors import Errors
from .plan import FEW_SHOT, words_of_text
from .query import WITHOUT_TRAINING, Query
from .recommend import Recommendation

PURPOSES = {"tagging": "tagger", "parsing": "parser", "ner": "ner", "textcat": "textcat"}
COMPONENTS = {"few_shot": "few_shot_textcat"}  # the others have their weights in the encoder
ENCODER = "pretrained_encoder"
LEARNT_FROM = {
    "tagging": "tags",
    "parsing": "dependencies",
    "ner": "entities",
    "textcat": CATEGORIES,
}


def make_config(
    query: Query, choice: Recommendation, *, train: str | None = None, dev: str | None = None
) -> CompleteConfig:
    """The config of a choice: its plan, as it was shown, is what is written.

    query: That of the choice; with the size of `train`, if there is one.
    train, dev: As of `training.config.complete_config`.
    RAISES: ValueError for a task that needs no training.
    """
    if query.task not in PURPOSES:
        names = {"component": WITHOUT_TRAINING[query.task], "source": choice.name}
        raise ValueError(Errors.NO_CONFIG.format(task=query.task, **names))
    plan = choice.plan
    purpose = "few_shot" if plan.method == FEW_SHOT else PURPOSES[query.task]
    made = complete_config(
        purpose,
        train=train,
        dev=dev,
        lang=query.lang,
        encoder=choice.name,
        max_steps=plan.steps or 0,
    )
    config = made.config
    model = config["components"][COMPONENTS.get(purpose, ENCODER)]["model"]
    settings = model.get("encoder", model)
    settings["frozen"] = plan.frozen
    settings["mixed_precision"] = plan.mixed_precision
    settings["gradient_checkpointing"] = plan.gradient_checkpointing
    settings["device"] = "cuda" if query.device == "cuda" else "auto"
    batcher = config["training"]["batcher"]
    if purpose == "few_shot":  # whose batches are counted in texts
        batcher["size"] = plan.batch_words // words_of_text(query)
    else:
        batcher["size"] = plan.batch_words
    return made


def check_corpus(task: str, contents: CorpusContents, path: str) -> None:
    """RAISES: ValueError if a corpus has nothing that a task could be learnt from."""
    what = LEARNT_FROM.get(task)
    if what is not None and not contents.has(what):
        raise ValueError(Errors.NOTHING_TO_LEARN.format(path=path, what=what, task=task))
