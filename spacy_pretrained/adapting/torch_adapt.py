"""The two trainings of an adaptation: of a fresh head alone, then of everything."""

import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from ..backends.learn_rate import choose_rate
from ..backends.torch_kinds import find_embeddings
from ..backends.torch_weights import load_pretrained
from ..choosing.sizes import Sizes
from .batches import Batches, choose_batches
from .blocks_of_texts import Data, make_data
from .checkpoints import find_whole
from .errors import Errors
from .options import AdaptOptions
from .report import Report, describe_data, describe_memory
from .result import Adapted, copy_tokenizer, find_licence, write_card
from .torch_data import held_out_batches, make_batch
from .torch_model import MaskedLanguageModel, Opened, open_masked_lm
from .torch_perplexity import measure_perplexity
from .torch_train import Course, Evaluation, find_best, find_device, has_settled, run_course
from .work import Work

# Of a fresh head, alone: it has few weights, which begin at random.
HEAD_RATE = 1e-3
HEAD_EVALUATIONS = 20  # at most; it mostly ends before, when the perplexity stops falling
HEAD_LEAST_STEPS = 500  # that it may have, however few texts there are
HEAD_PATIENCE = 2
HEAD_LEAST_FALL = 0.01  # less is no fall
HEAD_SHARE = 0.3  # of --minutes, at most
EVALUATIONS = 10
TRIAL_STEPS = 3  # to see how long one takes


@dataclass(frozen=True)
class Prepared:
    opened: Opened
    data: Data
    batches: Batches


def prepare(
    source: str, folder: Path, texts: Path, options: AdaptOptions, report: Report
) -> Prepared:
    """Everything before the training. Nothing is written.

    RAISES: ValueError for whatever does not fit.
    """
    opened = open_masked_lm(folder, source, pairs=options.next_sentence, seed=options.seed)
    layout, tokenizer = opened.checkpoint.layout, opened.checkpoint.tokenizer
    opened.model.to(find_device())
    least = tokenizer.n_special + 2
    if not least <= options.length <= layout.max_window:
        known = {"least": least, "most": layout.max_window}
        raise ValueError(Errors.LENGTH.format(length=options.length, source=source, **known))
    data = make_data(texts, opened.checkpoint, options)
    report(describe_data(data))
    batches = choose_batches(
        _measure_sizes(opened.model),
        len(find_embeddings(opened.model.masked_lm).weight),
        batch=options.batch,
        length=options.length,
        bfloat16=options.bfloat16,
        memory=options.memory,
        source=source,
    )
    report(describe_memory(batches.peak, batches.batch, batches.accumulated))
    return Prepared(opened, data, batches)


def train_and_save(
    prepared: Prepared,
    source: str,
    folder: Path,
    work: Work,
    options: AdaptOptions,
    report: Report,
) -> Adapted:
    """Everything between a folder with weights and another."""
    opened, data, batches = prepared.opened, prepared.data, prepared.batches
    head_curve = _train_head(opened, data, batches, work, options, report)
    is_settled = not head_curve or has_settled(head_curve, HEAD_PATIENCE, HEAD_LEAST_FALL)
    if "before" not in work.progress:
        before = _measure(opened, data, batches, options)
        report(f"before: held-out perplexity {before:.2f}")
        work.note(before=before)
    curve = _train_all(opened, data, batches, work, options, report)
    before, best = work.progress["before"], find_best(curve)
    spent = curve[-1].seconds + (head_curve[-1].seconds if head_curve else 0.0)
    if before < best.perplexity:
        report("No checkpoint is better than the encoder as it was: the best of them is kept.")
    found = Adapted(
        source=source,
        texts=data.n_texts,
        pieces=data.training.n_pieces,
        before=before,
        after=best.perplexity,
        fresh_head=opened.is_fresh,
        head_settled=is_settled,
        steps=best.step,
        seconds=spent,
        curve=[asdict(one) for one in curve],
        head_curve=[asdict(one) for one in head_curve],
        zero_shot=None,
        pairs_left_out=data.pairs_left_out,
        licence=find_licence(source, folder),
    )
    _save(opened, folder, work.out, found)
    return found


