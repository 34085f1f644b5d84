"""One case of `make bench-gpu`, in a process of its own: trains a pipeline, annotates with it, and
annotates the same texts on the CPU.

    python benchmarks/gpu_case.py '{"encoder": ..., ...}' output.json

The argument has the fields of a `Case`. benchmark_gpu.py starts it.
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean, median
from time import perf_counter
from typing import Any

import spacy
import torch
from gpu_memory import GpuMemory
from gpu_parity import compare_docs
from gpu_texts import draw_batches, make_texts, read_examples
from spacy.language import Language
from spacy.training import Example
from spacy.util import registry
from thinc.api import Optimizer, fix_random_seed

from spacy_pretrained.training.config import read_short

CONFIG = Path(__file__).parents[1] / "configs" / "pipeline.cfg"
ENCODER = "pretrained_encoder"
HEADS = ("pretrained_tagger", "biaffine_parser", "pretrained_ner", "pretrained_lemmatizer")
DROPOUT = 0.1
FALL = 0.9  # the most that is left of the loss
ROUNDS, WARM_UP_STEPS = 3, 3


@dataclass(frozen=True)
class Case:
    """What is measured, and how much of it."""

    encoder: str  # its name
    source: str  # its folder
    device: str  # "cuda" or "cpu": of the encoder
    heads: str  # "gpu" with CuPy, or "cpu"
    precision: str  # "fp32" or "bf16"
    steps: int  # of learning
    words_a_step: int
    words_a_batch: int  # where speed is measured
    characters: int  # of the texts to annotate
    words_alike: int  # that are annotated on the CPU, too
    warm_up_texts: int  # before speed is measured
    seconds: float  # that training, and each round of annotating, may take


def measure(case: Case) -> dict[str, Any]:
    if case.heads == "gpu":
        spacy.require_gpu()
    fix_random_seed(0)
    memory = GpuMemory(case)
    nlp = make_pipeline(case)
    examples = read_examples(nlp)
    nlp.initialize(lambda: examples)
    optimizer = make_optimizer(case.steps)
    found: dict[str, Any] = asdict(case)
    found["loss"] = summarize(learn(nlp, examples, optimizer, case))
    found["training"] = time_training(nlp, examples, optimizer, case) | memory.read()
    texts = make_texts(case.characters)
    found["inference"] = time_inference(nlp, texts, case) | memory.read()
    found["alike"] = compare_with_cpu(nlp, texts, case)
    if case.device == "cuda":
        found["card"] = memory.describe_card()
    return found


def make_pipeline(case: Case) -> Language:
    nlp = spacy.blank("en")
    settings = {"device": case.device, "mixed_precision": case.precision == "bf16"}
    architecture = {"@architectures": "spacy-pretrained.TorchEncoder.v1"}
    nlp.add_pipe(ENCODER, config={"model": architecture | settings})
    for head in HEADS:
        nlp.add_pipe(head)
    nlp.config["initialize"]["components"][ENCODER] = {"source": case.source}
    return nlp


def make_optimizer(steps: int) -> Optimizer:
    """That of our configs, for a training of so many steps."""
    block = read_short(str(CONFIG))["training"]["optimizer"]
    block["learn_rate"] |= {"total_steps": steps, "warmup_steps": steps // 10}
    return registry.resolve({"optimizer": block})["optimizer"]


# Training


def learn(
    nlp: Language, examples: list[Example], optimizer: Optimizer, case: Case
) -> Iterator[float]:
    """The loss of a word in each step: the sum of those of all components but the encoder."""
    for _, batch in zip(range(case.steps), draw_batches(examples, case.words_a_step)):
        losses = update(nlp, batch, optimizer)
        yield sum(losses[head] for head in HEADS) / count_words(batch)


def summarize(losses: Iterator[float]) -> dict[str, Any]:
    """The mean loss of the first and of the last tenth of all steps, and whether it falls."""
    losses = list(losses)
    tenth = max(1, len(losses) // 10)
    first, last = mean(losses[:tenth]), mean(losses[-tenth:])
    return {"first": first, "last": last, "steps": len(losses), "falls": last <= FALL * first}


def time_training(
    nlp: Language, examples: list[Example], optimizer: Optimizer, case: Case
) -> dict[str, Any]:
    """Words a second of updates, until the time is over."""
    batches = draw_batches(examples, case.words_a_batch, seed=1)
    for _ in range(WARM_UP_STEPS):
        update(nlp, next(batches), optimizer)
    wait(case)
    start, words, steps = perf_counter(), 0, 0
    while not steps or perf_counter() - start < case.seconds:
        batch = next(batches)
        update(nlp, batch, optimizer)
        words, steps = words + count_words(batch), steps + 1
    wait(case)
    return {"words_per_second": round(words / (perf_counter() - start)), "steps": steps}


def update(nlp: Language, batch: list[Example], optimizer: Optimizer) -> dict[str, float]:
    """One step, in the way of `spacy train`. RETURNS: The losses."""
    losses = nlp.update(batch, drop=DROPOUT, sgd=False, losses={})
    for _, pipe in nlp.pipeline:
        pipe.finish_update(optimizer)
    optimizer.step_schedules()
    return losses


def count_words(batch: list[Example]) -> int:
    return sum(len(example.reference) for example in batch)


# Annotating


def time_inference(nlp: Language, texts: list[str], case: Case) -> dict[str, Any]:
    """Words a second in some rounds, each of its share of the texts or as many as the time is
    enough for."""
    for _ in nlp.pipe(texts[: case.warm_up_texts]):
        pass
    speeds, words = [], 0
    for number in range(ROUNDS):
        own, start = 0, perf_counter()
        for doc in nlp.pipe(texts[number::ROUNDS]):
            own += len(doc)
            if perf_counter() - start > case.seconds:
                break
        wait(case)
        speeds.append(round(own / (perf_counter() - start)))
        words += own
    return {"words_per_second": median(speeds), "rounds": speeds, "words": words}


def compare_with_cpu(nlp: Language, texts: list[str], case: Case) -> dict[str, Any]:
    """What the pipeline annotates as it does on the CPU in fp32, and how quick it is there."""
    chosen, words = [], 0
    while words < case.words_alike:
        chosen.append(texts[len(chosen)])
        words += len(nlp.make_doc(chosen[-1]))
    docs = list(nlp.pipe(chosen))
    with tempfile.TemporaryDirectory() as folder:
        nlp.to_disk(folder)
        spacy.require_cpu()
        settings = {"device": "cpu", "mixed_precision": False}
        on_cpu = spacy.load(folder, config={"components": {ENCODER: {"model": settings}}})
        for _ in on_cpu.pipe(chosen[: case.warm_up_texts]):
            pass
        start = perf_counter()
        originals = list(on_cpu.pipe(chosen))
        speed = words / (perf_counter() - start)
    return compare_docs(originals, docs) | {"cpu_words_per_second": round(speed)}


def wait(case: Case) -> None:
    """Until the GPU has done what it was asked for."""
    if case.device == "cuda":
        torch.cuda.synchronize()


def main() -> None:
    case = Case(**json.loads(sys.argv[1]))
    Path(sys.argv[2]).write_text(json.dumps(measure(case)), "utf8")


if __name__ == "__main__":
    main()
