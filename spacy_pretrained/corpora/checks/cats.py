"""Whether categories can be learnt by a component."""

from spacy.training import Example

from ...textcat.errors import Errors as TextcatErrors
from ...textcat.gold import collect_cats
from .errors import Errors
from .finding import Finding


class CatsCheck:
    """Looks at the categories of a corpus for one component. name, multi_label: The component's."""

    def __init__(self, name: str, *, multi_label: bool):
        self.name = name
        self.multi_label = multi_label
        self._labels: set[str] = set()
        self._refused, self._message = 0, ""

    def add(self, example: Example) -> None:
        self._labels.update(example.reference.cats)
        try:
            collect_cats([example], self.name, multi_label=self.multi_label)
        except ValueError as error:
            self._message = self._message or str(error)
            self._refused += 1

    def findings(self) -> list[Finding]:
        findings = []
        if self._refused:
            text = Errors.CATS_REFUSED.format(message=self._message, n=self._refused)
            findings.append(Finding("error", text))
        if len(self._labels) == 1 and not self.multi_label:
            (label,) = self._labels
            text = TextcatErrors.CATS_ONE_LABEL.format(name=self.name, label=label)
            findings.append(Finding("error", text))
        return findings
