"""The loop, which is that of transformers' Trainer: what is ours is the loss, the held-out
perplexity, and which checkpoints stay."""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from transformers import Trainer, TrainerCallback, TrainingArguments

from ..backends.torch_safetensors import dump
from ..backends.torch_warnings import without_warnings
from .blocks import Blocks
from .checkpoints import find_whole, keep_only, mark_whole
from .errors import Errors
from .masking import Vocabulary
from .torch_data import MaskedBlocks, held_out_batches
from .torch_model import MaskedLanguageModel
from .torch_perplexity import measure_perplexity

WEIGHTS = "model.safetensors"
STATE = "trainer_state.json"  # of transformers; has the log of all evaluations
PERPLEXITY = "eval_perplexity"
WARMUP = 0.06  # of the steps, as RoBERTa has it
WEIGHT_DECAY = 0.01

Report = Callable[[str], None]


@dataclass(frozen=True)
class Course:
    """A training: of the head alone, or of everything."""

    folder: Path  # of its checkpoints
    rate: float  # the highest learning rate
    max_steps: int
    interval: int  # steps between two evaluations, each with a checkpoint
    patience: int  # evaluations that are not lower by `least_fall`, after which it ends
    batch: int  # blocks that are computed at once
    accumulated: int  # of these batches, in a step
    bfloat16: bool
    seed: int
    head_only: bool = False
    seconds: float = math.inf  # after which it ends
    least_fall: float = 0.0  # of the perplexity, as a share of the best one before


@dataclass(frozen=True)
class Evaluation:
    step: int
    perplexity: float
    seconds: float  # since the beginning, those of earlier processes included


class MaskedTrainer(Trainer):
    """A Trainer that measures perplexity, and has no pickles of weights."""

    def __init__(self, course: Course, held_out: Blocks, vocabulary: Vocabulary, **arguments: Any):
        super().__init__(**arguments)
        self.course, self.held_out, self.vocabulary = course, held_out, vocabulary
        self.before, self.start = 0.0, time.perf_counter()

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        seed = self.course.seed
        batches = held_out_batches(self.held_out, self.vocabulary, self.course.batch, seed)
        found = measure_perplexity(self.model, batches, bfloat16=self.course.bfloat16)
        if not math.isfinite(found):
            known = {"perplexity": found, "step": self.state.global_step}
            raise ValueError(Errors.DIVERGED.format(folder=self.course.folder.parent, **known))
        metrics = {PERPLEXITY: found, "eval_seconds": self.before + self.seconds}
        self.log(dict(metrics))
        control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        self.control = control
        return metrics

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.start

    def _save(self, output_dir: str | None = None, state_dict: dict | None = None) -> None:
        folder = Path(output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / WEIGHTS).write_bytes(dump(own_tensors(self.model)))

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        load_tensors(self.model, Path(resume_from_checkpoint))


class Keeper(TrainerCallback):
    """Ends a training in time, and keeps its last and its best checkpoint."""

    def __init__(self, course: Course, data: MaskedBlocks, updates: int, report: Report):
        self._course, self._data, self._updates, self._report = course, data, updates, report
        self.trainer: MaskedTrainer | None = None

    def on_train_begin(self, args, state, control, **kwargs):
        curve = read_curve(state.log_history)
        self.trainer.before = curve[-1].seconds if curve else 0.0
        self.trainer.start = time.perf_counter()

    def on_epoch_begin(self, args, state, control, **kwargs):
        self._data.epoch = state.global_step // self._updates

    def on_step_end(self, args, state, control, **kwargs):
        is_late = self.trainer.before + self.trainer.seconds > self._course.seconds
        if is_late or state.global_step >= self._course.max_steps:
            control.should_evaluate = control.should_save = control.should_training_stop = True

    def on_evaluate(self, args, state, control, **kwargs):
        curve = read_curve(state.log_history)
        what = "head alone, step" if self._course.head_only else "step"
        steps = f"{state.global_step:,} of {self._course.max_steps:,}"
        self._report(f"{what} {steps}: held-out perplexity {curve[-1].perplexity:.2f}")
        if _is_over(curve, self._course):
            control.should_training_stop = True

    def on_save(self, args, state, control, **kwargs):
        mark_whole(self._course.folder / f"checkpoint-{state.global_step}")
        best = find_best(read_curve(state.log_history))
        keep_only(self._course.folder, {state.global_step, best.step})


