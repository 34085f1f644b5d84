"""Which class of a model means that one text follows from another, by its config.json."""

from dataclasses import dataclass

from .errors import Errors


@dataclass(frozen=True)
class EntailmentLabels:
    """Numbers of classes."""

    entailment: int
    contradiction: int | None  # models of two classes may have none, such as "not_entailment"


def find_entailment(config: dict) -> EntailmentLabels:
    """Read the names that a model's own config.json has for its classes, in `id2label`.

    An entailment class has a name that begins with "entail", in upper or lower case, and one of
    contradiction begins with "contra".
    RAISES: ValueError unless there is one entailment class, and at most one contradiction. Names
        such as LABEL_0 say nothing, and which of them is which is not guessed.
    """
    names = {int(number): str(name) for number, name in (config.get("id2label") or {}).items()}
    entailment = [i for i, name in names.items() if name.casefold().startswith("entail")]
    contradiction = [i for i, name in names.items() if name.casefold().startswith("contra")]
    if len(entailment) != 1 or len(contradiction) > 1:
        raise ValueError(
            Errors.ENTAILMENT_LABELS.format(
                name=config.get("model_type"),
                labels=", ".join(names[i] for i in sorted(names)) or "none",
            )
        )
    return EntailmentLabels(entailment[0], contradiction[0] if contradiction else None)
