"""Labels that are known by their names, as phrases that a text may bear out."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .errors import Errors

DEFAULT_TEMPLATE = "This text is about {}."
# As the name of a setting, a config reads these otherwise than they were written; the "$" it
# doubles in values alone, so that names and labels differ.
NO_KEY = re.compile(r"[:=$\r\n]|^\s|\s$")


@dataclass(frozen=True)
class LabelSet:
    """K labels. Equal ones have equal hashes: what is computed of one may be kept by it."""

    names: tuple[str, ...]
    hypotheses: tuple[tuple[str, ...], ...]  # of each label its phrases, one a template
    multi_label: bool  # whether any number of labels may hold of a text, instead of one

    def __len__(self) -> int:
        return len(self.names)


def make_label_set(
    names: Iterable[str],
    *,
    descriptions: Mapping[str, str],
    templates: Iterable[str],
    multi_label: bool,
    component: str,
) -> LabelSet:
    """Put each label into each template: its name, and its description behind it, if it has one.

    component: The name of the component, for error messages.
    RAISES: ValueError if there is no label, or only one that always holds; if a label is empty or
        is there twice; for a description of no label; for a template without "{}".

    >>> make_label_set(["law"], descriptions={"law": "courts and trials."}, templates=["On {}."],
    ...                multi_label=True, component="zero_shot_textcat").hypotheses
    (('On law (courts and trials).',),)
    """
    names, templates = tuple(names), tuple(templates)
    if not names:
        raise ValueError(Errors.ZERO_SHOT_NO_LABELS.format(name=component))
    _check_texts(names, "label", component)
    _check_texts(descriptions.values(), "description", component)
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(Errors.LABELS_TWICE.format(name=component, labels=", ".join(twice)))
    if len(names) == 1 and not multi_label:
        raise ValueError(Errors.CATS_ONE_LABEL.format(name=component, label=names[0]))
    unknown = [name for name in descriptions if name not in names]
    if unknown:
        raise ValueError(
            Errors.DESCRIPTIONS_UNKNOWN.format(
                name=component, unknown=", ".join(unknown), labels=", ".join(names)
            )
        )
    check_templates(templates, component)
    hypotheses = tuple(
        tuple(template.replace("{}", _describe(name, descriptions)) for template in templates)
        for name in names
    )
    return LabelSet(names, hypotheses, multi_label)


def _describe(name: str, descriptions: Mapping[str, str]) -> str:
    """A label for the middle of a phrase."""
    if name not in descriptions:
        return name
    return f"{name} ({descriptions[name].strip().removesuffix('.')})"


def check_templates(templates: Iterable[str], component: str) -> None:
    """Refuse templates without a place for a label, and none."""
    templates = list(templates)
    for template in templates or [""]:
        if not isinstance(template, str) or "{}" not in template:
            raise ValueError(Errors.TEMPLATE.format(name=component, template=template))


def check_keys(descriptions: Iterable[str], component: str) -> None:
    """Refuse descriptions of labels that a config cannot have as the names of settings."""
    for label in descriptions:
        if NO_KEY.search(label):
            raise ValueError(Errors.DESCRIPTION_KEY.format(name=component, label=label))


def _check_texts(texts: Iterable[str], what: str, component: str) -> None:
    for text in texts:
        if not isinstance(text, str) or not text.strip():
            raise ValueError(Errors.LABEL_EMPTY.format(name=component, what=what, text=text))
