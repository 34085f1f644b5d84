"""A picture of a benchmark: words a second and peak memory, against the length of texts."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from ..training.plot import COLORS, GREY, check_picture, import_figure
from .benchmark import Results
from .cases import Measurement

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKERS = "os^Dv"  # of batch sizes
GIGABYTE = 1e9


def plot_benchmark(results: Results, picture: str | Path) -> None:
    """Write PNG, or what else the picture's suffix says.

    RAISES: ValueError for a suffix that matplotlib does not know, or none; ModuleNotFoundError
        without matplotlib.
    """
    picture = Path(picture)
    check_picture(picture)
    figure = import_figure()(figsize=(13, 5))
    left, right = figure.subplots(1, 2)
    for number, (name, curve) in enumerate(make_curves(results.measurements).items()):
        style = {
            "color": COLORS[number % len(COLORS)],
            "marker": MARKERS[number // len(COLORS) % len(MARKERS)],
            "label": name,
        }
        lengths = [one.words_a_text for one in curve]
        left.plot(lengths, [one.words_per_second for one in curve], **style)
        right.plot(lengths, [one.peak_bytes / GIGABYTE for one in curve], **style)
    draw_axes(left, "Words a second", is_log=True)
    draw_axes(right, "Peak memory of the process, GB", is_log=False)
    figure.subplots_adjust(left=0.06, right=0.72, top=0.92, bottom=0.12, wspace=0.2)
    right.legend(loc="upper left", bbox_to_anchor=(1.02, 1), frameon=False, fontsize=9)
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, dpi=130)


def make_curves(measurements: list[Measurement]) -> dict[str, list[Measurement]]:
    """By what is measured, shortest texts first. A batch is named where there are several."""
    names = shorten({one.source for one in measurements})
    several = len({one.words_a_batch for one in measurements}) > 1
    curves: dict[str, list[Measurement]] = {}
    for one in sorted(measurements, key=lambda one: one.words_a_text):
        name = f"{names[one.source]}: {one.task}, {one.precision} on {one.engine}"
        name += f", batches of {one.words_a_batch:,} words" if several else ""
        curves.setdefault(name, []).append(one)
    return curves


def shorten(sources: set[str]) -> dict[str, str]:
    """The last part of each path; the whole of those that end alike."""
    count = Counter(Path(source).name for source in sources)
    return {s: Path(s).name if count[Path(s).name] == 1 else s for s in sources}


def draw_axes(axes: "Axes", title: str, *, is_log: bool) -> None:
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_xscale("log", base=2)
    axes.set_xlabel("words a text")
    lengths = sorted({x for line in axes.lines for x in line.get_xdata()})
    axes.set_xticks(lengths, [f"{length:,}" for length in lengths])
    if is_log:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    axes.grid(axis="y", color="#dddddd", linewidth=0.7)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
