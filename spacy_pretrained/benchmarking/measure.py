"""Measure one case, in a process of its own: `python -m spacy_pretrained.benchmarking.measure`,
with the fields of a `Case` in and those of a `Measurement` out (see `child`).

Little is imported at the top: what is imported, and when, is a part of what is measured.
"""

import sys
import tempfile
from importlib import import_module
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

from .cases import OPENVINO, TORCH, TRAINING
from .child import answer
from .peak_memory import peak_bytes
from .texts import count_texts, make_texts

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.training import Example

ROUNDS = 3
BATCHES_A_ROUND = 2
WARM_UP_STEPS, STEPS = 1, 2
DROPOUT = 0.1


def measure(folder: str, task: str, engine: str, **case: Any) -> dict[str, Any]:
    import_engine(engine)
    found = {"import_bytes": peak_bytes()}
    run = measure_training if task == TRAINING else measure_inference
    found |= run(Path(folder), case["words_a_text"], case["words_a_batch"])
    # Linux counts in steps: a later peak may be smaller by some pages.
    peak = max(found["working_bytes"], peak_bytes())
    return {"task": task, "engine": engine, **case, **found, "peak_bytes": peak}


def import_engine(engine: str) -> None:
    """Import spaCy and what the encoder runs on. spaCy imports torch wherever it is installed; a
    quantized pipeline is measured as it is without."""
    if engine == OPENVINO:
        sys.modules["torch"] = None
    import_module("spacy")
    if engine == TORCH:
        import_module("transformers.modeling_utils")
    elif engine == OPENVINO:
        from ..runtime.no_telemetry import import_openvino

        import_openvino()


def measure_inference(folder: Path, words_a_text: int, words_a_batch: int) -> dict[str, Any]:
    """Some rounds of the same texts, after one that counts for nothing: engines compile in it."""
    import spacy

    nlp = spacy.load(folder)
    batch_size = count_texts(words_a_text, words_a_batch)
    texts = make_texts(words_a_text, batch_size * BATCHES_A_ROUND)
    speeds = []
    for _ in range(1 + ROUNDS):
        start = perf_counter()
        words = sum(len(doc) for doc in nlp.pipe(texts, batch_size=batch_size))
        speeds.append(words / (perf_counter() - start))
    return {
        "pieces_a_batch": count_pieces(nlp, texts[:batch_size]),
        "words_per_second": round(median(speeds[1:]), 1),
        "working_bytes": peak_bytes(),
    }


def measure_training(folder: Path, words_a_text: int, words_a_batch: int) -> dict[str, Any]:
    """Updates as `spacy train` makes them, the first one not timed: Adam's moments are made in
    it. Then the pipeline is saved, with averaged weights."""
    from .pipelines import make_optimizer

    batch_size = count_texts(words_a_text, words_a_batch)
    texts = make_texts(words_a_text, batch_size * BATCHES_A_ROUND)
    nlp, examples = begin_training(folder, texts)
    batches = cycle([examples[:batch_size], examples[batch_size:]])
    optimizer = make_optimizer()
    seconds, words = 0.0, 0
    for step, batch in enumerate(islice(batches, WARM_UP_STEPS + STEPS)):
        start = perf_counter()
        nlp.update(batch, drop=DROPOUT, sgd=False, losses={})
        for _, pipe in nlp.pipeline:
            if getattr(pipe, "is_trainable", False):
                pipe.finish_update(optimizer)
        if step >= WARM_UP_STEPS:
            seconds += perf_counter() - start
            words += sum(len(example.reference) for example in batch)
        optimizer.step_schedules()
    found = {
        "pieces_a_batch": count_pieces(nlp, texts[:batch_size]),
        "words_per_second": round(words / seconds, 1),
        "working_bytes": peak_bytes(),
    }
    with tempfile.TemporaryDirectory() as saved, nlp.use_params(optimizer.averages):
        nlp.to_disk(saved)
    return found


def begin_training(folder: Path, texts: list[str]) -> "tuple[Language, list[Example]]":
    """An encoder with a new tagger, or a pipeline that is trained further."""
    import spacy

    from .pipelines import annotate_examples, make_examples, make_pipeline

    if (folder / "meta.json").is_file():
        nlp = spacy.load(folder)
        examples = annotate_examples(nlp, texts)
        nlp.resume_training()
        return nlp, examples
    nlp = make_pipeline(folder)
    examples = make_examples(nlp, texts)
    nlp.initialize(lambda: examples)
    return nlp, examples


def count_pieces(nlp: "Language", texts: list[str]) -> int | None:
    """Wordpieces of a batch of texts, padding included."""
    for _, pipe in nlp.components:
        if hasattr(pipe, "plan_batches"):
            docs = list(map(nlp.make_doc, texts))
            return sum(int(batch.ids.size) for batch in pipe.plan_batches(docs))
    return None


if __name__ == "__main__":
    answer(measure)
