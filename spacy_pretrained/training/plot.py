"""Draw the curves of a training run from the log of spacy-pretrained.TrainingLogger.v1.

Left the scores on the development set, right the loss of every component, both against steps. The
best step is the one that `spacy train` keeps as model-best.
"""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from .errors import Errors

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# spaCy's scores worth a curve, and their labels.
SCORES = {
    "pos_acc": "UPOS",
    "tag_acc": "XPOS",
    "morph_acc": "FEATS",
    "lemma_acc": "Lemmas",
    "sents_f": "Sentences F",
    "dep_uas": "UAS",
    "dep_las": "LAS",
    "ents_f": "Entities F",
    "spans_sc_f": "Spans F",
    "cats_score": "Categories",
}
# Okabe and Ito's palette, told apart by colour-blind eyes; yellow is too light for lines.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#555555")
GREY = "#888888"
# What a line of the log has. That of spaCy's own console logger has less.
LOGGED = {"step", "epoch", "words", "seconds", "words_per_second", "score", "scores", "losses"}
Curve = list[tuple[int, float]]  # (step, value)


def plot_training(log: str | Path, picture: str | Path) -> None:
    """Draw a log, a JSON object a line, as a picture: PNG, or what else its suffix says.

    RAISES: ValueError if there is no such log, or it has no evaluations, or if the picture has no
        suffix or one that matplotlib does not know; ModuleNotFoundError without matplotlib.
    """
    lines = read_log(Path(log))
    picture = Path(picture)
    check_picture(picture)
    picture.parent.mkdir(parents=True, exist_ok=True)
    draw(lines, picture)


def check_picture(picture: Path) -> None:
    """RAISES: ValueError if a picture has no suffix, or one that matplotlib does not know;
    ModuleNotFoundError without matplotlib."""
    if not picture.suffix:  # matplotlib would add one
        raise ValueError(Errors.PLOT_SUFFIX.format(picture=picture))
    known = import_figure()().canvas.get_supported_filetypes()
    if picture.suffix[1:].lower() not in known:
        raise ValueError(Errors.PLOT_FORMAT.format(picture=picture, suffix=picture.suffix))


def read_log(path: Path) -> list[dict[str, Any]]:
    if path.is_dir():
        raise ValueError(Errors.PLOT_FOLDER.format(path=path))
    if not path.exists():
        raise ValueError(Errors.PLOT_MISSING.format(path=path))
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf8").splitlines()]
        is_log = all(line.keys() >= LOGGED and isinstance(line["step"], int) for line in lines)
    except (ValueError, AttributeError):  # no text, no JSON, or no objects
        is_log = False
    if not is_log:
        raise ValueError(Errors.PLOT_NO_LOG.format(path=path))
    if not lines:
        raise ValueError(Errors.PLOT_EMPTY.format(path=path))
    return lines


def draw(lines: list[dict[str, Any]], picture: Path) -> None:
    figure_class = import_figure()
    from matplotlib.ticker import FuncFormatter

    best = max(lines, key=lambda line: (line["score"] or 0, -line["step"]))["step"]
    figure = figure_class(figsize=(14, 5))
    left, right = figure.subplots(1, 2, width_ratios=(1.2, 1))
    scores = score_curves(lines)
    losses = loss_curves(lines)
    left.set_ylim(*score_limits(scores))
    right.set_yscale("log")
    draw_panel(left, "Scores on the development set, % (labels: at the best step)", scores, best)
    draw_panel(right, "Mean loss of a step", losses, best)
    right.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    right.yaxis.set_minor_formatter(FuncFormatter(in_short_range(right)))
    # The labels behind the curves' ends stand in the room between and beside the panels.
    figure.subplots_adjust(left=0.04, right=0.85, top=0.84, bottom=0.12, wspace=0.48)
    figure.text(0.04, 0.94, summary(lines, best), color=GREY, fontsize=10)
    for axes, curves, form in ((left, scores, "{} {:.1f}"), (right, losses, "{} {:,.0f}")):
        label_ends(axes, curves, best, form)
    figure.savefig(picture, dpi=130)