def _train_head(
    opened: Opened, data: Data, batches: Batches, work: Work, options: AdaptOptions, report: Report
) -> list[Evaluation]:
    """Train what is fresh alone, until the held-out perplexity stops falling."""
    if not (opened.is_fresh or options.next_sentence):
        return []
    per_epoch = _steps_per_epoch(data, batches)
    interval = math.ceil(max(per_epoch / 4, HEAD_LEAST_STEPS / HEAD_EVALUATIONS))
    minutes = math.inf if options.minutes is None else options.minutes
    course = Course(
        folder=work.folder / "head",
        rate=HEAD_RATE,
        max_steps=interval * HEAD_EVALUATIONS,
        interval=interval,
        patience=HEAD_PATIENCE,
        batch=batches.batch,
        accumulated=batches.accumulated,
        bfloat16=options.bfloat16,
        seed=options.seed,
        head_only=True,
        seconds=60 * HEAD_SHARE * minutes,
        least_fall=HEAD_LEAST_FALL,
    )
    curve = run_course(
        course, opened.model, data.training, data.held_out, opened.vocabulary, report
    )
    work.note(head_seconds=curve[-1].seconds)
    return curve


def _train_all(
    opened: Opened, data: Data, batches: Batches, work: Work, options: AdaptOptions, report: Report
) -> list[Evaluation]:
    if "steps" not in work.progress:
        work.note(steps=_choose_steps(opened, data, batches, work, options))
    steps = work.progress["steps"]
    outside = _measure_sizes(opened.model).outside
    course = Course(
        folder=work.folder / "all",
        rate=options.rate or choose_rate(outside),
        max_steps=steps,
        interval=min(steps, options.interval or math.ceil(steps / EVALUATIONS)),
        patience=options.patience,
        batch=batches.batch,
        accumulated=batches.accumulated,
        bfloat16=options.bfloat16,
        seed=options.seed,
        seconds=work.progress.get("seconds", math.inf),
    )
    if last := find_whole(course.folder):
        report(f"Going on from {last[-1]}")
    return run_course(course, opened.model, data.training, data.held_out, opened.vocabulary, report)


def _choose_steps(
    opened: Opened, data: Data, batches: Batches, work: Work, options: AdaptOptions
) -> int:
    """By epochs; fewer if there are minutes, by how long some steps take."""
    steps = max(1, round(options.epochs * _steps_per_epoch(data, batches)))
    if options.minutes is None:
        return steps
    seconds = 60 * options.minutes - work.progress.get("head_seconds", 0.0)
    work.note(seconds=max(1.0, seconds))
    of_evaluations = EVALUATIONS * _time(lambda: _measure(opened, data, batches, options))
    of_step = batches.accumulated * _time_steps(opened, data, batches, options)
    return max(1, min(steps, int((seconds - of_evaluations) / of_step)))


def _time_steps(opened: Opened, data: Data, batches: Batches, options: AdaptOptions) -> float:
    """Seconds of a batch, forward and back; the first one, which is slower, left out."""
    model = opened.model
    device = next(model.parameters()).device
    times = []
    for number in range(1 + TRIAL_STEPS):
        start = number * batches.batch
        numbers = [i % len(data.training) for i in range(start, start + batches.batch)]
        batch = make_batch(data.training, numbers, opened.vocabulary, (options.seed, 0))
        batch = {name: tensor.to(device) for name, tensor in batch.items()}
        times.append(_time(lambda batch=batch: _pass(model, batch, options.bfloat16)))
    model.zero_grad(set_to_none=True)
    return sum(times[1:]) / TRIAL_STEPS


def _pass(model: MaskedLanguageModel, batch: dict[str, torch.Tensor], bfloat16: bool) -> None:
    device = next(model.parameters()).device
    with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
        loss = model(**batch)["loss"]
    loss.backward()
    float(loss.detach())  # waits for a GPU, which works behind: the time is taken


def _time(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _measure(opened: Opened, data: Data, batches: Batches, options: AdaptOptions) -> float:
    held_out = held_out_batches(data.held_out, opened.vocabulary, batches.batch, options.seed)
    return measure_perplexity(opened.model, held_out, bfloat16=options.bfloat16)


def _steps_per_epoch(data: Data, batches: Batches) -> int:
    return math.ceil(math.ceil(len(data.training) / batches.batch) / batches.accumulated)


def _measure_sizes(model: MaskedLanguageModel) -> Sizes:
    encoder = model.masked_lm.base_model
    config = encoder.config
    parameters = sum(parameter.numel() for parameter in encoder.parameters())
    outside = parameters - find_embeddings(encoder).weight.numel()
    return Sizes(parameters, outside, config.num_hidden_layers, config.hidden_size, 0.0)


def _save(opened: Opened, folder: Path, out: Path, found: Adapted) -> None:
    """Write the result, and see that it loads as a source does."""
    masked_lm = opened.model.masked_lm
    masked_lm.to("cpu").save_pretrained(out)
    copy_tokenizer(folder, out, opened.checkpoint.tokenizer)
    write_card(folder, out, found)
    load_pretrained(out, None)
