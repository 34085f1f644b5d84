"""Train a model for natural language inference, for spacy-pretrained.EntailmentClassifier.v1.

    python scripts/train_nli.py DATA training/nli --minutes 120

DATA: A folder with the files that scripts/nli_sets.py names. Their licences differ (one is for
computational use only, others are share-alike): neither they nor the weights come with this
project.

The output is a Hugging Face folder whose config.json names its classes, to be given as `source`. It
is written at the end, with metrics.json: what was learnt from, what was dropped because its premise
is in SNLI's development or test set, and the accuracy on both of these.
"""

import json
import random
import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import torch
import typer
from nli_sets import CLASSES, SNLI_DEV, SNLI_TEST, Pair, read_set, read_training
from tokenizers import Tokenizer
from transformers import AutoModelForSequenceClassification, PreTrainedModel
from wasabi import msg

from spacy_pretrained.sources.find import find_source

WEIGHT_DECAY = 0.01
WARMUP_SHARE = 0.06
REPORT_EVERY = 100  # steps


@dataclass(frozen=True)
class Settings:
    steps: int  # 0: until the time is over
    minutes: float  # 0: until the steps are done
    batch_size: int
    learn_rate: float
    max_pieces: int  # of a pair; the premise is cut where it is longer
    bfloat16: bool
    seed: int


def main(
    data: Annotated[Path, typer.Argument(help="Folder with the sets of scripts/nli_sets.py")],
    output: Annotated[Path, typer.Argument(help="Folder to write")],
    encoder: Annotated[str, typer.Option(help="As for `source`")] = "minilm-l6",
    steps: Annotated[int, typer.Option(help="Batches; 0: as many as the time allows")] = 0,
    minutes: Annotated[float, typer.Option(help="Time to train; 0: until all steps are done")] = 0,
    batch_size: Annotated[int, typer.Option(help="Pairs in a batch")] = 32,
    learn_rate: Annotated[float, typer.Option(help="At its peak")] = 2e-4,
    max_pieces: Annotated[int, typer.Option(help="Wordpieces of a pair, at most")] = 128,
    bfloat16: Annotated[bool, typer.Option(help="Faster on CPUs that compute in it")] = False,
    seed: Annotated[int, typer.Option(help="Of all random numbers")] = 0,
) -> None:
    """Train a model for natural language inference."""
    if not (steps or minutes):
        msg.fail("Say how long to train: --steps or --minutes.", exits=1)
    settings = Settings(steps, minutes, batch_size, learn_rate, max_pieces, bfloat16, seed)
    try:
        source = find_source(encoder)
        pairs, counts = read_training(data)
        held_out = {s.title: read_set(data, s) for s in (SNLI_DEV, SNLI_TEST)}
    except (ValueError, OSError) as error:
        msg.fail(str(error), exits=1)
    rows = [(title, n.read, n.dropped, n.left) for title, n in counts.items()]
    msg.table(rows, header=("", "pairs", "dropped", "left"), aligns=list("lrrr"))
    torch.manual_seed(seed)
    module, tokenizer = load(source, max_pieces)
    spent = train(module, tokenizer, pairs, settings)
    accuracies = {title: find_accuracy(module, tokenizer, p) for title, p in held_out.items()}
    save(module, source, output)
    sets = {title: asdict(n) | {"left": n.left} for title, n in counts.items()}
    found = {"settings": asdict(settings), "sets": sets, **spent, "accuracy": accuracies}
    (output / "metrics.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf8")
    msg.good(f"Written to {output}: {accuracies}")


def load(source: Path, max_pieces: int) -> tuple[PreTrainedModel, Tokenizer]:
    """A classifier of pairs whose last layer is random, and the tokenizer, which cuts and pads."""
    names = dict(enumerate(CLASSES))
    module = AutoModelForSequenceClassification.from_pretrained(
        source, id2label=names, label2id={name: i for i, name in names.items()}
    )
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    tokenizer.enable_truncation(max_pieces, strategy="longest_first")
    tokenizer.enable_padding(pad_id=module.config.pad_token_id)
    return module.float(), tokenizer


