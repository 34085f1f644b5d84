"""Pictures of a search: scores trial by trial, and what each setting matters."""

from pathlib import Path
from typing import Any

from ..training.plot import COLORS, GREY, import_figure

HISTORY, IMPORTANCE = "trials.png", "importance.png"


def plot_trials(rows: list[dict[str, Any]], picture: Path) -> None:
    """Draw the score of each trial, the best one so far, and those without a score.

    rows: As `study.as_rows` gives them. RAISES: ModuleNotFoundError without matplotlib.
    """
    figure = import_figure()(figsize=(9, 4.5))
    axes = figure.subplots()
    done = [row for row in rows if row["score"] is not None and row["state"] == "complete"]
    numbers = [row["number"] for row in done]
    scores = [100 * row["score"] for row in done]
    best = [max(scores[: i + 1]) for i in range(len(scores))]
    axes.plot(numbers, scores, "o", color=COLORS[0], label="trial")
    axes.plot(numbers, best, color=COLORS[1], drawstyle="steps-post", label="best so far")
    bottom = min(scores, default=0.0)
    for state, mark in (("pruned", "x"), ("fail", "v")):
        others = [row["number"] for row in rows if row["state"] == state]
        if others:
            axes.plot(others, [bottom] * len(others), mark, color=GREY, label=state)
    axes.set_title("Score on the development set, %", loc="left", fontsize=11)
    axes.set_xlabel("trial")
    axes.legend(frameon=False, fontsize=9)
    _save(figure, axes, picture)


def plot_importance(importance: dict[str, float], picture: Path) -> None:
    """Draw a bar a setting, the longest on top. RAISES: ModuleNotFoundError without matplotlib."""
    figure = import_figure()(figsize=(9, 1.2 + 0.4 * len(importance)))
    axes = figure.subplots()
    names = sorted(importance, key=importance.get)
    axes.barh(names, [importance[name] for name in names], color=COLORS[0])
    axes.set_title("Importance of each setting (together 1)", loc="left", fontsize=11)
    _save(figure, axes, picture)


def _save(figure: Any, axes: Any, picture: Path) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GREY)
    figure.savefig(picture, dpi=130, bbox_inches="tight")
