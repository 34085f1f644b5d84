"""Names and descriptions of the labels of a set, as assets/textcat/NAME.yml has them.

title: What tables call the set.
task: What is told apart, for readers.
template: A phrase on a text, with {} for the name of its label.
names: The names of labels of the set; those that are left out have their own, "_" as a space.
descriptions: A sentence on each name.
"""

from dataclasses import dataclass
from pathlib import Path

import srsly

TEXTCAT_LABEL = (
    "The label '{label}' is called '{name}', and there is no description of that. Name it "
    "under `names`, and describe it under `descriptions`."
)


@dataclass(frozen=True)
class TextcatLabels:
    title: str
    task: str
    template: str
    renamed: dict[str, str]
    descriptions: dict[str, str]

    @property
    def names(self) -> list[str]:
        return list(self.descriptions)

    def name_of(self, label: str) -> str:
        """The name of a label of the set. ValueError if no description has it."""
        name = self.renamed.get(label, label.replace("_", " "))
        if name not in self.descriptions:
            raise ValueError(TEXTCAT_LABEL.format(label=label, name=name))
        return name


def read_labels(path: Path) -> TextcatLabels:
    contents = srsly.read_yaml(path)
    return TextcatLabels(renamed=contents.pop("names", {}), **contents)