def run_course(
    course: Course,
    model: MaskedLanguageModel,
    training: Blocks,
    held_out: Blocks,
    vocabulary: Vocabulary,
    report: Report,
) -> list[Evaluation]:
    """Train, or go on from the last checkpoint. Afterwards the model has the weights with the
    lowest perplexity.

    RETURNS: All evaluations.
    """
    last = find_whole(course.folder)[-1:]
    curve = _read_state(last[0]) if last else []
    if _is_over(curve, course):  # it was stopped between its end and what comes behind it
        load_tensors(model, course.folder / f"checkpoint-{find_best(curve).step}")
        return curve
    keep_only(course.folder, {curve[-1].step, find_best(curve).step} if curve else set())
    model.freeze_encoder(course.head_only)
    data = MaskedBlocks(training, vocabulary, course.seed)
    updates = math.ceil(math.ceil(len(data) / course.batch) / course.accumulated)
    keeper = Keeper(course, data, updates, report)
    with without_warnings():
        trainer = MaskedTrainer(
            course,
            held_out,
            vocabulary,
            model=model,
            args=_arguments(course),
            train_dataset=data,
            eval_dataset=data,  # is not read: `evaluate` has its own
            data_collator=data.collate,
            callbacks=[keeper],
        )
        _remove_printers(trainer)
        keeper.trainer = trainer
        trainer.train(resume_from_checkpoint=str(last[0]) if last else None)
    curve = read_curve(trainer.state.log_history)
    load_tensors(model, course.folder / f"checkpoint-{find_best(curve).step}")
    model.freeze_encoder(False)
    return curve


def find_device() -> torch.device:
    """A GPU where there is one, as the Trainer does it."""
    if torch.cuda.is_available():
        return torch.device("cuda", 0)
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def read_curve(log: list[dict[str, Any]]) -> list[Evaluation]:
    """The evaluations of a log, as transformers has it."""
    return [
        Evaluation(line["step"], line[PERPLEXITY], line["eval_seconds"])
        for line in log
        if PERPLEXITY in line
    ]


def find_best(curve: list[Evaluation]) -> Evaluation:
    return min(curve, key=lambda one: (one.perplexity, one.step))


def own_tensors(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """All parameters and buffers, each once: the head shares a table with the encoder."""
    saved = model.state_dict()
    names = {name for name, _ in model.named_parameters()}  # without second names
    names |= {name for name, _ in model.named_buffers()}
    return {name: tensor for name, tensor in saved.items() if name in names}


def load_tensors(model: torch.nn.Module, checkpoint: Path) -> None:
    """The inverse of what a checkpoint's weights were made by."""
    model.load_state_dict(safetensors.torch.load_file(checkpoint / WEIGHTS), strict=False)


def has_settled(curve: list[Evaluation], patience: int, least_fall: float) -> bool:
    """Whether the last evaluations, as many as `patience` says, are not lower any more."""
    best, waited = math.inf, 0
    for one in curve:
        waited = 0 if one.perplexity < best * (1 - least_fall) else waited + 1
        best = min(best, one.perplexity)
    return waited >= patience


def _is_over(curve: list[Evaluation], course: Course) -> bool:
    if not curve:
        return False
    is_settled = has_settled(curve, course.patience, course.least_fall)
    is_late = curve[-1].seconds >= course.seconds
    return is_settled or is_late or curve[-1].step >= course.max_steps


def _read_state(checkpoint: Path) -> list[Evaluation]:
    return read_curve(json.loads((checkpoint / STATE).read_text("utf8"))["log_history"])


def _remove_printers(trainer: Trainer) -> None:
    """transformers prints a dict for each evaluation; we report a line."""
    for callback in list(trainer.callback_handler.callbacks):
        if type(callback).__name__ in ("PrinterCallback", "ProgressCallback"):
            trainer.remove_callback(callback)


def _arguments(course: Course) -> TrainingArguments:
    arguments = TrainingArguments(
        output_dir=str(course.folder),
        report_to="none",
        disable_tqdm=True,
        max_steps=course.max_steps,
        per_device_train_batch_size=course.batch,
        gradient_accumulation_steps=course.accumulated,
        learning_rate=course.rate,
        lr_scheduler_type="linear",
        warmup_steps=max(1, round(WARMUP * course.max_steps)),
        weight_decay=WEIGHT_DECAY,
        bf16=course.bfloat16,
        eval_strategy="steps",
        eval_steps=course.interval,
        save_strategy="steps",
        save_steps=course.interval,
        logging_strategy="no",
        logging_nan_inf_filter=False,
        seed=course.seed,
        remove_unused_columns=False,
        dataloader_pin_memory=torch.cuda.is_available(),
        use_cpu=find_device().type == "cpu",
    )
    arguments._n_gpu = min(1, arguments.n_gpu)  # more would split what the head is to run on
    return arguments
