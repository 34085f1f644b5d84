"""Draw accuracy against epochs, from what benchmarks/long_documents.py measured.

    python benchmarks/plot_long_documents.py metrics/long-documents.json docs/long-documents.png

Left the development set during the training: the mean over the seeds, and their spread from the
least to the best. Right the test set at the end: the mean, and each seed.
"""

import json
from pathlib import Path
from statistics import mean
from typing import Annotated, Any

import matplotlib
import typer

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from spacy_pretrained.training.plot import COLORS, GREY


def main(
    metrics: Annotated[Path, typer.Argument(help="JSON of benchmarks/long_documents.py")],
    picture: Annotated[Path, typer.Argument(help="PNG to write")],
) -> None:
    """Draw accuracy against epochs."""
    runs = json.loads(metrics.read_text("utf8"))["runs"]
    picture.parent.mkdir(parents=True, exist_ok=True)
    draw({name: list(found.values()) for name, found in runs.items() if found}, picture)


def draw(runs: dict[str, list[dict[str, Any]]], picture: Path) -> None:
    """runs: The results of the seeds of each encoder."""
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(11, 4.2), sharey=True, width_ratios=(1.1, 1), layout="constrained"
    )
    colors = dict(zip(runs, COLORS))
    for name, results in runs.items():
        draw_curve(left, results, colors[name])
    left.set_xscale("log", base=2)
    left.set_xticks([1, 2, 3, 6, 12], ["1", "2", "3", "6", "12"])
    left.set_title("Development set, after epochs", loc="left", fontsize=10)
    left.set_ylabel("accuracy, %")
    order = sorted(runs, key=lambda name: mean(result["test"] for result in runs[name]))
    for place, name in enumerate(order):
        draw_bar(right, place, [result["test"] for result in runs[name]], colors[name])
    right.set_xticks([])
    right.set_xlim(-0.6, len(order) - 0.4)
    right.set_title("Test set, at the end", loc="left", fontsize=10)
    for axes in (left, right):
        axes.grid(axis="y", color="#dddddd", linewidth=0.7)
        axes.set_axisbelow(True)
        axes.tick_params(color=GREY, labelleft=True, labelsize=9)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(GREY)
    left.set_ylim(45, 101)
    handles = [plt.Line2D([], [], color=colors[name], linewidth=2.5) for name in reversed(order)]
    names = list(reversed(order))
    figure.legend(handles, names, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    figure.savefig(picture, dpi=130)
    plt.close(figure)


def draw_curve(axes: Axes, results: list[dict[str, Any]], color: str) -> None:
    epochs = [epoch for epoch, _ in results[0]["dev"]]
    columns = list(zip(*([score for _, score in result["dev"]] for result in results)))
    least, best = [min(column) for column in columns], [max(column) for column in columns]
    axes.fill_between(epochs, least, best, color=color, alpha=0.15, linewidth=0)
    axes.plot(epochs, list(map(mean, columns)), "o-", color=color, linewidth=1.6, markersize=3.5)


def draw_bar(axes: Axes, place: int, scores: list[float], color: str) -> None:
    """The mean as a bar from an even chance, and each seed as a dot."""
    axes.bar(place, mean(scores) - 50, bottom=50, width=0.7, color=color, alpha=0.35)
    axes.plot([place] * len(scores), scores, "o", color=color, markersize=4)
    top = max(scores)
    axes.annotate(
        f"{mean(scores):.1f}",
        xy=(place, top),
        xytext=(0, 7),
        textcoords="offset points",
        ha="center",
        color=color,
        fontsize=9,
    )


if __name__ == "__main__":
    typer.run(main)
