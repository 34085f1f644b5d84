"""A picture of an adaptation: held-out perplexity against steps."""

from pathlib import Path

from ..training.plot import COLORS, GREY, import_figure
from .result import Adapted


def plot_curve(found: Adapted, picture: Path) -> None:
    """Write the picture. RAISES: ModuleNotFoundError without matplotlib."""
    figure = import_figure()(figsize=(9, 4.5))
    axes = figure.subplots()
    steps = [0, *(one["step"] for one in found.curve)]
    values = [found.before, *(one["perplexity"] for one in found.curve)]
    axes.plot(steps, values, "o-", color=COLORS[0], markersize=4)
    axes.axhline(found.before, color=GREY, linewidth=1, linestyle=(0, (4, 3)))
    axes.set_title(
        f"Held-out perplexity: {found.before:.1f} before, {found.after:.1f} after",
        loc="left",
        fontsize=11,
    )
    axes.set_xlabel("step")
    axes.set_ylim(bottom=0)
    axes.grid(axis="y", color="#dddddd", linewidth=0.7)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    figure.subplots_adjust(left=0.08, right=0.97, top=0.9, bottom=0.12)
    figure.savefig(picture, dpi=130)
