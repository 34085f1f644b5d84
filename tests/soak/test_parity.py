"""A text is annotated the same alone, in a batch, in another order, in threads and in processes, on
torch and in INT8."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from hard_texts import CHARACTERS, HARD_TEXTS
from soak_sizes import KINDS, SEED, TEXT, annotation, load, say, times

pytestmark = pytest.mark.soak
EXAMPLES = times(10_000)
IN_A_ROUND = 100  # examples that go through threads and processes together
WORDS = [*TEXT.split(), "Robots", "sleep", "on", "issue", "hearing", "!", "doesn't", "7,"]


def make_text(source: random.Random) -> str:
    kind = source.random()
    if kind < 0.2:
        return source.choice(HARD_TEXTS)
    parts = CHARACTERS if kind < 0.6 else [f"{word} " for word in WORDS]
    length = source.choice((1, 3, 10, 40, 200))
    return "".join(source.choices(parts, k=source.randint(0, length)))


@pytest.mark.parametrize("kind", KINDS)
def test_parity(kind):
    nlp, source = load(kind), random.Random(SEED)
    n_done = 0
    while n_done < EXAMPLES:
        n = min(IN_A_ROUND, EXAMPLES - n_done)
        examples = [[make_text(source) for _ in range(source.randint(1, 4))] for _ in range(n)]
        expected = {text: say(nlp, text) for texts in examples for text in texts}
        for texts in examples:
            batch_size = source.choice((1, 2, 64))
            for order in (texts, source.sample(texts, len(texts))):
                found = list(map(annotation, nlp.pipe(order, batch_size=batch_size)))
                assert found == [expected[text] for text in order], (order, batch_size)
        texts = list(expected)
        with ThreadPoolExecutor(4) as threads:
            assert list(threads.map(lambda text: say(nlp, text), texts)) == list(expected.values())
        if n_done % (10 * IN_A_ROUND) == 0 and kind.endswith("int8"):
            found = map(annotation, nlp.pipe(texts, n_process=2, batch_size=16))
            assert list(found) == list(expected.values())
        n_done += n
    print(f"{kind}: {EXAMPLES} examples, 0 differences")
