"""Whether a component that is trained further knows the labels of a corpus."""

from collections import Counter
from collections.abc import Iterator

from spacy.training import Example

from ...annotation.gold import collect_labels
from ...ner.gold import FitReport
from ...textcat.errors import Errors as TextcatErrors
from .errors import Errors
from .finding import Finding, list_some
from .plan import Component, find_layers

CLASSIFIERS = ("pretrained_textcat", "few_shot_textcat")
# Those of ours that have labels, and stop a training at others.
HAVE_LABELS = ("pretrained_tagger", "biaffine_parser", "pretrained_ner", *CLASSIFIERS)


class KnownLabelsCheck:
    """Looks for labels of a corpus that a component of a trained pipeline does not know. `spacy
    train` does not initialize such a component again, and so does not collect labels for it."""

    def __init__(self, component: Component):
        self.component = component
        self._known = set(component.labels or [])
        self._unknown: Counter[str] = Counter()  # examples that have it

    def add(self, example: Example) -> None:
        self._unknown.update(set(self._find_labels(example)) - self._known)

    def findings(self) -> list[Finding]:
        if not self._unknown:
            return []
        name, label = self.component.name, min(self._unknown)
        if self.component.factory in CLASSIFIERS:
            known = ", ".join(sorted(self._known))
            said = TextcatErrors.CATS_UNKNOWN.format(name=name, label=label, labels=known)
        else:
            said = Errors.LABEL_UNKNOWN.format(name=name, label=label)
        labels = list_some(f"{label} ({n})" for label, n in sorted(self._unknown.items()))
        text = Errors.LABELS_NOT_KNOWN.format(message=said, labels=labels)
        return [Finding("error", text)]

    def _find_labels(self, example: Example) -> Iterator[str]:
        """As the component would collect them."""
        factory, settings = self.component.factory, self.component.settings
        if factory == "pretrained_ner":
            fit = FitReport()
            try:
                fit.add(example, settings.get("spans_key"))
            except ValueError:  # overlapping spans, which `EntityCheck` reports
                return
            yield from fit.labels
        elif factory in CLASSIFIERS:
            yield from example.reference.cats
        else:
            layers = find_layers(factory, settings)
            for layer, labels in collect_labels([example], layers).items():
                # A tagger leaves out attributes that it was not trained on.
                prefix = f"{layer}=" if factory == "pretrained_tagger" else ""
                if any(label.startswith(prefix) for label in self._known):
                    yield from (prefix + label for label in labels)
