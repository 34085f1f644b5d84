"""A corpus reader that has a trained pipeline, the teacher, say how probable it holds the labels
of what a smaller one learns from."""

from collections.abc import Callable, Iterator
from pathlib import Path

from spacy.language import Language
from spacy.training import Example
from spacy.util import minibatch

from ..heads.soft_targets import KEY
from .errors import Errors
from .teacher import Teacher

EXAMPLES_AT_ONCE = 64


def build_taught(
    corpus: Callable[[Language], Iterator[Example]],
    teacher: str,
    components: list[str] | None = None,
    temperature: float = 1.0,
    top_k: int = 8,
    cache: Path | None = None,
) -> Callable[[Language], Iterator[Example]]:
    """Build a reader that adds to the references of another one what a teacher says of their
    tokens. Components whose `distill_weight` is above 0 learn from it.

    The teacher is loaded when the first Example is asked for that the cache lacks.

    corpus: The reader of the Examples; their texts need no annotation.
    teacher: Folder of a pipeline, or an installed package, with a tagger, parser or recognizer of
        this package, on PyTorch or quantized.
    components: The teacher's components that teach; by default all that can.
    temperature: What the scores of teacher and student are divided by: above 1, improbable labels
        count more.
    top_k: The number of most probable labels, and heads, kept a token; 0 for all.
    cache: File that keeps what the teacher said, for later trainings; without it, it is kept in
        memory as long as the training runs. It is written when a pass over the corpus ends. One
        that is cut short writes nothing; what was said stays in memory, for the next pass.

    RAISES: While it is read, ValueError if there is no such teacher, and OSError if the cache
        cannot be read or written.
    """
    if temperature <= 0:
        raise ValueError(Errors.TEACHER_TEMPERATURE.format(temperature=temperature))
    if top_k < 0:
        raise ValueError(Errors.TEACHER_TOP_K.format(top_k=top_k))
    said_by = Teacher(teacher, components, temperature, top_k, cache)

    def read(nlp: Language) -> Iterator[Example]:
        for examples in minibatch(corpus(nlp), EXAMPLES_AT_ONCE):
            references = [example.reference for example in examples]
            for example, said in zip(examples, said_by.teach(references)):
                example.reference.user_data[KEY] = said
                yield example
        said_by.dismiss()

    return read
