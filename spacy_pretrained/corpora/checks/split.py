"""All checks of one corpus, in one pass over its documents."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from spacy.tokens import Doc

from ...annotation.gold import sentence_starts
from ..corpus import make_example
from .cats import CatsCheck
from .entities import EntityCheck
from .errors import Errors
from .finding import Finding
from .known_labels import HAVE_LABELS, KnownLabelsCheck
from .labels import LabelCounts, name_layer
from .plan import Plan
from .tokens import TokenCheck
from .trees import MAX_SENTENCE, TreeCheck
from .windows import make_window_check

# Whether the categories of a component exclude each other depends on `multi_label` in the first.
CATS_BY_SETTING = ("pretrained_textcat", "few_shot_textcat")


@dataclass
class Sizes:
    documents: int = 0
    empty_documents: int = 0  # without tokens; not counted among the others
    tokens: int = 0
    sentences: int = 0  # where they are annotated
    lemmas: int = 0
    unaligned_tokens: int | None = None  # that the tokenizer cuts otherwise; None without a config


class SplitCheck:
    """Looks at the documents of one corpus, by what a plan has components learn. Without a config
    it looks at all that is annotated, as our own components would."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self.sizes = Sizes()
        self.labels = LabelCounts()
        self._tokens = TokenCheck(plan.nlp.lang)
        self._windows = make_window_check(plan)
        self._entities: dict[str | None, EntityCheck] = {}
        self._known_labels = [
            KnownLabelsCheck(c) for c in plan.find(*HAVE_LABELS) if c.labels is not None
        ]
        if plan.has_config:
            self._trees = [
                TreeCheck(c.name, c.settings.get("max_sentence", MAX_SENTENCE))
                for c in plan.find("biaffine_parser", "parser")
            ]
            self._cats = [
                CatsCheck(c.name, multi_label=c.settings.get("multi_label", False))
                for c in plan.find(*CATS_BY_SETTING)
            ]
            for component in plan.find("pretrained_ner", "ner"):
                key = component.settings.get("spans_key")
                self._entities[key] = EntityCheck(component.name, key)
        else:
            self._trees = [TreeCheck("biaffine_parser")]
            self._cats = [CatsCheck("pretrained_textcat", multi_label=True)]
            self._entities[None] = EntityCheck("pretrained_ner")

    def add(self, docs: Iterable[Doc]) -> None:
        for doc in docs:
            if len(doc):
                self._add(doc)
            else:
                self.sizes.empty_documents += 1

    def _add(self, doc: Doc) -> None:
        nlp, has_config = self.plan.nlp, self.plan.has_config
        self.sizes.documents += 1
        self.sizes.tokens += len(doc)
        if doc.has_annotation("SENT_START"):
            self.sizes.sentences += int((sentence_starts(doc) == 1).sum())
        self.labels.add(doc)
        self.sizes.lemmas = sum(self.labels.counts.get("lemma", {}).values())
        raw = None
        if has_config and not doc.has_unknown_spaces:
            raw = make_example(nlp, doc, gold_tokens=False)
        if has_config:
            self._tokens.add(raw)
            self.sizes.unaligned_tokens = self._tokens.unaligned
        learned = make_example(nlp, doc, gold_tokens=True)
        if raw is not None and not self.plan.gold_tokens:
            learned = raw
        if not has_config:
            for key in doc.spans:
                if key not in self._entities:
                    self._entities[key] = EntityCheck("pretrained_ner", key)
        for check in self._entities.values():
            check.add(learned, raw)
        for check in (*self._trees, *self._cats, *self._known_labels):
            check.add(learned)
        if not isinstance(self._windows, Finding):
            self._windows.add(doc)

    def findings(self) -> list[Finding]:
        """All but what compares labels."""
        if not self.sizes.documents:
            return [Finding("error", Errors.NO_DOCUMENTS)]
        found = []
        if self.sizes.empty_documents:
            text = Errors.EMPTY_DOCUMENTS.format(n=self.sizes.empty_documents)
            found.append(Finding("warning", text))
        for key, check in self._entities.items():
            of_check = check.findings(self.plan.nlp.lang)
            if key is not None and not self.plan.has_config:
                # Groups of spans may overlap; only a component of one label a token cannot learn
                # them then, and none is known to.
                of_check = [soften(finding) for finding in of_check]
            found += of_check
        for check in (*self._trees, *self._cats):
            found += check.findings()
        if self.plan.has_config:
            found += self._tokens.findings()
        else:
            found.append(Finding("note", Errors.TOKENS_NO_CONFIG))
            found += self._find_no_entities()
        windows = self._windows
        return found + ([windows] if isinstance(windows, Finding) else windows.findings())

    def _find_no_entities(self) -> list[Finding]:
        if self.labels.tokens_outside and not self.labels.has("ents"):
            return [Finding("warning", Errors.NO_ENTITIES)]
        return []

    def find_unknown_labels(self) -> list[Finding]:
        """Labels that a component which is trained further does not know, as errors."""
        return [finding for check in self._known_labels for finding in check.findings()]

    def find_unannotated(self, message: str) -> list[Finding]:
        """Components none of whose labels are annotated, as errors."""
        return [
            Finding(
                "error",
                message.format(
                    name=component.name,
                    layers=" or ".join(name_layer(layer) for layer in component.layers),
                ),
            )
            for component in self.plan.components
            if component.layers and not any(map(self.labels.has, component.layers))
        ]

    def find_nothing(self) -> list[Finding]:
        """An error, if nothing is annotated. With a config, `find_unannotated` says so."""
        labels = self.labels
        is_annotated = labels.tokens_outside or any(map(labels.has, labels.counts))
        if self.plan.has_config or is_annotated:
            return []
        return [Finding("error", Errors.NO_ANNOTATION)]


def soften(finding: Finding) -> Finding:
    """What is an error in the training corpus is a warning elsewhere."""
    return replace(finding, level="warning") if finding.level == "error" else finding