def import_figure() -> type:
    """matplotlib's `Figure`, which draws into files without a window or global state."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(Errors.PLOT_NO_MATPLOTLIB, name=error.name) from error
    return Figure


def score_curves(lines: list[dict]) -> dict[str, Curve]:
    curves = {}
    for key, label in SCORES.items():
        curve = [
            (line["step"], 100 * line["scores"][key])
            for line in lines
            if line["scores"].get(key) is not None
        ]
        if any(value > 0 for _, value in curve):
            curves[label] = curve
    return curves


def loss_curves(lines: list[dict]) -> dict[str, Curve]:
    """Losses are logged as sums over the steps since the last evaluation."""
    curves: dict[str, Curve] = {}
    last_step = -1
    for line in lines:
        for component, loss in line["losses"].items():
            if loss > 0:
                mean = loss / (line["step"] - last_step)
                curves.setdefault(component, []).append((line["step"], mean))
        last_step = line["step"]
    return curves


def in_short_range(axes: "Axes") -> Callable[[float, int], str]:
    """Labels for 2, 3 and 5 of a decade, where the axis has few decades to label."""

    def label(value: float, _: int) -> str:
        low, high = axes.get_ylim()
        return f"{value:g}" if high < 20 * low and f"{value:e}"[0] in "235" else ""

    return label


def score_limits(curves: dict[str, Curve]) -> tuple[float, float]:
    """Room for the last three quarters of training; the steep first part may leave the picture."""
    late = [value for curve in curves.values() for _, value in curve[len(curve) // 4 :]]
    low, high = min(late, default=0), max(late, default=100)
    margin = 0.06 * max(high - low, 1)
    return max(0, low - margin), min(100.5, high + margin)


def summary(lines: list[dict], best: int) -> str:
    last = lines[-1]
    parts = [
        f"best at step {best:,} of {last['step']:,}",
        f"epoch {last['epoch'] + 1}",
        f"{last['words']:,} words in {last['seconds'] / 60:,.0f} min",
    ]
    speeds = [line["words_per_second"] for line in lines if line["words_per_second"]]
    if speeds:
        parts.append(f"{median(speeds):,.0f} words/s of training")
    return " · ".join(parts)


def draw_panel(axes: "Axes", title: str, curves: dict[str, Curve], best: int) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.set_title(title, loc="left", fontsize=11)
    axes.axvline(best, color=GREY, linewidth=1, linestyle=(0, (4, 3)), zorder=0)
    axes.annotate(
        "best ",
        xy=(best, 0),
        xycoords=axes.get_xaxis_transform(),
        xytext=(0, 6),
        textcoords="offset points",
        ha="right" if best else "left",
        color=GREY,
        fontsize=9,
    )
    for curve, color in zip(curves.values(), COLORS * 2):
        axes.plot(*zip(*curve), color=color, linewidth=1.6, solid_capstyle="round")
        axes.plot(best, value_at(curve, best), "o", color=color, markersize=4.5)
    axes.set_xlabel("step")
    last = max((curve[-1][0] for curve in curves.values()), default=0)
    axes.set_xlim(0, last * 1.01 or 1)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.grid(axis="y", color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    axes.tick_params(color=GREY)


def label_ends(axes: "Axes", curves: dict[str, Curve], best: int, form: str) -> None:
    """Name and value of each curve behind its end, pushed apart where they would overlap."""
    if not curves:
        return
    height = 13 * axes.figure.dpi / 72  # of a line of text, in pixels
    bottom, top = axes.transData.transform([(0, y) for y in axes.get_ylim()])[:, 1]
    ends = [axes.transData.transform(curve[-1])[1] for curve in curves.values()]
    ys = spread(ends, height, top)
    for (name, curve), color, y in zip(curves.items(), COLORS * 2, ys):
        axes.annotate(
            form.format(name, value_at(curve, best)),
            xy=(1, (y - bottom) / (top - bottom)),
            xycoords="axes fraction",
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            color=color,
            fontsize=10,
        )


def spread(ys: list[float], gap: float, top: float) -> list[float]:
    """The positions with at least `gap` between them: pushed upwards, down again from the top."""
    order = sorted(range(len(ys)), key=ys.__getitem__)
    placed = list(ys)
    for below, i in pairwise(order):
        placed[i] = max(placed[i], placed[below] + gap)
    for i in reversed(order):
        placed[i] = min(placed[i], top)
        top = placed[i] - gap
    return placed


def value_at(curve: Curve, step: int) -> float:
    return min(curve, key=lambda point: abs(point[0] - step))[1]