def train(
    module: PreTrainedModel, tokenizer: Tokenizer, pairs: list[Pair], settings: Settings
) -> dict[str, float]:
    """Train until the steps are done or the time is over, whichever comes first. RETURNS: what that
    took.

    The learning rate rises over the first steps and then falls to 0, by the share of steps or of
    time that is used up.
    """
    optimizer = torch.optim.AdamW(module.parameters(), lr=0.0, weight_decay=WEIGHT_DECAY)
    start, step, total = time.monotonic(), 0, 0.0
    module.train()
    for batch in draw_batches(pairs, settings.batch_size, settings.seed):
        minutes = (time.monotonic() - start) / 60
        used = max(
            step / settings.steps if settings.steps else 0.0,
            minutes / settings.minutes if settings.minutes else 0.0,
        )
        if used >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = settings.learn_rate * find_share(used)
        with torch.autocast("cpu", torch.bfloat16, enabled=settings.bfloat16):
            logits = module(**encode(tokenizer, batch)).logits
        loss = find_loss(logits.float(), mark_possible(batch))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        step, total = step + 1, total + loss.item()
        if step % REPORT_EVERY == 0:
            msg.text(f"step {step}, {minutes:.1f} minutes: loss {total / REPORT_EVERY:.3f}")
            total = 0.0
    module.eval()
    minutes = (time.monotonic() - start) / 60
    return {
        "steps": step,
        "epochs": round(step * settings.batch_size / len(pairs), 2),
        "minutes": round(minutes, 1),
    }


def find_share(used: float) -> float:
    """Of the learning rate's peak, after a share of the training."""
    return min(used / WARMUP_SHARE, (1 - used) / (1 - WARMUP_SHARE))


def draw_batches(pairs: list[Pair], batch_size: int, seed: int) -> Iterator[list[Pair]]:
    """All pairs over and over, each time in another order; of 50 batches at once those of like
    length go together, so that little is padding."""
    rng = random.Random(seed)
    while True:
        order = rng.sample(pairs, len(pairs))
        for start in range(0, len(order), 50 * batch_size):
            block = sorted(order[start : start + 50 * batch_size], key=count_characters)
            batches = [block[i : i + batch_size] for i in range(0, len(block), batch_size)]
            yield from rng.sample(batches, len(batches))


def count_characters(pair: Pair) -> int:
    return len(pair.premise) + len(pair.hypothesis)


def encode(tokenizer: Tokenizer, pairs: list[Pair]) -> dict[str, torch.Tensor]:
    """Inputs (B, L) of a module, with the two sentences as its two segments."""
    encodings = tokenizer.encode_batch([(pair.premise, pair.hypothesis) for pair in pairs])
    return {
        "input_ids": stack([e.ids for e in encodings]),
        "token_type_ids": stack([e.type_ids for e in encodings]),
        "attention_mask": stack([e.attention_mask for e in encodings]),
    }


def stack(rows: list[list[int]]) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.long)


def mark_possible(pairs: list[Pair]) -> torch.Tensor:
    """Which classes (B, C) may hold of each pair, as far as its set says."""
    return torch.tensor([[name in pair.labels for name in CLASSES] for pair in pairs])


def find_loss(logits: torch.Tensor, possible: torch.Tensor) -> torch.Tensor:
    """Minus the mean logarithm of the probability that one of the possible classes holds. Where
    only one is possible, that is the cross-entropy."""
    all_classes = logits.logsumexp(dim=1)
    return (all_classes - logits.masked_fill(~possible, -torch.inf).logsumexp(dim=1)).mean()


@torch.inference_mode()
def find_accuracy(module: PreTrainedModel, tokenizer: Tokenizer, pairs: list[Pair]) -> float:
    """Percent of the pairs whose most probable class is right."""
    pairs = sorted(pairs, key=count_characters)
    n_right = 0
    for start in range(0, len(pairs), 64):
        batch = pairs[start : start + 64]
        best = module(**encode(tokenizer, batch)).logits.argmax(dim=1)
        n_right += sum(CLASSES[i] in pair.labels for i, pair in zip(best.tolist(), batch))
    return round(100 * n_right / len(pairs), 2)


def save(module: PreTrainedModel, source: Path, output: Path) -> None:
    """A folder in Hugging Face layout, with the files of the encoder's tokenizer."""
    output.mkdir(parents=True, exist_ok=True)
    module.save_pretrained(output)
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json"):
        if (source / name).exists():
            shutil.copy(source / name, output / name)


if __name__ == "__main__":
    typer.run(main)
