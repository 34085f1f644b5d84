"""Draw accuracy against texts a label, from what scripts/few_shot.py measured.

    python benchmarks/plot_few_shot.py metrics/textcat/few-shot.json docs/few-shot.png

A panel a set: the mean over the draws of texts, and their spread from the least to the best.
Without any text the labels' descriptions decide.
"""

import json
import math
from pathlib import Path
from typing import Annotated, Any

import matplotlib
import typer

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from spacy_pretrained.training.plot import COLORS, GREY, spread

COLUMNS = 4
MODES = {"frozen": COLORS[0], "fine-tuned": COLORS[1]}


def main(
    metrics: Annotated[Path, typer.Argument(help="JSON of scripts/few_shot.py")],
    picture: Annotated[Path, typer.Argument(help="PNG to write")],
) -> None:
    """Draw accuracy against texts a label."""
    sets = json.loads(metrics.read_text("utf8"))
    picture.parent.mkdir(parents=True, exist_ok=True)
    draw(sets, picture)


def draw(sets: dict[str, Any], picture: Path) -> None:
    n_rows = -(-(len(sets) + 1) // COLUMNS)  # the last panel is the legend's
    size = (3.4 * COLUMNS, 3.1 * n_rows)
    figure, grid = plt.subplots(n_rows, COLUMNS, figsize=size, squeeze=False, sharey=True)
    panels = list(grid.flat)
    for axes, found in zip(panels, sets.values()):
        draw_set(axes, found)
    for axes in panels[len(sets) :]:
        axes.axis("off")
    draw_legend(
        panels[-1], [m for m in MODES if any(m in found["summary"] for found in sets.values())]
    )
    figure.tight_layout(w_pad=2.5, h_pad=2)
    figure.savefig(picture, dpi=130)
    plt.close(figure)


def draw_set(axes: Axes, found: dict[str, Any]) -> None:
    n_labels = found["labels"]
    axes.set_title(f"{found['title']} · {n_labels} labels", loc="left", fontsize=10)
    curves = {mode: curve_of(found["summary"], mode) for mode in MODES if mode in found["summary"]}
    for mode, curve in curves.items():
        xs = [place(size) for size in curve]
        means, least, best = (
            [point[key] for point in curve.values()] for key in ("accuracy", "least", "best")
        )
        axes.fill_between(xs, least, best, color=MODES[mode], alpha=0.18, linewidth=0)
        axes.plot(xs, means, "o-", color=MODES[mode], linewidth=1.6, markersize=4)
    sizes = sorted({size for curve in curves.values() for size in curve})
    axes.set_xticks([place(size) for size in sizes], [f"{size}" for size in sizes])
    axes.grid(axis="y", color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(color=GREY, labelleft=True, labelsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    axes.set_ylim(40, 100)
    label_ends(axes, curves)


def curve_of(summary: dict[str, Any], mode: str) -> dict[int, dict[str, float]]:
    """Texts a label to scores, in order. Without any text both modes are one: nothing is learnt."""
    points = {int(size): point for size, point in summary[mode].items()}
    start = next((modes["0"] for modes in summary.values() if "0" in modes), None)
    return dict(sorted(((points | {0: start}) if start else points).items()))


def place(texts_a_label: int) -> float:
    """On the axis of a logarithm that has room for 0."""
    return math.log2(1 + texts_a_label)


def label_ends(axes: Axes, curves: dict[str, dict[int, dict[str, float]]]) -> None:
    """The last mean of each curve: beside its end, apart where two would overlap, or above a curve
    that ends early."""
    ends = [list(curve.items())[-1] for curve in curves.values()]
    last = max(size for size, _ in ends)
    beside = spread([p["accuracy"] for size, p in ends if size == last], gap=6, top=99)
    for mode, (size, point) in zip(curves, ends):
        is_last = size == last
        axes.annotate(
            f"{point['accuracy']:.1f}",
            xy=(place(size), beside.pop(0) if is_last else point["accuracy"]),
            xytext=(7, 0) if is_last else (0, 9),
            textcoords="offset points",
            ha="left" if is_last else "center",
            va="center",
            color=MODES[mode],
            fontsize=9,
        )


def draw_legend(axes: Axes, modes: list[str]) -> None:
    """In shares of the panel, whose axes are those of the others."""
    lines = [(f"encoder {mode}", MODES[mode]) for mode in modes]
    lines += [(line, GREY) for line in ("across: texts a label", "upwards: accuracy, %")]
    lines += [("bands: from the least to the best of 5 draws", GREY)]
    for i, (line, color) in enumerate(lines):
        axes.text(0.05, 0.85 - 0.12 * i, line, color=color, transform=axes.transAxes, va="center")


if __name__ == "__main__":
    typer.run(main)
