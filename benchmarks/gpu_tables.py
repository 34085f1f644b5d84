"""Put what `make bench-gpu` measured into docs/gpu.md.

    python benchmarks/gpu_tables.py

Reads metrics/gpu.json and writes between the marks there. Without that file, or after a smoke test,
the page says that nothing is measured.
"""

from pathlib import Path
from typing import Any

from results_table import fill, read, table

PAGE = Path("docs/gpu.md")
NOT_MEASURED = "Not measured yet: no GPU has been at hand since this page was written."
HEADS = {"cpu": "CPU", "gpu": "GPU (CuPy)"}
PRECISIONS = {"fp32": "fp32", "bf16": "bfloat16"}
HEADER = ["encoder", "task heads on the", "precision"]
SPEED = ["training, words/s", "annotating, words/s", "GPU memory in training, MiB", "annotating"]
ALIKE = ["tags", "heads", "labels", "lemmas", "entities"]


def main() -> None:
    report = read("gpu.json")
    measured = report and not report["smoke"]
    fill(PAGE, "gpu", [describe(report)] if measured else [NOT_MEASURED])


def describe(report: dict[str, Any]) -> str:
    cases = report["cases"]
    done = [found for found in cases if "loss" in found]
    missing = [
        f"- {' · '.join(name_case(found))}: {found.get('left_out') or 'it failed'}"
        for found in cases
        if "loss" not in found
    ]
    if not done:
        return "\n\n".join(["No case could be measured:", "\n".join(missing)])
    parts = [
        describe_card(report, done),
        table([*HEADER, *SPEED], [[*name_case(found), *list_speeds(found)] for found in done]),
        describe_cpu(done),
        "Beside the CPU in fp32, with the same weights and texts: the share of words with the same "
        "annotation, and the largest difference of a number in a vector.",
        table(
            [*HEADER, *ALIKE, "vectors"],
            [[*name_case(found), *list_alike(found)] for found in done],
        ),
        "The loss of a word at the beginning and at the end of the training:",
        table(
            [*HEADER, "steps", "loss"], [[*name_case(found), *list_loss(found)] for found in done]
        ),
        *(["What is missing here:", "\n".join(missing)] if missing else []),
    ]
    return "\n\n".join(parts)


def name_case(found: dict[str, Any]) -> list[str]:
    return [found["encoder"], HEADS[found["heads"]], PRECISIONS[found["precision"]]]


def describe_card(report: dict[str, Any], done: list[dict[str, Any]]) -> str:
    card = next(found["card"] for found in done if "card" in found)
    versions = report["versions"]
    cupy = next((version for name, version in versions.items() if "cupy" in name), None)
    software = f"PyTorch {versions['torch']}, {f'CuPy {cupy}' if cupy else 'no CuPy'}"
    return (
        f"{card['name']} with {card['memory_mebibytes'] / 1024:.0f} GiB, driver {card['driver']}, "
        f"CUDA {card['cuda']}, {software}; {report['machine']['cores']} cores "
        f"({report['machine']['cpu']}). `make bench-gpu` took {report['seconds']} seconds."
    )


def list_speeds(found: dict[str, Any]) -> list[str]:
    training, inference = found["training"], found["inference"]
    memory = [sum(part.get("gpu_mebibytes", {}).values()) for part in (training, inference)]
    speeds = [part["words_per_second"] for part in (training, inference)]
    return [f"{number:,.0f}" for number in (*speeds, *memory)]


def describe_cpu(done: list[dict[str, Any]]) -> str:
    """How quick the CPU of the same machine is, by the first case of each encoder."""
    speeds = {found["encoder"]: found["alike"]["cpu_words_per_second"] for found in reversed(done)}
    named = ", ".join(f"{speed:,} words/s with {name}" for name, speed in reversed(speeds.items()))
    return f"PyTorch on the CPU of that machine annotates {named}, in fp32."


def list_alike(found: dict[str, Any]) -> list[str]:
    alike, vectors = found["alike"]["percent"], found["alike"]["vectors"]
    difference, largest = vectors["largest_difference"], vectors["largest_number"]
    return [*(f"{alike[name]:.2f} %" for name in ALIKE), f"{difference:.1e} of {largest:.1f}"]


def list_loss(found: dict[str, Any]) -> list[str]:
    loss = found["loss"]
    return [str(loss["steps"]), f"{loss['first']:.2f} → {loss['last']:.2f}"]


if __name__ == "__main__":
    main()
