"""How often each label is annotated, and which are rare or missing."""

from collections import Counter

from spacy.tokens import Doc

from .errors import Errors
from .finding import Finding, list_some

FEW = 20
# Of what messages call these. "spans:KEY" are groups of spans.
NAMES = {
    "tag": "tags",
    "pos": "parts of speech",
    "morph": "morphological analyses",
    "dep": "dependency labels",
    "lemma": "lemmas",
    "ents": "entity labels",
    "cats": "categories",
}
TOKEN_LAYERS = ("tag", "pos", "morph", "dep")


def name_layer(layer: str) -> str:
    return NAMES.get(layer) or f"labels of the spans '{layer.removeprefix('spans:')}'"


class LabelCounts:
    """Counts of labels in the documents of one corpus.

    counts: By layer. A category counts where it holds. Of lemmas only the number is kept, under
        the empty label.
    """

    def __init__(self) -> None:
        self.counts: dict[str, Counter[str]] = {}
        self.tokens_outside = 0  # annotated as outside of entities

    def add(self, doc: Doc) -> None:
        for layer in TOKEN_LAYERS:
            self._count(layer, Counter(doc.to_array(layer.upper()).tolist()), doc)
        n_lemmas = int((doc.to_array("LEMMA") != 0).sum())
        if n_lemmas:
            self.counts.setdefault("lemma", Counter())[""] += n_lemmas
        self._count("ents", Counter(ent.label for ent in doc.ents), doc)
        self.tokens_outside += int((doc.to_array("ENT_IOB") == 2).sum())
        for key, group in doc.spans.items():
            self._count(f"spans:{key}", Counter(span.label for span in group), doc)
        for label, value in doc.cats.items():
            self.counts.setdefault("cats", Counter())[label] += int(value == 1)

    def _count(self, layer: str, hashes: Counter, doc: Doc) -> None:
        hashes.pop(0, None)  # missing
        if hashes:
            own = self.counts.setdefault(layer, Counter())
            for key, n in hashes.items():
                own[doc.vocab.strings[key]] += n

    def has(self, layer: str) -> bool:
        return any(self.counts.get(layer, Counter()).values())


def find_rare(counts: LabelCounts, layers: set[str] | None, few: dict[str, int]) -> list[Finding]:
    """Labels with few examples.

    layers: Those to look at; None for all.
    few: By layer, the examples below which a label has few; by default `FEW`.
    """
    findings = []
    for layer, labels in counts.counts.items():
        if layer == "lemma" or (layers is not None and layer not in layers):
            continue
        bound = few.get(layer, FEW)
        rare = sorted((n, label) for label, n in labels.items() if n < bound)
        if rare:
            shown = list_some(f"{label} ({n})" for n, label in rare)
            text = Errors.FEW_EXAMPLES.format(layer=name_layer(layer), bound=bound, labels=shown)
            findings.append(Finding("warning", text))
    return findings


def find_unknown(train: LabelCounts, dev: LabelCounts, layers: set[str] | None) -> list[Finding]:
    """Labels that only the development corpus has. layers: As in `find_rare`."""
    findings = []
    for layer, labels in dev.counts.items():
        if layers is not None and layer not in layers:
            continue
        known = train.counts.get(layer, Counter())
        unknown = sorted(label for label, n in labels.items() if n and label not in known)
        if unknown:
            text = Errors.NOT_IN_TRAIN.format(layer=name_layer(layer), labels=list_some(unknown))
            findings.append(Finding("warning", text))
    return findings
