"""How far two pipelines agree: what one of them annotates is scored as if the other's were gold."""

from collections.abc import Callable, Iterable

from spacy.language import Language
from spacy.pipeline import MultiLabel_TextCategorizer
from spacy.scorer import PRFScore
from spacy.tokens import Doc, Token
from spacy.training import Example

from .score_counts import (
    Counter,
    compare,
    count,
    count_entities,
    count_las,
    count_sentences,
    read_threshold,
    span_counter,
    token_counter,
)


def _word_counter(read: Callable[[Token], int]) -> Counter:
    """Spaces do not count: spaCy's scores leave them out on one side alone, since gold annotation
    has nothing there, where pipelines do."""
    return token_counter(lambda token: 0 if token.is_space else read(token))


# What is compared, and the attribute that Docs have if anything is annotated there.
MEASURES: dict[str, tuple[str, Counter]] = {
    "tag": ("TAG", _word_counter(lambda token: token.tag)),
    "pos": ("POS", _word_counter(lambda token: token.pos)),
    "morph": ("MORPH", _word_counter(lambda token: token.morph.key)),
    "lemma": ("LEMMA", _word_counter(lambda token: token.lemma)),
    "heads": ("DEP", count_las),
    "sentences": ("SENT_START", count_sentences),
    "entities": ("ENT_IOB", count_entities),
}
SPANS = "spans_"  # followed by the key of a group


def measure_agreement(
    nlp: Language, originals: list[Doc], copies: Iterable[Doc]
) -> dict[str, float]:
    """Compare two pipelines' annotation of the same tokens.

    nlp: The pipeline that annotated the originals. Its text classifiers say how categories are
        decided: the best one, or all those above a threshold.
    RETURNS: In percent, of what the originals have: of tags, parts of speech, morphology and lemmas
        the share that are the same; F of heads with labels (without punctuation), sentences,
        entities and each group of spans; of categories the share, or the F, of decisions.
    """
    counters = {
        name: counter
        for name, (attribute, counter) in MEASURES.items()
        if any(doc.has_annotation(attribute) for doc in originals)
    }
    for key in dict.fromkeys(key for doc in originals for key in doc.spans):
        counters[SPANS + key] = span_counter(key)
    classifiers = [
        _decider(pipe)
        for name, pipe in nlp.pipeline
        if "doc.cats" in nlp.get_pipe_meta(name).assigns
    ]
    if classifiers:
        counters["categories"] = _category_counter(classifiers)
    examples = [Example(two, one) for one, two in zip(originals, copies, strict=True)]
    totals = count(counters, examples).sum(axis=0)
    return {name: 100 * float(hits / of) for name, (hits, of) in zip(counters, totals) if of}


def _decider(pipe: Callable) -> Callable[[dict[str, float]], set[str]]:
    """A function from the categories of a Doc to the labels that a text classifier decides for."""
    labels = set(getattr(pipe, "labels", ()))
    several = isinstance(pipe, MultiLabel_TextCategorizer) or getattr(pipe, "multi_label", False)
    threshold = read_threshold(pipe)
    threshold = 0.5 if threshold is None else threshold

    def decide(cats: dict[str, float]) -> set[str]:
        cats = {label: cat for label, cat in cats.items() if label in labels}
        if several:
            return {label for label, cat in cats.items() if cat >= threshold}
        return {max(cats, key=cats.get)} if cats else set()

    return decide


def _category_counter(classifiers: list[Callable[[dict[str, float]], set[str]]]) -> Counter:
    def count_categories(example: Example) -> PRFScore:
        def decide(doc: Doc) -> set[tuple[int, str]]:
            return {
                (number, label)
                for number, classifier in enumerate(classifiers)
                for label in classifier(doc.cats)
            }

        return compare(decide(example.predicted), decide(example.reference))

    return count_categories
