"""The `pretrained_lemmatizer` component: lemmas of known words from a table, of others by edit
trees."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import srsly
from spacy.attrs import IS_SPACE, LEMMA
from spacy.language import Language
from spacy.pipeline.lemmatizer import lemmatizer_score
from spacy.strings import get_string_id
from spacy.tokens import Doc
from spacy.training import Example, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Model
from thinc.types import Floats1d, Floats2d, Ints1d

from ..annotation.columns import read_columns
from ..annotation.gold import is_space
from ..annotation.token_confidence import clear_tokens, read_all, register_tokens, store_tokens
from ..heads.divergence import divergence
from ..heads.head_pipe import add_strings
from ..heads.losses import cross_entropy, softmax
from ..heads.rehearsing_pipe import RehearsingPipe
from ..heads.token_vectors import insert_outputs, set_outputs
from ..saving.checked_pipe import describe_part_error
from ..saving.save_mark import own
from .edit_trees import TreeLabels, collect_trees
from .errors import Errors
from .gold import Numbers, join, read_entries, read_lemma_gold
from .lemma_table import ATTRIBUTES, LemmaTable, Rows, read_words
from .letter_case import CASES, apply_case, find_case
from .model import read_features

logger = logging.getLogger("spacy")

TABLE_FILE = "lemma_table"
N_CASES = len(CASES)  # their scores come first, those of trees behind them
SETS_TAGS = {"tag": "token.tag", "pos": "token.pos"}

DEFAULT_MODEL = {
    "@architectures": "spacy-pretrained.Lemmatizer.v1",
    "tok2vec": {"@architectures": "spacy-pretrained.EncoderListener.v1"},
}


@Language.factory(
    "pretrained_lemmatizer",
    requires=["token.tag", "token.morph"],
    assigns=["token.lemma"],
    default_config={
        "model": DEFAULT_MODEL,
        "min_forms": 2,
        "overwrite": False,
        "confidence": False,
        "scorer": {"@scorers": "spacy.lemmatizer_scorer.v1"},
    },
    default_score_weights={"lemma_acc": 1.0},
)
def make_pretrained_lemmatizer(
    nlp: Language,
    name: str,
    model: Model,
    min_forms: int,
    overwrite: bool,
    confidence: bool,
    scorer: Callable | None,
) -> "PretrainedLemmatizer":
    """Make a lemmatizer.

    min_forms: Different forms that an edit tree has to have in training to be learnt.
    overwrite: Whether to set tokens that have a lemma already.
    confidence: Whether to keep how probable each lemma is: `token._.lemma_confidence`.
    """
    pipe = PretrainedLemmatizer(
        nlp.vocab,
        model,
        name,
        min_forms=min_forms,
        overwrite=overwrite,
        confidence=confidence,
        scorer=scorer,
    )
    return own(nlp, pipe)


@dataclass
class Lemmas:
    """The lemmas of the N tokens of all Docs of a batch."""

    lemmas: np.ndarray  # uint64 (N,), hashes
    confidence: Floats1d  # (N,)
    new: set[str]  # those that the vocab may not know


class PretrainedLemmatizer(RehearsingPipe):
    """Gives the lemma that training had most often for the form, tag and features of a token, or
    for form and tag. For other words it scores edit trees, and for these, and for words known only
    in another letter case, the letter case of the lemma.

    A tagger stands before it. White space is its own lemma.
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Model,
        name: str = "pretrained_lemmatizer",
        *,
        min_forms: int = 2,
        overwrite: bool = False,
        confidence: bool = False,
        scorer: Callable | None = lemmatizer_score,
    ):
        super().__init__(
            vocab, model, name, confidence=confidence, scorer=scorer, labels=[], attribute="tag"
        )
        self.min_forms = min_forms
        self.overwrite = overwrite
        self.trees = TreeLabels()
        self.table = LemmaTable()
        self._numbers: dict[tuple[str, str], Numbers] = {}
        if confidence:
            register_tokens("lemma", name)

    # Labels

    @property
    def labels(self) -> tuple[str, ...]:
        """Of each edit tree a form and its lemma, with a tab between them."""
        return tuple("\t".join(pair) for pair in self.cfg["labels"])

    @property
    def hide_labels(self) -> bool:
        return True

    @property
    def label_data(self) -> dict[str, Any]:
        """What was read of the training corpus, as `initialize` takes it: the trees, and the table
        with a row for each form, tag, features, lemma and count."""
        strings, rows = self.vocab.strings, self.table.rows
        columns = [
            [strings[h] if h else "" for h in rows[name].tolist()]
            for name in ("form", "tag", "morph", "lemma")
        ]
        table = [list(row) for row in zip(*columns, self.table.counts.tolist())]
        trees = [list(pair) for pair in self.cfg["labels"]]
        return {"tag": self.cfg["attribute"], "trees": trees, "table": table}

    def add_label(self, label: str) -> int:
        """Add an edit tree, also to a trained component: what it has learnt stays, and training
        continues from there. The new tree is improbable until it is met in training.

        label: A form and its lemma with a tab between them.
        RETURNS: 1, or 0 if the tree is there already.
        """
        if not isinstance(label, str) or not label:
            raise ValueError(Errors.LABEL_INVALID.format(name=self.name, label=label))
        form, _, lemma = label.lower().partition("\t")
        if not form or not lemma:
            raise ValueError(Errors.LABEL_FORM.format(name=self.name, label=label))
        if not self.trees.add(form, lemma):
            return 0
        if self.model.get_ref("output").has_param("W"):
            insert_outputs(self.model, N_CASES + len(self.trees.pairs) - 1, like=[[N_CASES]])
        self._trees_changed()
        return 1

    def _trees_changed(self) -> None:
        self.cfg["labels"] = [list(pair) for pair in self.trees.pairs]
        self._numbers = {}

    def _count_scores(self) -> int:
        return N_CASES + len(self.cfg["labels"])

    # Prediction

    def predict(self, docs: Iterable[Doc]) -> Lemmas:
        docs = list(docs)
        self._check_ready(docs)
        if not docs:
            return Lemmas(np.zeros(0, dtype="uint64"), np.zeros(0, dtype="float32"), set())
        words = self._read_words(docs)
        found = self.table.find(words)
        space, old = read_columns(docs, [IS_SPACE, LEMMA]) != 0
        lemmas = Lemmas(found.lemmas, found.shares, set())
        lemmas.lemmas[space], lemmas.confidence[space] = words["form"][space], 1.0
        open_ = ((found.lemmas == 0) | found.is_lower) & ~space
        if not self.overwrite:
            open_ &= ~old
        rows = np.flatnonzero(open_)
        if len(rows):
            self._score_words(docs, rows, words, lemmas)
        return lemmas

    def _read_words(self, docs: list[Doc]) -> Rows:
        return read_words(docs, self.cfg["attribute"])

    def _score_words(self, docs: list[Doc], rows: Ints1d, words: Rows, lemmas: Lemmas) -> None:
        """Find the lemmas of some rows, those in lowercase that the table has among them."""
        ops = self.model.ops
        ends = np.cumsum([len(doc) for doc in docs])
        places = np.searchsorted(ends, rows, side="right")  # the Doc of each row
        pairs = zip(places.tolist(), words["form"][rows].tolist())
        forms = [docs[place].vocab.strings[form] for place, form in pairs]
        vectors = self.model.get_ref("vectors").predict(docs)[ops.asarray_i(rows)]
        features = ops.asarray(read_features(forms, words["tag"][rows]))
        scores = self.model.get_ref("scores").predict((vectors, features))
        scores = ops.to_numpy(self._check_finite(scores))
        cases, trees = softmax(scores[:, :N_CASES]), softmax(scores[:, N_CASES:])
        best_cases = cases.argmax(axis=1).tolist()
        known = lemmas.lemmas[rows].tolist()
        for i, (row, form, case) in enumerate(zip(rows.tolist(), forms, best_cases)):
            sure = float(cases[i, case])
            if known[i]:
                lemma = self.vocab.strings[known[i]]
                sure *= float(lemmas.confidence[row])
            else:
                lemma, tree = self._apply_best(trees[i], form.lower())
                sure *= float(trees[i, tree])
            lemma = apply_case(CASES[case], form, lemma)
            lemmas.new.add(lemma)
            lemmas.lemmas[row], lemmas.confidence[row] = get_string_id(lemma), sure

    def _apply_best(self, probabilities: Floats1d, form: str) -> tuple[str, int]:
        """The lemma by the most probable tree that applies, the first among equals, and its
        number."""
        best = int(probabilities.argmax())
        lemma = self.trees.apply(best, form)
        if lemma is not None:
            return lemma, best
        for tree in np.argsort(-probabilities, kind="stable").tolist():
            lemma = self.trees.apply(tree, form)
            if lemma is not None:
                return lemma, tree
        return form, 0

    def set_annotations(self, docs: Iterable[Doc], lemmas: Lemmas) -> None:
        docs, low = list(docs), 0
        add_strings(docs, lemmas.new)
        self._add_known(docs, lemmas)
        values, sure = lemmas.lemmas, lemmas.confidence
        if not self.overwrite:
            (old,) = read_columns(docs, [LEMMA])
            kept = np.concatenate([np.zeros(0), *(read_all(doc, "lemma") for doc in docs)])
            values = np.where(old != 0, old, values)
            sure = np.where(old != 0, kept, sure if self.confidence else np.nan)
        for doc in docs:
            high = low + len(doc)
            if len(doc):
                doc.from_array([LEMMA], values[low:high].reshape(-1, 1))
            if self.confidence or (not self.overwrite and np.isfinite(sure[low:high]).any()):
                store_tokens(doc, {"lemma": sure[low:high]})
            else:
                clear_tokens(doc, ["lemma"])
            low = high

    def _add_known(self, docs: list[Doc], lemmas: Lemmas) -> None:
        """Let vocabs other than that of the component know the lemmas that come from the table."""
        others = [doc for doc in docs if doc.vocab is not self.vocab]
        if others:
            strings, found = self.vocab.strings, np.unique(lemmas.lemmas).tolist()
            add_strings(others, [strings[lemma] for lemma in found if lemma in strings])

    # Training

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        labels: dict[str, Any] | None = None,
    ) -> None:
        """Count the lemmas of the examples, collect edit trees, and allocate the model.

        labels: What `label_data` gives, in place of what the examples have.
        RAISES: ValueError if no component before it sets tags, or if the examples have no lemmas or
            no tags.
        """
        validate_get_examples(get_examples, "PretrainedLemmatizer.initialize")
        if labels is None:
            self._read_corpus(get_examples, nlp)
        else:
            self._read_labels(labels)
        if nlp is not None:
            self._check_tagger(nlp)
        set_outputs(self.model, N_CASES + len(self.trees.pairs))
        self._initialize_model(get_examples)

    def _read_corpus(
        self, get_examples: Callable[[], Iterable[Example]], nlp: Language | None
    ) -> None:
        references = [example.reference for example in get_examples()]
        # What a component before this one sets comes first: words are looked up by it.
        is_set = {a: nlp is None or bool(self._find_taggers(nlp, a)) for a in ATTRIBUTES}
        for attribute in sorted(ATTRIBUTES, key=lambda a: not is_set[a]):
            entries = [read_entries(doc, attribute, self.vocab.strings) for doc in references]
            if any(rows["tag"].any() for rows in entries):
                break
        rows = join(entries)
        if not len(rows["lemma"]):
            self._set_labels([], what="lemmas")
        if not rows["tag"].any():
            raise ValueError(Errors.NO_TAGS.format(name=self.name))
        strings = self.vocab.strings
        pairs = np.unique(np.stack([rows["lower"], rows["lower_lemma"]]), axis=1).T.tolist()
        trees = collect_trees([(strings[a], strings[b]) for a, b in pairs], self.min_forms)
        self._take(trees, {n: v[rows["tag"] != 0] for n, v in rows.items()}, attribute)

    def _read_labels(self, labels: dict[str, Any]) -> None:
        if set(labels) != {"trees", "table", "tag"} or labels["tag"] not in ATTRIBUTES:
            keys = ", ".join(map(repr, labels)) or "none"
            raise ValueError(Errors.LABELS_FORM.format(name=self.name, keys=keys))
        add, rows = self.vocab.strings.add, []
        for form, tag, morph, lemma, count in labels["table"]:
            words = (form, form.lower(), tag, self.vocab.morphology.add(morph), lemma)
            hashes = [w if isinstance(w, int) else add(w) for w in (*words, lemma.lower())]
            rows.append([*hashes, count])
        names = ("form", "lower", "tag", "morph", "lemma", "lower_lemma")
        columns = list(zip(*rows)) or [()] * 7
        table = {n: np.asarray(c, dtype="uint64") for n, c in zip(names, columns)}
        repeats = np.asarray(columns[6], dtype="int64")
        trees = [tuple(pair) for pair in labels["trees"]]
        self._take(trees, {n: np.repeat(c, repeats) for n, c in table.items()}, labels["tag"])

    def _take(self, trees: list[tuple[str, str]], entries: Rows, attribute: str) -> None:
        """Begin with trees and entries of the table. Trees that were added come first."""
        was_trained = self.model.get_ref("output").has_param("W")
        self.trees = TreeLabels([*([] if was_trained else self.trees.pairs), *trees])
        self._trees_changed()
        self.cfg["attribute"] = attribute
        self.table = LemmaTable().extended(entries)

    def _check_tagger(self, nlp: Language) -> None:
        """Check that a tagger stands before this component, and say whose tags are learnt with."""
        taggers = self._find_taggers(nlp, self.cfg["attribute"])
        if not taggers:
            pipeline = ", ".join(nlp.component_names)
            raise ValueError(Errors.NO_TAGGER.format(name=self.name, pipeline=pipeline))
        annotating = nlp.config["training"].get("annotating_components") or []
        predicting = [name for name in taggers if name in annotating]
        whose = f"the tags that '{predicting[-1]}' predicts" if predicting else "gold tags"
        logger.info("%s: learns with %s; its table has gold tags", self.name, whose)

    def _find_taggers(self, nlp: Language, attribute: str) -> list[str]:
        """The components before this one that set an attribute, "tag" or "pos"."""
        names = nlp.component_names
        before = names[: names.index(self.name)] if self.name in names else names
        return [n for n in before if SETS_TAGS[attribute] in nlp.get_pipe_meta(n).assigns]

    def get_loss(self, examples: list[Example], vectors: Floats2d) -> tuple[float, Floats2d]:
        """Cross-entropies of letter cases and edit trees, summed; missing annotation is left out.
        The layers' own gradients are accumulated on the way, and the table learns words that it
        does not have.

        vectors: Those (N, D) of the N tokens of all examples. RETURNS: Loss and gradient (N, D).
        """
        ops = self.model.ops
        gold = read_lemma_gold(examples, self.cfg["attribute"], self._find_numbers)
        self._learn_words(gold.entries, examples)
        gradient = ops.alloc2f(*vectors.shape)
        if not len(gold.rows):
            return 0.0, gradient
        rows = ops.asarray_i(gold.rows)
        features = ops.asarray(read_features(gold.forms, gold.tags))
        scores, backprop = self.model.get_ref("scores").begin_update((vectors[rows], features))
        d_cases, case_loss = cross_entropy(ops, scores[:, :N_CASES], gold.cases)
        d_trees, tree_loss = cross_entropy(ops, scores[:, N_CASES:], gold.trees)
        gradient[rows] = backprop(ops.xp.concatenate([d_cases, d_trees], axis=1))
        return case_loss + tree_loss, gradient

    def _find_numbers(self, form: str, lemma: str) -> Numbers:
        key = form, lemma
        if key not in self._numbers:
            tree = self.trees.find(form.lower(), lemma.lower())
            self._numbers[key] = tree, find_case(form, lemma)
        return self._numbers[key]

    def _learn_words(self, entries: Rows, examples: list[Example]) -> None:
        """Add what the table does not have, which it has after `initialize` of the same corpus."""
        new = ~self.table.has(entries)
        if not new.any():
            return
        entries = {name: values[new] for name, values in entries.items()}
        for example in examples:
            read_entries(example.reference, self.cfg["attribute"], self.vocab.strings)
        self.table = self.table.extended(entries)

    def compare(
        self, docs: list[Doc], vectors: Floats2d, old_model: Model, old_docs: list[Doc]
    ) -> tuple[float, Floats2d]:
        """Of the cases and trees of all words. The work of trees that were added since was done by
        the tree that changes nothing."""
        ops, strings = self.model.ops, docs[0].vocab.strings
        words = self._read_words(docs)
        rows = np.flatnonzero(~is_space(*docs))
        gradient = ops.alloc2f(*vectors.shape)
        if not len(rows):
            return 0.0, gradient
        forms = [strings[form] for form in words["form"][rows].tolist()]
        features = ops.asarray(read_features(forms, words["tag"][rows]))
        rows = ops.asarray_i(rows)
        old_vectors = old_model.get_ref("vectors").predict(old_docs)[rows]
        old = old_model.get_ref("scores").predict((old_vectors, features))
        scores, backprop = self.model.get_ref("scores").begin_update((vectors[rows], features))
        cases, trees = slice(None, N_CASES), slice(N_CASES, None)
        d_cases, case_loss = divergence(ops, scores[:, cases], old[:, cases])
        d_trees, tree_loss = divergence(ops, scores[:, trees], old[:, trees], background=0)
        gradient[rows] = backprop(ops.xp.concatenate([d_cases, d_trees], axis=1))
        return case_loss + tree_loss, gradient

    # Saving

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        pipe = super().to_bytes(exclude=exclude)
        return srsly.msgpack_dumps({"pipe": pipe, TABLE_FILE: self._table_to_bytes()})

    def from_bytes(
        self, bytes_data: bytes, *, exclude: Iterable[str] = ()
    ) -> "PretrainedLemmatizer":
        parts = srsly.msgpack_loads(bytes_data)
        super().from_bytes(parts["pipe"], exclude=exclude)
        self._table_from_bytes(parts[TABLE_FILE])
        return self

    def _write_folder(self, folder: Path, exclude: list[str]) -> None:
        super()._write_folder(folder, exclude)
        (folder / TABLE_FILE).write_bytes(self._table_to_bytes())

    def _read_folder(self, folder: Path, exclude: list[str]) -> None:
        super()._read_folder(folder, exclude)
        data = (folder / TABLE_FILE).read_bytes()
        try:
            self._table_from_bytes(data)
        except Exception as error:  # of msgpack, or of what it gives
            message = describe_part_error(folder, TABLE_FILE, self.name, error)
            raise ValueError(message) from error

    def _table_to_bytes(self) -> bytes:
        # The lemmas as text, for a vocab that does not have them.
        known = self.vocab.strings
        lemmas = sorted({known[h] for h in set(self.table.rows["lemma"].tolist()) if h in known})
        return srsly.msgpack_dumps(
            {**self.table.rows, "count": self.table.counts, "lemmas": lemmas}
        )

    def _table_from_bytes(self, data: bytes) -> None:
        rows = srsly.msgpack_loads(data)
        counts = rows.pop("count")
        for lemma in rows.pop("lemmas"):
            # Words that are known only in another letter case are looked up as the second.
            self.vocab.strings.add(lemma)
            self.vocab.strings.add(lemma.lower())
        self.table = LemmaTable(rows, counts)
        self.trees = TreeLabels(tuple(pair) for pair in self.cfg["labels"])
        self._numbers = {}
