"""Pictures of how time and memory grow: drawn by benchmarks/speed_tables.py."""

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter

from spacy_pretrained.training.plot import COLORS, GREY

Pipelines = dict[str, dict[str, Any]]  # those of metrics/growth.json, by titles
Point = tuple[float, float]
CORES, DOCUMENTS, STREAM = "speed-cores.png", "speed-documents.png", "speed-stream.png"


def draw(pipelines: Pipelines, folder: Path) -> None:
    """Draw three pictures into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    colors = dict(zip(pipelines, COLORS))
    draw_speeds(pipelines, colors, folder / CORES)
    documents = {name: found["documents"] for name, found in pipelines.items()}
    curves = {
        "seconds": {name: read(rows, "characters", "seconds") for name, rows in documents.items()},
        "peak memory, MiB": {
            name: read(rows, "characters", "peak_mebibytes") for name, rows in documents.items()
        },
    }
    draw_curves(curves, colors, "characters of one Doc", folder / DOCUMENTS, log="seconds")
    streams = {name: found["stream"]["points"] for name, found in pipelines.items()}
    curves = {
        "words/s since the size before": {
            name: stretch_speeds(points) for name, points in streams.items()
        },
        "resident memory, MiB": {
            name: read(points, "megabytes", "mebibytes") for name, points in streams.items()
        },
    }
    draw_curves(curves, colors, "MB of text", folder / STREAM)


def read(rows: list[dict], x: str, y: str) -> list[Point]:
    """Rows without a figure are left out."""
    return [(row[x], row[y]) for row in rows if y in row]


def stretch_speeds(points: list[dict]) -> list[Point]:
    """Words a second of the stretch that ends at each size of a stream."""
    before = [{"words": 0, "seconds": 0.0}, *points]
    return [
        (one["megabytes"], (one["words"] - last["words"]) / (one["seconds"] - last["seconds"]))
        for last, one in zip(before, points)
    ]


def draw_speeds(pipelines: Pipelines, colors: dict[str, str], picture: Path) -> None:
    """Words a second as bars, with the rounds as dots."""
    figure, axes = plt.subplots(figsize=(7.5, 3.6), layout="constrained")
    width = 0.8 / len(pipelines)
    for number, (name, found) in enumerate(pipelines.items()):
        for place, row in enumerate(found["speed"]):
            x = place + (number - (len(pipelines) - 1) / 2) * width
            label = name if not place else None
            axes.bar(x, row["words_per_second"], 0.9 * width, color=colors[name], label=label)
            axes.plot([x] * len(row["rounds"]), row["rounds"], "o", color="black", markersize=2.5)
    rows = next(iter(pipelines.values()))["speed"]
    axes.set_xticks(range(len(rows)), [describe(row) for row in rows])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.set_title("words/s", loc="left", fontsize=10)
    finish(axes)
    save(figure, axes, picture)


def describe(row: dict) -> str:
    cores = "1 core" if row["cores"] == 1 else f"{row['cores']} cores"
    processes = "1 process" if row["processes"] == 1 else f"{row['processes']} processes"
    return f"{cores}, {processes}"


def draw_curves(
    panels: dict[str, dict[str, list[Point]]],
    colors: dict[str, str],
    x_title: str,
    picture: Path,
    *,
    log: str = "",
) -> None:
    """A panel for each measure, a curve for each pipeline.

    log: The measure whose axis is logarithmic, as the other axis always is.
    """
    figure, all_axes = plt.subplots(1, len(panels), figsize=(9, 3.6), layout="constrained")
    for axes, (title, curves) in zip(all_axes, panels.items()):
        for name, points in curves.items():
            xs, ys = zip(*points) if points else ((), ())
            axes.plot(xs, ys, "o-", color=colors[name], label=name, markersize=4)
        axes.set_xscale("log")
        if title == log:
            axes.set_yscale("log")
        else:
            axes.set_ylim(bottom=0)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
            axis.set_minor_formatter(NullFormatter())
        axes.set_xlabel(x_title)
        axes.set_title(title, loc="left", fontsize=10)
        finish(axes)
    save(figure, all_axes[0], picture)


def finish(axes: Axes) -> None:
    axes.grid(axis="y", color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    axes.tick_params(color=GREY, labelsize=9)


def save(figure: plt.Figure, axes: Axes, picture: Path) -> None:
    handles, labels = axes.get_legend_handles_labels()
    if len(labels) > 1:
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    figure.savefig(picture, dpi=130)
    plt.close(figure)
