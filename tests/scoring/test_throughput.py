"""Two pipelines take turns on the same words."""

import spacy
from spacy.language import Language
from spacy.tokens import Doc

from spacy_pretrained.scoring.throughput import N_WORDS, compare_speeds

CALLS: list[tuple[str, int]] = []


@Language.component("count_calls_before")
def count_calls_before(doc: Doc) -> Doc:
    CALLS.append(("before", len(doc)))
    return doc


@Language.component("count_calls_after")
def count_calls_after(doc: Doc) -> Doc:
    CALLS.append(("after", len(doc)))
    return doc


def test_both_get_the_same_words_in_turns():
    CALLS.clear()
    before, after = spacy.blank("xx"), spacy.blank("en")
    before.add_pipe("count_calls_before")
    after.add_pipe("count_calls_after")
    docs = [Doc(before.vocab, words=["word"] * 700, tags=["NN"] * 700) for _ in range(9)]
    steps = []
    speeds = compare_speeds(before, after, docs, rounds=2, report=steps.append)
    n_docs = -(-N_WORDS // 700)
    assert ([("before", 700)] * n_docs + [("after", 700)] * n_docs) * 3 == CALLS
    assert speeds.before > 0 and speeds.after > 0 and speeds.ratio > 0
    assert len(steps) == 3
