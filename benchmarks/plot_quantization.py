"""Accuracy against speed of a pipeline's kinds: drawn by benchmarks/quantization_tables.py."""

from dataclasses import dataclass
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from spacy_pretrained.training.plot import COLORS, GREY


@dataclass(frozen=True)
class Kind:
    title: str
    words_per_second: float
    of_ceiling: float | None  # of the words a second of the backbone alone
    scores: dict[str, float]  # percent


def shared_scores(kinds: list[Kind]) -> list[str]:
    """Names of the scores that all have."""
    return [name for name in kinds[0].scores if all(name in kind.scores for kind in kinds)]


def draw(kinds: list[Kind], picture: Path) -> None:
    """One panel a score, one point a kind."""
    names = shared_scores(kinds)
    figure, panels = plt.subplots(1, len(names), figsize=(4.4 * len(names), 3.8), squeeze=False)
    for axes, name in zip(panels[0], names):
        draw_panel(axes, kinds, name)
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=len(kinds), frameon=False)
    figure.tight_layout(rect=(0, 0.08, 1, 1))
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, dpi=130)
    plt.close(figure)


def draw_panel(axes: Axes, kinds: list[Kind], name: str) -> None:
    for kind, color in zip(kinds, COLORS):
        point = (kind.words_per_second, kind.scores[name])
        axes.plot(*point, "o", color=color, markersize=9, label=kind.title)
    values = [kind.scores[name] for kind in kinds]
    middle = (min(values) + max(values)) / 2
    # At least a point on either side: less than that would make chance look like a loss.
    half = max(1.0, max(values) - min(values))
    axes.set_ylim(middle - half, middle + half)
    axes.set_xlim(0, 1.12 * max(kind.words_per_second for kind in kinds))
    axes.xaxis.set_major_locator(MaxNLocator(4))  # numbers of five digits stand side by side
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_title(f"{name}, %", loc="left", fontsize=11)
    axes.set_xlabel("words/s")
    axes.grid(axis="y", color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    axes.tick_params(color=GREY)
