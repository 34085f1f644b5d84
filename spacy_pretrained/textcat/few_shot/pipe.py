"""The `few_shot_textcat` component: categories of a Doc, from their names and a few examples."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Model
from thinc.types import Floats2d, Ints2d

from ...annotation.gold import NO_GOLD
from ...backends.backbone import is_frozen
from ...checkpoints.tokenizer_checks import SAMPLE
from ...encoder.backbone_pipe import Part, make_file_part
from ...encoder.text_encoder import plan_texts
from ...heads.head_pipe import HeadPipe
from ...saving.save_mark import own
from ...windows.batches import WindowBatch
from ..gold import collect_cats, find_the_one, read_cats
from ..labels.label_pipe import LABEL_DEFAULTS, LabelPipe, LabelSettings, write_cats
from ..labels.label_set import LabelSet
from ..scorer import SCORE_WEIGHTS, SCORER, score
from .errors import Errors
from .head import Head
from .model import drop_head, get_head, has_head, make_prior, read_head, set_head
from .progress import is_watched, show_progress
from .training import FitSettings, Step, Task, accumulate, fit

logger = logging.getLogger("spacy")

DEFAULT_MODEL = {
    "@architectures": "spacy-pretrained.FewShotClassifier.v1",
    "encoder": {"@architectures": "spacy-pretrained.TorchSentenceEncoder.v1"},
}


@dataclass(frozen=True)
class Fit:
    """What a component was fitted to."""

    n_examples: int
    n_ignored: int  # examples without text, or without any category that is known
    n_steps: int  # of fine-tuning; 0 if the head alone was fitted


@Language.factory(
    "few_shot_textcat",
    assigns=["doc.cats"],
    default_config={
        "model": DEFAULT_MODEL,
        **LABEL_DEFAULTS,
        "contrast": 1.0,
        "scorer": SCORER,
    },
    default_score_weights=SCORE_WEIGHTS,
)
def make_few_shot_textcat(
    nlp: Language,
    name: str,
    model: Model,
    labels: list[str],
    descriptions: dict[str, str],
    templates: list[str],
    multi_label: bool,
    contrast: float,
    threshold: float,
    scorer: Callable | None,
) -> "FewShotTextcat":
    """Make a text classifier that begins with the names of its labels, and learns from examples.

    labels: What to tell apart, in words. If there are none, they are those of the examples.
    descriptions: Of labels, to go with their names into templates: "games, athletes, matches and
        results".
    templates: Phrases with {} in place of a label, that a text may bear out. Of several the mean
        counts.
    multi_label: Whether any number of labels may hold of a Doc, each with a probability of its
        own. Otherwise one does, and probabilities sum to 1.
    contrast: What the contrastive loss counts beside the cross-entropy. 0 leaves it out.
    threshold: The least probability of a label that counts as predicted in scores, with
        multi_label. `doc.cats` has all labels whatever it is.
    """
    pipe = FewShotTextcat(
        nlp.vocab,
        model,
        name,
        LabelSettings(labels, descriptions, templates, multi_label),
        contrast=contrast,
        threshold=threshold,
        scorer=scorer,
    )
    return own(nlp, pipe)


class FewShotTextcat(LabelPipe, HeadPipe):
    """A classifier that begins with the names of its labels, and learns from examples."""

    def __init__(
        self,
        vocab: Vocab,
        model: Model,
        name: str = "few_shot_textcat",
        settings: LabelSettings | None = None,
        *,
        contrast: float = 1.0,
        threshold: float = 0.5,
        scorer: Callable | None = score,
    ):
        if not 0 <= contrast < np.inf:  # nor NaN
            raise ValueError(Errors.CONTRAST.format(name=name, contrast=contrast))
        super().__init__(vocab, model, name, scorer=scorer)
        self.contrast = contrast
        self._init_labels(settings or LabelSettings(), threshold)

    # Labels

    def set_labels(
        self, labels: Iterable[str], *, descriptions: dict[str, str] | None = None
    ) -> None:
        """Tell other labels apart from now on. Those that were there before keep what was learnt of
        them, others begin with their own vectors. If the description of a label changes, its vector
        moves by as much as that of its phrases.

        descriptions: None keeps those that labels have already.
        """
        labels = list(labels)
        if not labels:
            raise ValueError(Errors.FEW_SHOT_NO_LABELS.format(name=self.name))
        new = self._change_labels(labels, descriptions)
        label_set = self._find_labels(new)
        if self._has_weights:
            head = make_prior(self.model, label_set)
            if has_head(self.model) and self.labels:
                self._keep_learnt(head, label_set)
            set_head(self.model, head)
        self.cfg = new | {"collected": False}

    def _keep_learnt(self, head: Head, new: LabelSet) -> None:
        """Add what was learnt of labels that stay to a head of which nothing is learnt yet."""
        old, learnt = self._find_labels(), get_head(self.model)
        before = {label: row for row, label in enumerate(old.names)}
        kept = [(row, before[label]) for row, label in enumerate(new.names) if label in before]
        moved = [(row, was) for row, was in kept if new.hypotheses[row] != old.hypotheses[was]]
        old_prior = make_prior(self.model, old) if moved else None
        for row, was in kept:
            shift = head.W[row] - old_prior.W[was] if (row, was) in moved else 0
            head.W[row] = learnt.W[was] + shift
            head.b[row] = learnt.b[was]

    def add_label(self, label: str) -> int:
        """Add a label behind the others, as `set_labels` does. RETURNS: 1, or 0 if it is there."""
        if label in self.labels:
            return 0
        self.set_labels([*self.labels, label])
        return 1

    # Prediction

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 128) -> Iterator[Doc]:
        """Categorize a stream of Docs: see `BackbonePipe._annotate_ahead`."""
        yield from self._annotate_ahead(stream, batch_size, self.predict, self.set_annotations)

    def predict(self, docs: Iterable[Doc]) -> Floats2d:
        """Probabilities (B, K) of K labels for each of B Docs."""
        self._check_loaded()
        settings = len(self.labels), self.multi_label
        return self._find_probabilities(docs, *settings, self.model.predict)

    def set_annotations(self, docs: Iterable[Doc], probabilities: Floats2d) -> None:
        write_cats(docs, self.labels, probabilities)

    def plan_batches(self, docs: list[Doc]) -> list[WindowBatch]:
        """The batches of windows that the backbone gets to see for these Docs."""
        return plan_texts(self.model.get_ref("encoder"), [doc.text for doc in docs])

    def _check_loaded(self) -> None:
        self._check_weights()
        if not self.labels:
            raise ValueError(Errors.FEW_SHOT_NO_LABELS.format(name=self.name))

    # Training

    def _initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        source: str,
        labels: list[str] | None,
    ) -> None:
        """Begin with the labels' own vectors. If neither the arguments nor the config have labels,
        they are those of the examples."""
        validate_get_examples(get_examples, "FewShotTextcat.initialize")
        examples = islice(get_examples(), SAMPLE)
        self._load_weights(source, [example.reference.text for example in examples])
        if labels is None and not self.cfg.get("collected"):
            labels = self.cfg["labels"]
        self.cfg["labels"] = []  # nothing that was learnt of them is kept
        drop_head(self.model)
        if labels:
            self.set_labels(labels)
        else:
            self._collect_labels(get_examples())

    def _collect_labels(self, examples: Iterable[Example]) -> None:
        """Take the labels of the examples, if they have some, as if nobody had given any: the next
        `initialize` does so again."""
        if labels := collect_cats(examples, self.name, multi_label=self.multi_label):
            self.set_labels(labels)
            self.cfg["collected"] = True

    def fit(
        self,
        examples: Iterable[Example],
        *,
        fine_tune: bool | None = None,
        n_steps: int | None = None,
        batch_size: int = 32,
        learn_rate: float = 2e-4,
        seed: int = 0,
        report: Callable[[Step], None] | None = None,
        progress: bool | None = None,
    ) -> Fit:
        """Learn from all of few examples, in seconds. Begins with what the component is: with the
        names of its labels, or with what it has learnt already.

        If the component has no labels, it takes those of the examples. Labels without an example
        stay as they were. Examples without text, or of which no category is known, are left out.

        fine_tune: Whether the encoder learns, too, or only the head, which takes a second. None
            means that it does if it can: if it is not frozen, nor quantized.
        n_steps: Batches that the encoder learns from. None means 5 times through the examples, but
            30 to 120.
        batch_size: Texts in a batch. They are drawn so that labels are seen equally often.
        learn_rate: The encoder's is that times its `learn_rate_factor`; it rises over a tenth of
            the steps, then falls to 0.
        seed: Of all random numbers, torch's too, which is set to it.
        report: Gets to hear each step.
        progress: Whether a line on stderr shows how far the encoder's learning is. None means that
            it does in a terminal or a notebook, unless there is a `report`.
        RAISES: ValueError for a label that the component does not have, and if there is nothing to
            learn from or to be told apart.
        """
        settings = self._make_settings(fine_tune, n_steps, batch_size, learn_rate, seed)
        self._check_weights()
        examples = list(examples)
        validate_examples(examples, "FewShotTextcat.fit")
        if not self.labels:
            self._collect_labels(examples)
        if not self.labels:
            raise ValueError(Errors.FEW_SHOT_NO_LABELS.format(name=self.name))
        texts, known = self._select(examples)
        if not texts:
            raise ValueError(Errors.FIT_NOTHING.format(name=self.name, n=len(examples)))
        self._check_variety(known)
        if progress is None:
            progress = report is None and is_watched()
        with show_progress(self.name) if progress else nullcontext() as show:
            watchers = [watcher for watcher in (show, report) if watcher is not None]
            check, task = self._check_loss, self._task
            n_steps = fit(self.model, texts, known, task, settings, check, watchers)
        n_ignored = len(examples) - len(texts)
        if n_ignored:
            logger.info("%s: ignored %d examples without text or cats", self.name, n_ignored)
        return Fit(len(texts), n_ignored, n_steps)

    def _learn(self, examples: list[Example]) -> float:
        self._check_loaded()
        texts, known = self._select(examples)
        if not texts:
            return 0.0
        return accumulate(self.model, texts, known, self._task, self._check_loss)

    @property
    def _task(self) -> Task:
        return Task(self.multi_label, self.contrast)

    def _select(self, examples: list[Example]) -> tuple[list[str], Ints2d]:
        """The texts of the N examples that say something, and what is known of them (N, K)."""
        known = read_cats(examples, self.label_data, self.name, multi_label=self.multi_label)
        says = (known != 0).any(axis=1) if self.multi_label else find_the_one(known) != NO_GOLD
        rows = [i for i, e in enumerate(examples) if says[i] and has_text(e.predicted)]
        return [examples[row].predicted.text for row in rows], known[rows]

    def _check_variety(self, known: Ints2d) -> None:
        """Refuse examples of a single label where another one could hold."""
        found = np.flatnonzero((known == 1).any(axis=0))
        if len(found) == 1 and not self.multi_label:
            raise ValueError(
                Errors.FIT_ONE_LABEL.format(name=self.name, label=self.labels[found[0]])
            )

    def _make_settings(
        self,
        fine_tune: bool | None,
        n_steps: int | None,
        batch_size: int,
        learn_rate: float,
        seed: int,
    ) -> FitSettings:
        can_learn = not is_frozen(self.model)
        if fine_tune and not can_learn:
            raise ValueError(Errors.FIT_FROZEN.format(name=self.name))
        given = {"n_steps": 1 if n_steps is None else n_steps, "batch_size": batch_size}
        for setting, value in (given | {"learn_rate": learn_rate}).items():
            if not 0 < value < np.inf:
                raise ValueError(Errors.FIT_SETTING.format(setting=setting, value=value))
        fine_tune = can_learn if fine_tune is None else fine_tune
        return FitSettings(fine_tune, n_steps, batch_size, learn_rate, seed)

    # Weights in and out

    def _saved_parts(self, exclude: Iterable[str]) -> dict[str, Part]:
        head = self.model.get_ref("output")
        part = make_file_part(head.to_bytes, partial(read_head, self.model))
        return super()._saved_parts(exclude) | {"head": part}

    def _read_folder(self, folder: Path, exclude: list[str]) -> None:
        super()._read_folder(folder, exclude)
        if not {"cfg", "head"} & set(exclude):
            self._check_labels()


def has_text(doc: Doc) -> bool:
    return bool(doc.text.strip())
