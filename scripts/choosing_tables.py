"""Write the tables and the answers of docs/choosing.md from the catalogue.

    python scripts/choosing_tables.py

They stand between `<!-- made: NAME -->` and `<!-- end -->`. An answer is what the command above it
prints first.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from textwrap import fill as fill_lines

from spacy_pretrained.benchmarking.cases import TRAINING
from spacy_pretrained.checkpoints.catalogue import CATALOGUE
from spacy_pretrained.choosing.explain import explain
from spacy_pretrained.choosing.memory import (
    GIGABYTE,
    PIECES_PER_WORD,
    Memory,
    estimate_inference,
    estimate_training,
)
from spacy_pretrained.choosing.plan import BATCH_WORDS
from spacy_pretrained.choosing.query import DOMAINS, ELSEWHERE, SPEEDS, Query, read_memory
from spacy_pretrained.choosing.recommend import recommend
from spacy_pretrained.choosing.sizes import find_sizes

PAGE = Path(__file__).parents[1] / "docs" / "choosing.md"
MEASURED = PAGE.parents[1] / "metrics" / "memory-estimates.json"
SPEEDS_MEASURED = PAGE.parents[1] / "metrics" / "encoders.json"
MADE = re.compile(r"(<!-- made: ([\w-]+) -->\n).*?(<!-- end -->)", re.S)
LINE = 105  # characters
LANGUAGES = {
    "en": "English",
    "de": "German",
    "es": "Spanish",
    "fr": "French",
    "nl": "Dutch",
    "ca": "Catalan",
    "zh": "Chinese",
    "xx": "many, or another",
}
TASKS = ("tagging", "parsing", "ner", "textcat", "zero-shot", "similarity")
EXAMPLES = (
    "minilm-l6",
    "electra-small-discriminator",
    "all-minilm-l12-v2",
    "distilbert-base-uncased",
    "bert-base-cased",
    "roberta-base",
    "deberta-v3-base",
    "multilingual-e5-small",
    "xlm-roberta-base",
    "roberta-large",
    "xlm-roberta-large",
)
# The cases of the page: options of `recommend`.
CASES = {
    "sentiment": {"task": "textcat", "memory": "8GB", "examples": 50_000},
    "spanish": {"task": "ner", "lang": "es", "speed": "fast"},
    "rare": {"task": "textcat", "examples": 300},
    "parsing": {"task": "parsing", "lang": "xx", "device": "cuda"},
}


def main() -> None:
    PAGE.write_text(fill(PAGE.read_text("utf8")), encoding="utf8")
    print(f"Written to {PAGE}")


def fill(text: str) -> str:
    """The page with all that is made, made anew."""
    return MADE.sub(lambda match: match[1] + make(match[2]) + match[3], text)


def make(name: str) -> str:
    if name in CASES:
        return answer(CASES[name])
    if name in ELSEWHERE:
        return as_block(ELSEWHERE[name])
    return TABLES[name]()


def answer(options: dict) -> str:
    memory = options.get("memory")
    query = Query(**options | {"memory": memory and read_memory(memory)})
    found = recommend(query)
    others = ", ".join(one.name for one in found[1:])
    return as_block([f"1. {found[0].name}", *explain(found[0]), f"Then: {others}."])


def as_block(lines: list[str] | tuple[str, ...]) -> str:
    return "```text\n" + "".join(f"{line}\n" for line in lines) + "```\n"


def by_task() -> str:
    """First choices for English on a CPU."""
    rows = [[task, *(first(Query(task, speed=speed)) for speed in SPEEDS)] for task in TASKS]
    return as_table(["task", *SPEEDS], rows)


def by_language() -> str:
    """First choices for entities on a CPU."""
    rows = [
        [f"{name} (`{lang}`)", *(first(Query("ner", lang, speed=speed)) for speed in SPEEDS)]
        for lang, name in LANGUAGES.items()
    ]
    return as_table(["language", *SPEEDS], rows)


def by_domain() -> str:
    """Encoders of a domain, whatever the task."""
    rows = [
        [
            domain,
            ", ".join(
                f"`{name}`" for name, entry in CATALOGUE.items() if entry["domain"] == domain
            ),
        ]
        for domain in DOMAINS
    ]
    return as_table(["domain", "encoders"], rows)


def by_memory() -> str:
    pieces = round(BATCH_WORDS * PIECES_PER_WORD)
    rows = []
    for name in EXAMPLES:
        sizes = find_sizes(CATALOGUE[name])
        computed = CATALOGUE[name]["computed"]
        rows.append(
            [
                f"`{name}`",
                f"{sizes.parameters / 1e6:,.0f} M",
                f"{sizes.relative_cost:.2f}",
                in_gigabytes(estimate_training(sizes, pieces)),
                in_gigabytes(estimate_training(sizes, pieces, bfloat16=True)),
                in_gigabytes(estimate_training(sizes, pieces, frozen=True)),
                in_gigabytes(estimate_inference(sizes, int8=True)),
                f"{computed['fp32_mb']:,.0f}",
                f"{computed['int8_mb']:,.0f}",
            ]
        )
    header = ["encoder", "size", "cost", "training", "in bfloat16", "frozen", "running in INT8"]
    return as_table([*header, "MB, fp32", "MB, INT8"], rows)


def first(query: Query) -> str:
    return f"`{recommend(query)[0].name}`"


def in_gigabytes(memory: Memory) -> str:
    return f"{memory.peak / GIGABYTE:.1f}"


def as_table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def by_measurement() -> str:
    """What `recommend` says of memory, beside what was measured."""
    rows = []
    for one in json.loads(MEASURED.read_text("utf8"))["rows"]:
        rows.append(
            [
                f"`{one['name']}`",
                one["task"] if one["task"] == TRAINING else f"{one['task']}, {one['precision']}",
                f"{one['words_a_batch']:,}",
                f"{one['peak_bytes'] / GIGABYTE:.2f}",
                f"{one['estimated_bytes'] / GIGABYTE:.2f}",
                f"{one['ratio']:.2f}",
            ]
        )
    header = ["encoder", "", "words a batch", "measured, GB", "estimated, GB", "ratio"]
    return as_table(header, rows)


def by_speed() -> str:
    """What `benchmark` measured of two encoders in one run; nothing before that."""
    if not SPEEDS_MEASURED.is_file():
        return ""
    report = json.loads(SPEEDS_MEASURED.read_text("utf8"))
    machine, found = report["machine"], report["measurements"]
    names = list(dict.fromkeys(Path(one["source"]).name for one in found))
    ways: dict[str, dict[str, dict]] = {}
    for one in found:
        way = f"{one['task']}, {one['precision']} on {one['engine']}"
        ways.setdefault(way, {})[Path(one["source"]).name] = one
    rows = []
    for way, by_name in ways.items():
        small, base = (by_name[name] for name in names)
        speeds = [one["words_per_second"] for one in (small, base)]
        peaks = [f"{one['peak_bytes'] / GIGABYTE:.2f}" for one in (small, base)]
        rows.append([way, *(f"{speed:,.0f}" for speed in speeds), f"{speeds[0] / speeds[1]:.1f}"])
        rows[-1] += peaks
    small, base = (f"`{name}`" for name in names)
    header = [f"{small}, words/s", f"{base}, words/s", "ratio", f"{small}, GB", f"{base}, GB"]
    costs = [CATALOGUE[name]["computed"]["relative_cost"] for name in names]
    about = (
        f"How fast the two are on {machine['cores']} cores of an {machine['cpu']}, on texts of "
        f"{found[0]['words_a_text']} words in batches of {found[0]['words_a_batch']:,} (`make "
        f"bench-encoders`). By their costs the ratio would be {costs[1] / costs[0]:.0f}:"
    )
    return f"\n{fill_lines(about, LINE)}\n\n{as_table(['', *header], rows)}"


TABLES: dict[str, Callable[[], str]] = {
    "by-task": by_task,
    "by-language": by_language,
    "by-domain": by_domain,
    "by-memory": by_memory,
    "by-measurement": by_measurement,
    "by-speed": by_speed,
}


if __name__ == "__main__":
    main()
