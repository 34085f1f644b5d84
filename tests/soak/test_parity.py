"""A text is annotated the same alone, in a batch, in another order, in threads and in processes, on
torch and in INT8."""

import math
import random
from concurrent.futures import ThreadPoolExecutor

import pytest
import spacy
from hard_texts import CHARACTERS, HARD_TEXTS
from saved_pipelines import SAVED
from soak_sizes import KINDS, SEED, TEXT, annotation, times
from spacy.language import Language
from spacy.tokens import Doc

pytestmark = pytest.mark.soak
EXAMPLES = times(10_000)
TIE = 1e-4  # of log-probabilities, summed over a text
IN_A_ROUND = 100  # examples that go through threads and processes together
WORDS = [*TEXT.split(), "Robots", "sleep", "on", "issue", "hearing", "!", "doesn't", "7,"]


def make_text(source: random.Random) -> str:
    kind = source.random()
    if kind < 0.2:
        return source.choice(HARD_TEXTS)
    parts = CHARACTERS if kind < 0.6 else [f"{word} " for word in WORDS]
    length = source.choice((1, 3, 10, 40, 200))
    return "".join(source.choices(parts, k=source.randint(0, length)))


def load(kind: str) -> Language:
    config = {"components": {"biaffine_parser": {"confidence": True}}}
    return spacy.load(SAVED / "v0.1.0" / kind / "pipeline", config=config)


def is_tie(doc: Doc, other: Doc) -> bool:
    """Whether all but the trees is the same, and these are equally probable. Weights that have
    learnt nothing of random texts leave ties, and products of matrices round by their sizes."""
    (tags, _, ents), (other_tags, _, other_ents) = annotation(doc), annotation(other)
    sure, other_sure = (sum(math.log(t._.head_confidence) for t in one) for one in (doc, other))
    return (tags, ents) == (other_tags, other_ents) and abs(sure - other_sure) < TIE


@pytest.mark.parametrize("kind", KINDS)
def test_parity(kind):
    nlp, source = load(kind), random.Random(SEED)
    n_done = n_ties = 0

    def check(found, expected, how) -> None:
        nonlocal n_ties
        for doc, other in zip(found, expected, strict=True):
            if annotation(doc) != annotation(other):
                assert is_tie(doc, other), (doc.text, how)
                n_ties += 1

    while n_done < EXAMPLES:
        n = min(IN_A_ROUND, EXAMPLES - n_done)
        examples = [[make_text(source) for _ in range(source.randint(1, 4))] for _ in range(n)]
        alone = {text: nlp(text) for texts in examples for text in texts}
        for texts in examples:
            batch_size = source.choice((1, 2, 64))
            for order in (texts, source.sample(texts, len(texts))):
                docs = nlp.pipe(order, batch_size=batch_size)
                check(docs, [alone[text] for text in order], (order, batch_size))
        texts = list(alone)
        with ThreadPoolExecutor(4) as threads:
            check(threads.map(nlp, texts), alone.values(), "threads")
        check(nlp.pipe(texts, batch_size=16), alone.values(), "a stream")
        if n_done % (10 * IN_A_ROUND) == 0 and kind.endswith("int8"):
            check(nlp.pipe(texts, n_process=2, batch_size=16), alone.values(), "processes")
        n_done += n
    print(f"{kind}: {EXAMPLES} examples, {n_ties} ties, 0 other differences")
